//! Generating the load: starts every part of a run, waits for the end of the plan or an interruption, ends every part.

pub mod collector;
pub mod goose_users;
pub mod pacer;
pub(crate) mod signals;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use goose::GooseError;
use goose::metrics::GooseMetrics;
use jiff::Timestamp;
use reports::folder::RunWriter;
use reports::format::cut_off::{UNSENT_ENDED_EARLY, UNSENT_INTERRUPTED};
use scenarios::Plan;
use scenarios::plan::SWEEP;
use scenarios::shard::Shard;
use serde::{Deserialize, Serialize};
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::auth::Credentials;
use crate::clock::{Clock, micros};
use crate::delivery::relay::Relay;
use crate::delivery::{Messages, Placements};
use crate::early::Ending;
use crate::generate::collector::{Book, Closed, Collector};
use crate::generate::goose_users::attack;
use crate::generate::pacer::Pacer;
use crate::generate::signals::first_interruption;
use crate::health::event_loop;
use crate::health::machine::descriptor_limit;
use crate::health::sample::Watched;
use crate::health::watch::Watch;
use crate::live::Live;
use crate::player::{Endpoint, Play, Players, Rest, Targets, make_disruptions};
use crate::record::Recorder;
use crate::run::RunError;
use crate::schedule::Unreached;
use crate::verdict::validity;
use crate::workers::Worker;

/// Between the last preparation and the first arrival.
pub(crate) const LEAD: Duration = Duration::from_millis(200);
/// After everything awaited has come: time for a second copy of a push to show itself, and for the last second of
/// the run to be over before the players leave.
const LINGER: Duration = Duration::from_secs(1);
/// How long goose may take to end after its users have left.
const GOOSE_END: Duration = Duration::from_secs(15);

/// What was measured.
pub(crate) struct Generated {
    pub(crate) closed: Closed,
    pub(crate) watched: Watched,
    pub(crate) ending: Ending,
    pub(crate) started_at: Timestamp,
    pub(crate) ended_at: Timestamp,
    pub(crate) peak_open: u64,
    /// What each worker did; empty where this process did everything.
    pub(crate) workers: Vec<Worker>,
}

/// Generates the load in this process: starts every part, waits for the end of the plan or for an interruption, ends
/// every part.
pub(crate) async fn generate(
    plan: &Arc<Plan>,
    endpoint: Endpoint,
    credentials: Credentials,
    rest: Option<Rest>,
    writer: RunWriter,
    live: Live,
) -> Result<Generated, RunError> {
    let clock = Clock::default();
    let targets = endpoint.targets();
    let setup = Setup {
        plan: Arc::clone(plan),
        shard: Shard::WHOLE,
        clock: clock.clone(),
        run: run_number(),
        endpoint,
        credentials,
        relay: None,
        rest,
    };
    let interruption = first_interruption()?;
    let mut generation = tokio::select! {
        prepared = Generation::prepare(setup) => prepared?,
        () = interruption.cancelled() => return Err(RunError::Interrupted),
    };

    clock.start_in(LEAD);
    generation.begin();
    let (stop_collecting, stopped) = mpsc::channel();
    let early = CancellationToken::new();
    let end_early = early.clone();
    let collector = generation.collector(targets);
    let mut book = Book::new(Arc::clone(plan), clock.clone(), writer, live);
    let collecting = tokio::task::spawn_blocking(move || {
        let limit = descriptor_limit();
        let watched = collector.run(&stopped, |gathered, watched| {
            book.keep(gathered, |total| validity::judge(total, watched, limit));
            if book.should_end() {
                end_early.cancel();
            }
        });
        (book.close(), watched)
    });

    let mut sweep = tokio::time::interval(SWEEP);
    let mut quiet = Quiet::default();
    let stopped_by = loop {
        tokio::select! {
            _ = sweep.tick() => generation.sweep(),
            () = interruption.cancelled() => break Stopped::FromOutside,
            () = early.cancelled() => break Stopped::ByItself,
        }
        if quiet.for_long(generation.has_nothing_left()) {
            break Stopped::AtTheEnd;
        }
    };
    let ended_at = clock.utc(clock.now());
    let peak_open = generation.play.players.peak_open();
    generation.end(stopped_by).await;
    drop(stop_collecting);
    let (mut closed, watched) = collecting.await.map_err(|error| RunError::Goose(error.to_string()))?;
    let ending = stopped_by.ending(&mut closed);
    let started_at = clock.utc(0);
    Ok(Generated { closed, watched, ending, started_at, ended_at, peak_open, workers: Vec::new() })
}

/// Why the load is no longer generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stopped {
    /// The plan has been carried out.
    AtTheEnd,
    /// Somebody wanted it to end.
    FromOutside,
    /// Going on would tell nothing more.
    ByItself,
}

impl Stopped {
    /// The same with its reason, which the closed book has.
    pub(crate) fn ending(self, closed: &mut Closed) -> Ending {
        match (self, closed.early.take()) {
            (Self::FromOutside, _) => Ending::Interrupted,
            (Self::ByItself, Some(early)) => Ending::Early(early),
            (Self::AtTheEnd | Self::ByItself, _) => Ending::Finished,
        }
    }

    /// The class of the arrivals that the run did not come to.
    const fn class_of_unreached(self) -> &'static str {
        match self {
            Self::ByItself => UNSENT_ENDED_EARLY,
            Self::AtTheEnd | Self::FromOutside => UNSENT_INTERRUPTED,
        }
    }
}

/// Tells a run's messages from those of other runs against the same backend.
pub(crate) fn run_number() -> u32 {
    uuid::Uuid::new_v4().as_fields().0
}

/// Whether it has been quiet long enough for the run to be over.
#[derive(Debug, Default)]
pub(crate) struct Quiet(Option<Instant>);

impl Quiet {
    /// Whether it is quiet now, and has been for a while.
    pub(crate) fn for_long(&mut self, quiet: bool) -> bool {
        if !quiet {
            self.0 = None;
            return false;
        }
        self.0.get_or_insert_with(Instant::now).elapsed() >= LINGER
    }
}

/// What a process needs to generate its part of the load.
pub(crate) struct Setup {
    pub(crate) plan: Arc<Plan>,
    pub(crate) shard: Shard,
    pub(crate) clock: Clock,
    pub(crate) run: u32,
    pub(crate) endpoint: Endpoint,
    pub(crate) credentials: Credentials,
    pub(crate) relay: Option<Arc<Relay>>,
    pub(crate) rest: Option<Rest>,
}

/// One process's part of the load, from its preparation to its end.
pub(crate) struct Generation {
    pub(crate) play: Arc<Play>,
    goose: JoinHandle<Result<GooseMetrics, Box<GooseError>>>,
    /// Tells goose's users to leave.
    stop: CancellationToken,
    pacing: Option<JoinHandle<Vec<Unreached>>>,
    stop_pacing: Arc<AtomicBool>,
    stop_watching: Arc<AtomicBool>,
}

impl Generation {
    /// Prepares everything, goose's users included; returns when all of them are there.
    pub(crate) async fn prepare(setup: Setup) -> Result<Self, RunError> {
        let Setup { plan, shard, clock, run, endpoint, credentials, relay, rest } = setup;
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let play = Arc::new(Play {
            clock,
            players: Arc::new(Players::part(plan.players, shard)),
            recorder: Arc::new(Recorder::new(threads + 2)),
            endpoint,
            credentials,
            messages: Messages::new(run, micros(plan.delivery_timeout), micros(plan.grace)),
            placements: Placements::new(micros(plan.placement_timeout), micros(plan.grace)),
            relay,
            rest,
            plan,
        });
        let stop = CancellationToken::new();
        let groups = Arc::new(AtomicU32::new(0));
        let mut goose = tokio::spawn(attack(Arc::clone(&play), stop.clone(), Arc::clone(&groups)));
        let wanted = play.players.own().div_ceil(play.plan.players_per_goose_user);
        while groups.load(Ordering::Relaxed) < wanted {
            tokio::select! {
                ended = &mut goose => return Err(goose_error(ended)),
                () = tokio::time::sleep(SWEEP) => {}
            }
        }
        let (stop_pacing, stop_watching) = Default::default();
        Ok(Self { play, goose, stop, pacing: None, stop_pacing, stop_watching })
    }

    /// The clock has been started: the plan begins.
    pub(crate) fn begin(&mut self) {
        let play = &self.play;
        let pacer = Pacer {
            plan: Arc::clone(&play.plan),
            clock: play.clock.clone(),
            players: Arc::clone(&play.players),
            recorder: Arc::clone(&play.recorder),
            stop: Arc::clone(&self.stop_pacing),
        };
        self.pacing = Some(tokio::task::spawn_blocking(move || pacer.run()));
        tokio::spawn(make_disruptions(Arc::clone(play), self.stop.clone()));
        let (plan, recorder) = (Arc::clone(&play.plan), Arc::clone(&play.recorder));
        event_loop::knock(plan, play.clock.clone(), recorder, Arc::clone(&self.stop_watching));
    }

    /// What gathers the records of this process; `targets` are the addresses whose queues it looks at.
    pub(crate) fn collector(&self, targets: Targets) -> Collector {
        Collector {
            clock: self.play.clock.clone(),
            players: Arc::clone(&self.play.players),
            recorder: Arc::clone(&self.play.recorder),
            watch: Watch::new(self.play.clock.clone(), targets),
        }
    }

    /// Gives up what is overdue.
    pub(crate) fn sweep(&self) {
        self.play.sweep();
    }

    /// Whether the plan has been carried out and nothing is awaited.
    pub(crate) fn has_nothing_left(&self) -> bool {
        let paced = self.pacing.as_ref().is_some_and(JoinHandle::is_finished);
        paced && self.play.clock.now() >= micros(self.play.plan.end()) && self.play.awaited() == 0
    }

    /// The run is over: everybody leaves.
    pub(crate) async fn end(self, stopped: Stopped) {
        let Play { players, recorder, .. } = &*self.play;
        // No arrival may reach a player that has left already.
        self.stop_pacing.store(true, Ordering::Relaxed);
        players.thinking.wake();
        let unreached = match self.pacing {
            Some(pacing) => pacing.await.unwrap_or_default(),
            None => Vec::new(),
        };
        // Whatever the plan called for is accounted for, in the last second.
        recorder.with(|tally| {
            for Unreached { operation, measured, count } in unreached {
                tally
                    .measures(measured)
                    .operation_mut(operation)
                    .unreached(count, stopped.class_of_unreached());
            }
        });
        // Leaving is no part of the figures.
        self.stop_watching.store(true, Ordering::Relaxed);
        self.play.abandon();
        if let Some(rest) = &self.play.rest {
            rest.stop();
        }
        self.stop.cancel();
        players.stop();
        goose::trigger_killswitch("the run is over");
        match tokio::time::timeout(GOOSE_END, self.goose).await {
            Ok(Ok(Ok(books))) => tracing::info!("goose recorded {} requests", requests(&books)),
            // What was measured is worth more than goose's books.
            Ok(ended) => tracing::warn!("{}; its own books are left out", goose_error(ended)),
            Err(_) => tracing::warn!("goose did not end in time; its own books are left out"),
        }
        self.play.settle_orders();
    }
}

fn requests(books: &GooseMetrics) -> usize {
    books.requests.values().map(|request| request.success_count + request.fail_count).sum()
}

/// Why goose ended when it should not have.
fn goose_error(ended: Result<Result<GooseMetrics, Box<GooseError>>, JoinError>) -> RunError {
    RunError::Goose(match ended {
        Ok(Ok(_)) => "ended before the run".into(),
        Ok(Err(error)) => format!("{error}: {error:?}"),
        Err(error) => error.to_string(),
    })
}
