//! The run's side: starts the workers, hands on what they tell each other, adds up their seconds, ends them.
//!
//! All of it happens on one thread that takes one event after the other; the workers' streams are read and written by
//! threads of their own, so that nobody ever waits for somebody else's full pipe.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use reports::folder::RunWriter;
use scenarios::{Override, Plan};
use url::Url;

use super::Worker;
use super::gather::{Joined, Peak, Seconds};
use super::link::{ToRun, ToWorker, Work};
use super::process::{Event, Held};
use crate::clock::{Clock, monotonic};
use crate::delivery::presence::Change;
use crate::delivery::relay::Passed;
use crate::generate::collector::{Book, Gathered};
use crate::generate::signals::first_interruption;
use crate::generate::{Generated, LEAD, Quiet, Stopped, run_number};
use crate::health::clock_offset::{Exchange, Offset};
use crate::health::machine::descriptor_limit;
use crate::health::{sample::Watched, watch::Watch};
use crate::live::Live;
use crate::player::Targets;
use crate::record::{Tally, ThreadTally};
use crate::run::RunError;
use crate::verdict::validity;

/// Questions for each worker's clock before the run begins; during it, one a second.
const QUESTIONS: usize = 25;
/// A worker that says nothing for so long hangs: it speaks several times a second.
const SILENCE: Duration = Duration::from_secs(30);
/// How often the run looks up when nothing happens.
const LOOK: Duration = Duration::from_millis(100);

/// What is split, and over how many.
pub(crate) struct Split {
    /// The scenario's file.
    pub(crate) file: String,
    /// Its text.
    pub(crate) text: String,
    /// Overrides.
    pub(crate) overrides: Vec<Override>,
    /// How many workers.
    pub(crate) workers: u32,
    /// Where to connect to.
    pub(crate) url: Url,
    /// Its addresses.
    pub(crate) targets: Targets,
    /// The identity provider that comes with the target.
    pub(crate) issuer: Option<Url>,
    /// Where placements are polled, if they are.
    pub(crate) rest: Option<Url>,
}

/// Generates the load in workers: waits for the end of the plan or for an interruption.
pub(crate) async fn conduct(
    plan: &Arc<Plan>,
    split: Split,
    writer: RunWriter,
    live: Live,
) -> Result<Generated, RunError> {
    let interruption = first_interruption()?;
    let (events, happened) = channel();
    let interrupted = events.clone();
    let listening = tokio::spawn(async move {
        interruption.cancelled().await;
        let _ = interrupted.send(Event::Interrupted);
    });
    let plan = Arc::clone(plan);
    let conducting = tokio::task::spawn_blocking(move || {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let threads = cores.div_ceil(split.workers as usize);
        let held = (0..split.workers as usize)
            .map(|index| Held::start(index, threads, events.clone()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| RunError::Workers(format!("a worker could not be started: {error}")))?;
        // From now on, events end when the workers do.
        drop(events);
        Conductor::new(plan, &split, held, happened).run(&split, writer, live)
    });
    let generated = conducting.await.map_err(|error| RunError::Workers(error.to_string()));
    listening.abort();
    generated?
}

/// A worker and what is known of it.
struct Known {
    held: Held,
    worker: Worker,
    ready: bool,
    answers: usize,
    quiet: bool,
    /// Whether it has told everything, or nothing more can come.
    over: bool,
    spoke: Instant,
}

struct Conductor {
    plan: Arc<Plan>,
    workers: Vec<Known>,
    happened: Receiver<Event>,
    clock: Clock,
    seconds: Seconds,
    peak: Peak,
    watch: Watch,
    watched: Watched,
    interrupted: bool,
    stopping: bool,
}

impl Conductor {
    fn new(plan: Arc<Plan>, split: &Split, held: Vec<Held>, happened: Receiver<Event>) -> Self {
        let clock = Clock::default();
        let count = held.len();
        let known = |(index, held): (usize, Held)| {
            let index = index as u32;
            let players = (plan.players + split.workers - 1 - index) / split.workers;
            let worker = Worker {
                index,
                pid: held.pid(),
                players,
                total: ThreadTally::default(),
                watched: Watched::default(),
                offset: None,
                passed: 0,
                lost: None,
            };
            let spoke = Instant::now();
            Known { held, worker, ready: false, answers: 0, quiet: false, over: false, spoke }
        };
        let workers: Vec<_> = held.into_iter().enumerate().map(known).collect();
        let watch = Watch::new(clock.clone(), split.targets.clone());
        let watched = Watched { cores: watch.watched().cores, ..Watched::default() };
        let (seconds, peak) = (Seconds::new(count), Peak::new(count));
        let (interrupted, stopping) = (false, false);
        Self { plan, workers, happened, clock, seconds, peak, watch, watched, interrupted, stopping }
    }

    fn run(mut self, split: &Split, writer: RunWriter, live: Live) -> Result<Generated, RunError> {
        let run = run_number();
        for known in &self.workers {
            known.held.say(&ToWorker::Work(Box::new(split.work(known.worker.index, run))));
        }
        self.prepare(|known| known.ready)?;
        self.workers.iter().for_each(ask);
        self.prepare(|known| known.answers >= QUESTIONS)?;
        let zero = monotonic() + LEAD;
        self.clock.start_at(zero);
        self.say_to_all(&ToWorker::Begin { zero });
        let mut book = Book::new(Arc::clone(&self.plan), self.clock.clone(), writer, live);
        let stopped = self.play(&mut book);
        let ended_at = self.clock.utc(self.clock.now());
        self.stop(&mut book, stopped);
        let own = self.watch.watched();
        self.watched.cpu_seconds = own.cpu_seconds;
        // The sum of each one's highest: they need not have been at the same time.
        self.watched.peak_rss_bytes = own.peak_rss_bytes;
        for known in &self.workers {
            self.watched.cpu_seconds += known.worker.watched.cpu_seconds;
            self.watched.peak_rss_bytes += known.worker.watched.peak_rss_bytes;
        }
        let mut closed = book.close();
        let ending = stopped.ending(&mut closed);
        Ok(Generated {
            closed,
            watched: self.watched,
            ending,
            started_at: self.clock.utc(0),
            ended_at,
            peak_open: self.peak.close(),
            workers: self.workers.into_iter().map(|known| known.worker).collect(),
        })
    }

    /// Waits until all workers are so far; one that fails, or an interruption, ends the run before it begins.
    fn prepare(&mut self, so_far: fn(&Known) -> bool) -> Result<(), RunError> {
        while !self.workers.iter().all(so_far) {
            // The events end only with this process: Ctrl-C is one of them.
            let Ok(event) = self.happened.recv() else { return Err(RunError::Interrupted) };
            self.deal(event);
            if self.interrupted {
                return Err(RunError::Interrupted);
            }
            if let Some(problem) = self.workers.iter().find_map(|known| known.worker.lost.as_ref()) {
                return Err(RunError::Workers(problem.clone()));
            }
        }
        Ok(())
    }

    /// Until the plan has been carried out and nothing is awaited, or somebody wants it to end.
    fn play(&mut self, book: &mut Book) -> Stopped {
        let mut quiet = Quiet::default();
        let mut looked = Instant::now();
        while !self.workers.iter().all(|known| known.over) {
            self.turn(book, &mut looked);
            if self.interrupted {
                return Stopped::FromOutside;
            }
            if book.should_end() {
                return Stopped::ByItself;
            }
            if quiet.for_long(self.workers.iter().all(|known| known.quiet || known.over)) {
                break;
            }
        }
        Stopped::AtTheEnd
    }

    /// Once a second: asks for the clocks, and looks for workers that hang.
    fn look(&mut self, since: Duration) {
        self.workers.iter().filter(|known| !known.over).for_each(ask);
        if since > SILENCE / 2 {
            // It was this process that slept: what they said meanwhile is still to be heard.
            self.workers.iter_mut().for_each(|known| known.spoke = Instant::now());
        }
        for index in 0..self.workers.len() {
            if !self.workers[index].over && self.workers[index].spoke.elapsed() > SILENCE {
                self.lose(index, &format!("has said nothing for {} s", SILENCE.as_secs()));
            }
        }
    }

    /// Ends the workers, and takes what they still have to tell.
    fn stop(&mut self, book: &mut Book, stopped: Stopped) {
        self.stopping = true;
        self.say_to_all(&ToWorker::Stop(stopped));
        let mut looked = Instant::now();
        while !self.workers.iter().all(|known| known.over) {
            // However long leaving takes, each still tells its seconds.
            self.turn(book, &mut looked);
        }
        self.keep(book);
    }

    /// Deals with what happens next, keeps what is known, and once a second looks around.
    fn turn(&mut self, book: &mut Book, looked: &mut Instant) {
        if let Ok(event) = self.happened.recv_timeout(LOOK) {
            self.deal(event);
        }
        self.keep(book);
        if looked.elapsed() >= Duration::from_secs(1) {
            self.look(looked.elapsed());
            *looked = Instant::now();
        }
    }

    fn deal(&mut self, event: Event) {
        match event {
            Event::Said(index, heard, said) => self.said(index, heard, *said),
            Event::Ended(index, error) if !self.workers[index].over => {
                let how = self.workers[index].held.ended();
                let how =
                    how.or(error.map(|error| error.to_string())).unwrap_or_else(|| "no reason known".into());
                self.lose(index, &format!("ended ({how})"));
            }
            Event::Ended(..) => {}
            Event::Interrupted => self.interrupted = true,
        }
    }

    fn said(&mut self, index: usize, back: Duration, said: ToRun) {
        let known = &mut self.workers[index];
        if known.over {
            return;
        }
        known.spoke = Instant::now();
        match said {
            ToRun::Ready => known.ready = true,
            ToRun::Failed(problem) => self.lose(index, &format!("failed: {problem}")),
            ToRun::Answer { asked, heard, answered } => {
                let offset = Offset::of(&Exchange { asked, heard, answered, back });
                known.worker.offset = Some(offset.or_better(known.worker.offset));
                known.answers += 1;
                if known.answers < QUESTIONS {
                    ask(known);
                }
            }
            ToRun::Told { until, changes, passed } => {
                known.worker.passed += passed.iter().map(|(_, passed)| passed.len() as u64).sum::<u64>();
                self.peak.add(index, until, &changes);
                if !self.stopping {
                    self.hand_on(index, until, &changes, passed);
                }
            }
            ToRun::Second { second, tally, open, seen } => {
                known.worker.total.merge(&tally);
                known.worker.watched.add(&seen);
                self.seconds.add(index, second, &tally, open, &seen);
            }
            ToRun::Quiet(quiet) => known.quiet = quiet,
            ToRun::Done(watched) => {
                known.worker.watched = watched;
                known.over = true;
                self.seconds.leave(index);
            }
        }
    }

    /// What a worker told goes to all others: to each the receipts of its own sends.
    fn hand_on(&self, from: usize, until: u64, changes: &[Change], mut passed: Vec<(u32, Vec<Passed>)>) {
        for (index, known) in self.workers.iter().enumerate().filter(|(index, _)| *index != from) {
            if known.over {
                continue;
            }
            let its = passed.iter_mut().find(|(worker, _)| *worker as usize == index);
            let passed = its.map(|(_, passed)| std::mem::take(passed)).unwrap_or_default();
            known.held.say(&ToWorker::Heard { from: from as u32, until, changes: changes.to_vec(), passed });
        }
    }

    /// Writes down the seconds that all have told of.
    fn keep(&mut self, book: &mut Book) {
        while let Some((second, Joined { tally, open, mut seen })) = self.seconds.complete() {
            seen.join(&self.watch.look());
            self.watched.add(&seen);
            book.keep(&Gathered { second, tally: &tally, open, seen }, |total| {
                let workers = self.workers.iter().map(|known| &known.worker);
                validity::judge_workers(total, &self.watched, workers, descriptor_limit())
            });
        }
    }

    /// A worker does not go on: the others do, and the run is not valid.
    fn lose(&mut self, index: usize, why: &str) {
        let at = self.clock.now() as f64 / 1e6;
        let known = &mut self.workers[index];
        known.held.kill();
        known.over = true;
        let Worker { pid, players, .. } = known.worker;
        let problem = if known.ready {
            format!(
                "worker {index} (process {pid}) {why} {at:.1} s into the run: what its {players} players did from then \
                 on is missing; look for its last words above and for the kernel's out-of-memory killer, and run it again"
            )
        } else {
            format!("worker {index} (process {pid}) {why}")
        };
        tracing::error!("{problem}");
        known.worker.lost = Some(problem);
        self.seconds.leave(index);
        self.peak.leave(index);
        self.say_to_all(&ToWorker::Gone { worker: index as u32 });
    }

    fn say_to_all(&self, value: &ToWorker) {
        self.workers.iter().filter(|known| !known.over).for_each(|known| known.held.say(value));
    }
}

impl Split {
    fn work(&self, index: u32, run: u32) -> Work {
        Work {
            index,
            count: self.workers,
            file: self.file.clone(),
            text: self.text.clone(),
            overrides: self.overrides.iter().map(|set| (set.key.clone(), set.value.clone())).collect(),
            run,
            url: self.url.to_string(),
            issuer: self.issuer.as_ref().map(ToString::to_string),
            rest: self.rest.as_ref().map(ToString::to_string),
        }
    }
}

fn ask(known: &Known) {
    known.held.say(&ToWorker::Ask { asked: monotonic() });
}
