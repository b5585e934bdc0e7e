//! The coordinator: begins the run on all workers, adds up their seconds, passes on what they send each other, ends them.
//!
//! A run in one process is a run with one worker in this process: it hands over the same values, and needs neither
//! frames nor a clock exchange nor a relay. All of it happens on one thread that takes one event after the other; the
//! streams of workers' processes are read and written by threads of their own, so that nobody waits for somebody else's
//! full pipe.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use futures_util::future::OptionFuture;
use jiff::Timestamp;
use reports::folder::RunWriter;
use scenarios::Plan;
use tokio::sync::watch;

use super::gather::{Peak, Seconds};
use super::load::{Load, run_own_part};
use super::messages::{ToRun, ToWorker, WorkerEvent};
use super::state::{Handle, QUESTIONS, WorkerState};
use crate::clock::{Clock, monotonic};
use crate::delivery::relay::{PeerBatch, PeerUpdate};
use crate::generate::error::{GenerateError, WorkerProblem};
use crate::generate::signals::first_interruption;
use crate::generate::stage::{Stage, StopReason};
use crate::health::clock_offset::{Exchange, Offset};
use crate::health::machine::descriptor_limit;
use crate::health::{sample::Watched, watch::Watch};
use crate::live::Live;
use crate::record::Tally;
use crate::run_log::{Finished, RunLog};
use crate::verdict::ending::Ending;
use crate::verdict::totals::WorkerTotals;
use crate::verdict::validity::Validity;

/// Between the last preparation and the first arrival.
pub(super) const LEAD: Duration = Duration::from_millis(200);
/// After everything awaited has come: time for a second copy of a push to show itself, and for the last second of
/// the run to be over before the players leave.
pub(super) const LINGER: Duration = Duration::from_secs(1);
/// A worker's process that sends nothing for so long hangs: it sends several times a second.
const SILENCE: Duration = Duration::from_secs(30);
/// How often the coordinator looks up when nothing happens.
const LOOK: Duration = Duration::from_millis(100);

/// What was measured.
pub(crate) struct Generated {
    pub(crate) finished: Finished,
    pub(crate) watched: Watched,
    pub(crate) ending: Ending,
    pub(crate) started_at: Timestamp,
    pub(crate) ended_at: Timestamp,
    pub(crate) peak_open: u64,
    pub(crate) workers: Vec<WorkerTotals>,
}

/// Generates the load: waits for the end of the plan or for an interruption.
pub(crate) async fn generate(
    plan: &Arc<Plan>,
    load: Load,
    writer: RunWriter,
    live: Live,
) -> Result<Generated, GenerateError> {
    let interruption = first_interruption()?;
    let (events, received) = channel();
    let interrupted = events.clone();
    let listening = tokio::spawn(async move {
        interruption.cancelled().await;
        let _ = interrupted.send(WorkerEvent::Interrupted);
    });
    let (coordinator, own_part) = match load {
        Load::InProcess(setup) => {
            let (stage, stages) = watch::channel(Stage::Preparing);
            let clock = setup.clock.clone();
            let workers = vec![Handle::InProcess(stage)];
            (
                Coordinator::new(plan, clock, workers, None, received),
                Some(run_own_part(*setup, stages, events)),
            )
        }
        Load::Split(split) => {
            let clock = Clock::default();
            let workers = split.start(&events)?;
            let watch = Watch::new(clock.clone(), split.targets);
            (Coordinator::new(plan, clock, workers, Some(watch), received), None)
        }
    };
    let mut coordinating = tokio::task::spawn_blocking(move || coordinator.run(writer, live));
    let generated = tokio::select! {
        generated = &mut coordinating => generated,
        _ = OptionFuture::from(own_part) => coordinating.await,
    };
    listening.abort();
    generated.map_err(|source| GenerateError::Panicked { part: "the coordinator", source })?
}

struct Coordinator {
    plan: Arc<Plan>,
    workers: Vec<WorkerState>,
    events: Receiver<WorkerEvent>,
    clock: Clock,
    seconds: Seconds,
    /// Of workers that are processes of their own; the one in this process counts its sockets exactly.
    peak: Peak,
    own_peak: Option<u64>,
    /// The health of this process, where the workers are others.
    watch: Option<Watch>,
    watched: Watched,
    failed: Option<GenerateError>,
    interrupted: bool,
    begun: bool,
    stopping: bool,
}

impl Coordinator {
    fn new(
        plan: &Arc<Plan>,
        clock: Clock,
        workers: Vec<Handle>,
        watch: Option<Watch>,
        events: Receiver<WorkerEvent>,
    ) -> Self {
        let count = workers.len() as u32;
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
        let state = |(index, handle): (u32, Handle)| {
            let players = (plan.players + count - 1 - index) / count;
            WorkerState::new(index, players, handle)
        };
        Self {
            plan: Arc::clone(plan),
            workers: (0..).zip(workers).map(state).collect(),
            events,
            clock,
            seconds: Seconds::new(count as usize),
            peak: Peak::new(count as usize),
            own_peak: None,
            watch,
            watched: Watched { cores, ..Watched::default() },
            failed: None,
            interrupted: false,
            begun: false,
            stopping: false,
        }
    }

    fn run(mut self, writer: RunWriter, live: Live) -> Result<Generated, GenerateError> {
        self.prepare(|worker| worker.ready)?;
        self.workers.iter().for_each(WorkerState::ask_for_clock);
        self.prepare(WorkerState::clock_is_known)?;
        let zero = monotonic() + LEAD;
        self.clock.start_at(zero);
        self.begun = true;
        self.enter(Stage::Running { zero });
        let mut log = RunLog::new(Arc::clone(&self.plan), self.clock.clone(), writer, live);
        let reason = self.play(&mut log);
        let ended_at = self.clock.utc(self.clock.now());
        self.stop(&mut log, reason);
        if let Some(error) = self.failed {
            return Err(error);
        }
        let watched = self.watched();
        let mut finished = log.finish();
        let ending = reason.ending(finished.early_end.take());
        Ok(Generated {
            finished,
            watched,
            ending,
            started_at: self.clock.utc(0),
            ended_at,
            peak_open: self.own_peak.unwrap_or_else(|| self.peak.finish()),
            workers: self.workers.into_iter().map(|worker| worker.totals).collect(),
        })
    }

    /// Waits until all workers are so far; one that fails, or an interruption, ends the run before it begins.
    fn prepare(&mut self, so_far: fn(&WorkerState) -> bool) -> Result<(), GenerateError> {
        while !self.workers.iter().all(so_far) {
            // The events end only with this process: Ctrl-C is one of them.
            let Ok(event) = self.events.recv() else { return Err(GenerateError::Interrupted) };
            self.handle(event);
            if self.interrupted {
                return Err(GenerateError::Interrupted);
            }
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
        }
        Ok(())
    }

    /// Until the plan has been carried out and nothing is awaited, or the run is to end before.
    fn play(&mut self, log: &mut RunLog) -> StopReason {
        let mut quiet = Quiet::default();
        let mut looked = Instant::now();
        while !self.workers.iter().all(|worker| worker.over) {
            self.turn(log, &mut looked);
            if self.interrupted {
                return StopReason::Interrupted;
            }
            if log.should_end() {
                return StopReason::EndedEarly;
            }
            if quiet.for_long(self.workers.iter().all(|worker| worker.quiet || worker.over)) {
                break;
            }
        }
        StopReason::Finished
    }

    /// Ends the workers, and takes what they still have to send.
    fn stop(&mut self, log: &mut RunLog, reason: StopReason) {
        self.stopping = true;
        self.enter(Stage::Stopped(reason));
        let mut looked = Instant::now();
        while !self.workers.iter().all(|worker| worker.over) {
            // However long leaving takes, each still sends its seconds.
            self.turn(log, &mut looked);
        }
        self.log_complete_seconds(log);
    }

    /// Handles the next event, logs the seconds that are complete, and once a second looks after the processes.
    fn turn(&mut self, log: &mut RunLog, looked: &mut Instant) {
        if let Ok(event) = self.events.recv_timeout(LOOK) {
            self.handle(event);
        }
        self.log_complete_seconds(log);
        if looked.elapsed() >= Duration::from_secs(1) {
            self.look_after_processes(looked.elapsed());
            *looked = Instant::now();
        }
    }

    /// Asks for the clocks, and looks for processes that hang.
    fn look_after_processes(&mut self, since: Duration) {
        self.workers.iter().for_each(WorkerState::ask_for_clock);
        if since > SILENCE / 2 {
            // It was this process that slept: what they sent meanwhile is still to be received.
            self.workers.iter_mut().for_each(|worker| worker.last_message = Instant::now());
        }
        for index in 0..self.workers.len() {
            let worker = &self.workers[index];
            if worker.process().is_some() && worker.last_message.elapsed() > SILENCE {
                self.lose(index, WorkerProblem::Silent(SILENCE));
            }
        }
    }

    fn handle(&mut self, event: WorkerEvent) {
        match event {
            WorkerEvent::Message(index, received, message) => self.message(index, received, message),
            WorkerEvent::StreamEnded(index, error) => {
                let worker = &mut self.workers[index];
                if let Handle::Process(process) = &mut worker.handle
                    && !worker.over
                {
                    let how = process.exit_status().or(error.map(|error| error.to_string()));
                    self.lose(index, WorkerProblem::Ended(how));
                }
            }
            WorkerEvent::Failed(error) => {
                self.failed = Some(error);
                self.workers.iter_mut().for_each(|worker| worker.over = true);
            }
            WorkerEvent::Interrupted => self.interrupted = true,
        }
    }

    fn message(&mut self, index: usize, returned: Duration, message: ToRun) {
        let worker = &mut self.workers[index];
        if worker.over {
            return;
        }
        worker.last_message = Instant::now();
        match message {
            ToRun::Ready => worker.ready = true,
            ToRun::Failed(error) => self.lose(index, WorkerProblem::Failed(error)),
            ToRun::ClockAnswer { asked, received, answered } => {
                let offset = Offset::of(&Exchange { asked, received, answered, returned });
                if let Some(process) = &mut worker.totals.process {
                    process.offset = Some(offset.or_better(process.offset));
                }
                worker.clock_answers += 1;
                if worker.clock_answers < QUESTIONS {
                    worker.ask_for_clock();
                }
            }
            ToRun::PeerBatch(batch) => {
                if let Some(process) = &mut worker.totals.process {
                    let receipts = batch.receipts.iter().map(|(_, receipts)| receipts.len() as u64);
                    process.receipts_forwarded += receipts.sum::<u64>();
                }
                self.peak.add(index, batch.until, &batch.changes);
                if !self.stopping {
                    self.forward(index, batch);
                }
            }
            ToRun::Second(sample) => {
                if let Some(process) = &mut worker.totals.process {
                    process.total.merge(&sample.tally);
                }
                worker.totals.watched.add(&sample.health);
                self.seconds.add(index, sample);
            }
            ToRun::Quiet(quiet) => worker.quiet = quiet,
            ToRun::Finished { watched, peak_open } => {
                worker.totals.watched = watched;
                worker.over = true;
                if worker.totals.process.is_none() {
                    self.own_peak = Some(peak_open);
                }
                self.seconds.leave(index);
            }
        }
    }

    /// A worker's batch goes to all others: to each the receipts of its own sends.
    fn forward(&self, from: usize, batch: PeerBatch) {
        let PeerBatch { until, changes, mut receipts } = batch;
        for (index, worker) in self.workers.iter().enumerate().filter(|(index, _)| *index != from) {
            let Some(process) = worker.process() else { continue };
            let its = receipts.iter_mut().find(|(worker, _)| *worker as usize == index);
            let receipts = its.map(|(_, receipts)| std::mem::take(receipts)).unwrap_or_default();
            let update = PeerUpdate { from: from as u32, until, changes: changes.clone(), receipts };
            process.send(&ToWorker::PeerUpdate(update));
        }
    }

    /// Logs the seconds that all workers have sent.
    fn log_complete_seconds(&mut self, log: &mut RunLog) {
        while let Some(mut sample) = self.seconds.complete() {
            if let Some(watch) = &mut self.watch {
                sample.health.join(&watch.look());
            }
            self.watched.add(&sample.health);
            log.add(&sample, |total| {
                let workers = self.workers.iter().map(|worker| &worker.totals);
                Validity::of(&self.plan, total, &self.watched, workers, descriptor_limit())
            });
        }
    }

    /// The health of all processes together. Where the one worker is in this process, its health is the run's.
    fn watched(&self) -> Watched {
        let Some(watch) = &self.watch else {
            return self.workers.first().map_or(self.watched, |worker| worker.totals.watched);
        };
        let own = watch.watched();
        let mut watched =
            Watched { cpu_seconds: own.cpu_seconds, peak_rss_bytes: own.peak_rss_bytes, ..self.watched };
        for worker in &self.workers {
            watched.cpu_seconds += worker.totals.watched.cpu_seconds;
            // The sum of each one's highest: they need not have been at the same time.
            watched.peak_rss_bytes += worker.totals.watched.peak_rss_bytes;
        }
        watched
    }

    /// A worker's process does not go on: before the run begins, that is its end; later the others go on, and the run is
    /// not valid.
    fn lose(&mut self, index: usize, problem: WorkerProblem) {
        let worker = &mut self.workers[index];
        worker.over = true;
        let Handle::Process(process) = &mut worker.handle else { return };
        process.kill();
        let (index, pid) = (worker.totals.index, process.pid());
        if !self.begun {
            self.failed = Some(GenerateError::WorkerLost { index, pid, problem });
            return;
        }
        let at = self.clock.now() as f64 / 1e6;
        let players = worker.totals.players;
        let lost = format!(
            "worker {index} (process {pid}) {problem}; that was {at:.1} s into the run: what its {players} players did from \
             then on is missing, so run it again"
        );
        tracing::error!("{lost}");
        worker.totals.lost = Some(lost);
        self.seconds.leave(index as usize);
        self.peak.leave(index as usize);
        for process in self.workers.iter().filter_map(WorkerState::process) {
            process.send(&ToWorker::WorkerLost { worker: index });
        }
    }

    fn enter(&self, stage: Stage) {
        self.workers.iter().filter(|worker| !worker.over).for_each(|worker| worker.enter(stage));
    }
}

/// Whether it has been quiet long enough for the run to be over.
#[derive(Debug, Default)]
struct Quiet(Option<Instant>);

impl Quiet {
    /// Whether it is quiet now, and has been for a while.
    fn for_long(&mut self, quiet: bool) -> bool {
        if !quiet {
            self.0 = None;
            return false;
        }
        self.0.get_or_insert_with(Instant::now).elapsed() >= LINGER
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::Sender;

    use super::super::process::WorkerProcess;
    use super::*;
    use crate::generate::error::GooseProblem;

    fn plan() -> Arc<Plan> {
        let text = "name = \"x\"\nplayers = 4\n[[phases]]\nkind = \"hold\"\nduration = \"1s\"\n";
        let checked = scenarios::check("x.toml", text, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        Arc::new(checked.plan)
    }

    fn coordinator(
        handle: impl FnOnce(&Sender<WorkerEvent>) -> Handle,
    ) -> (Coordinator, Sender<WorkerEvent>) {
        let (events, received) = channel();
        let workers = vec![handle(&events)];
        (Coordinator::new(&plan(), Clock::default(), workers, None, received), events)
    }

    fn ready(worker: &WorkerState) -> bool {
        worker.ready
    }

    #[test]
    fn the_worker_in_this_process_is_ready_without_a_clock_exchange() {
        let (mut coordinator, events) =
            coordinator(|_| Handle::InProcess(watch::channel(Stage::Preparing).0));
        events.send(WorkerEvent::Message(0, Duration::ZERO, ToRun::Ready)).unwrap();
        coordinator.prepare(ready).unwrap();
        coordinator.prepare(WorkerState::clock_is_known).unwrap();
    }

    #[test]
    fn an_interruption_and_an_error_end_a_run_before_it_begins() {
        let in_process = |_: &Sender<WorkerEvent>| Handle::InProcess(watch::channel(Stage::Preparing).0);
        let (mut coordinator, events) = self::coordinator(in_process);
        events.send(WorkerEvent::Interrupted).unwrap();
        assert!(matches!(coordinator.prepare(ready), Err(GenerateError::Interrupted)));
        let (mut coordinator, events) = self::coordinator(in_process);
        events.send(WorkerEvent::Failed(GenerateError::Goose(GooseProblem::Ended))).unwrap();
        assert!(matches!(coordinator.prepare(ready), Err(GenerateError::Goose(_))));
    }

    #[tokio::test]
    async fn a_process_that_ends_while_its_clock_is_asked_for_is_an_error() {
        // This very program, which under test is none that is a worker, and ends at once.
        let process = |events: &Sender<WorkerEvent>| {
            Handle::Process(Box::new(WorkerProcess::start(0, 1, events.clone()).unwrap()))
        };
        let (mut coordinator, _events) = coordinator(process);
        coordinator.workers[0].ready = true;
        match coordinator.prepare(WorkerState::clock_is_known) {
            Err(GenerateError::WorkerLost { index: 0, problem: WorkerProblem::Ended(Some(how)), .. }) => {
                assert!(how.contains("exit status"), "{how}");
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn it_is_quiet_for_long_only_without_a_pause() {
        let mut quiet = Quiet::default();
        assert!(!quiet.for_long(true));
        quiet.0 = quiet.0.and_then(|since| since.checked_sub(LINGER));
        assert!(quiet.for_long(true));
        assert!(!quiet.for_long(false));
        assert!(!quiet.for_long(true), "it begins anew");
    }
}
