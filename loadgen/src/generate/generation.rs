//! One process's part of the load: prepares the players, starts every part, ends every part.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use goose::GooseError;
use goose::metrics::GooseMetrics;
use scenarios::Plan;
use scenarios::plan::SWEEP;
use scenarios::plan::shard::Shard;
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;

use super::collector::Collector;
use super::error::{GenerateError, GooseProblem};
use super::goose_users::attack;
use super::pacer::Pacer;
use super::stage::StopReason;
use crate::auth::Credentials;
use crate::clock::{Clock, micros};
use crate::delivery::Deliveries;
use crate::delivery::relay::Relay;
use crate::health::event_loop;
use crate::health::watch::Watch;
use crate::player::{Endpoint, Play, Players, Rest, Tap, Targets, expiry, make_disruptions, settle_commands};
use crate::record::Event;
use crate::schedule::Unreached;

/// How long goose may take to end after its users have left.
const GOOSE_END: Duration = Duration::from_secs(15);

/// Distinguishes a run's messages from those of other runs against the same backend.
pub(crate) fn run_number() -> u32 {
    uuid::Uuid::new_v4().as_fields().0
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
    /// Who looks on, if somebody does.
    pub(crate) tap: Option<Arc<dyn Tap>>,
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
    pub(crate) async fn prepare(setup: Setup) -> Result<Self, GenerateError> {
        let Setup { plan, shard, clock, run, endpoint, credentials, relay, rest, tap } = setup;
        let players = Players::of_shard(plan.players, shard);
        let deliveries = Deliveries::new(&plan, run, relay);
        let play = Play::new(plan, clock, players, endpoint, credentials, deliveries, rest);
        let play = Arc::new(play.seen_by(tap));
        let stop = CancellationToken::new();
        let groups = Arc::new(AtomicU32::new(0));
        let mut goose = tokio::spawn(attack(Arc::clone(&play), stop.clone(), Arc::clone(&groups)));
        let wanted = play.players.own().div_ceil(play.plan.players_per_goose_user);
        while groups.load(Ordering::Relaxed) < wanted {
            tokio::select! {
                ended = &mut goose => return Err(GenerateError::Goose(goose_problem(ended))),
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
            think_time: Arc::clone(&play.think_time),
            observer: play.observer.clone(),
            stop: Arc::clone(&self.stop_pacing),
        };
        self.pacing = Some(tokio::task::spawn_blocking(move || pacer.run()));
        tokio::spawn(make_disruptions(Arc::clone(play), self.stop.clone()));
        let (plan, observer) = (Arc::clone(&play.plan), play.observer.clone());
        event_loop::measure_lag(plan, play.clock.clone(), observer, Arc::clone(&self.stop_watching));
    }

    /// What collects the records of this process; `targets` are the addresses whose queues it looks at.
    pub(crate) fn collector(&self, targets: Targets) -> Collector {
        Collector {
            clock: self.play.clock.clone(),
            players: Arc::clone(&self.play.players),
            recorder: Arc::clone(self.play.observer.recorder()),
            watch: Watch::new(self.play.clock.clone(), targets),
        }
    }

    /// Gives up what is overdue.
    pub(crate) fn sweep(&self) {
        expiry::sweep(&self.play);
    }

    /// Whether the plan has been carried out and nothing is awaited.
    pub(crate) fn has_nothing_left(&self) -> bool {
        let paced = self.pacing.as_ref().is_some_and(JoinHandle::is_finished);
        paced && self.play.clock.now() >= micros(self.play.plan.end()) && expiry::awaited(&self.play) == 0
    }

    /// The run is over: everybody leaves.
    pub(crate) async fn end(self, reason: StopReason) {
        let Play { players, observer, think_time, .. } = &*self.play;
        // No arrival may reach a player that has left already.
        self.stop_pacing.store(true, Ordering::Relaxed);
        think_time.queue.wake();
        let unreached = match self.pacing {
            Some(pacing) => pacing.await.unwrap_or_default(),
            None => Vec::new(),
        };
        // Whatever the plan called for is accounted for, in the last second.
        for Unreached { operation, measured: ledger, count } in unreached {
            let class = reason.class_of_unreached();
            observer.observe(Event::Unreached { operation, ledger, count, class });
        }
        // Leaving is no part of the figures.
        self.stop_watching.store(true, Ordering::Relaxed);
        expiry::abandon(&self.play);
        if let Some(rest) = &self.play.rest {
            rest.stop();
        }
        self.stop.cancel();
        players.stop();
        goose::trigger_killswitch("the run is over");
        match tokio::time::timeout(GOOSE_END, self.goose).await {
            Ok(Ok(Ok(metrics))) => tracing::info!("goose recorded {} requests", requests(&metrics)),
            // The run's own figures do not depend on goose's.
            Ok(ended) => tracing::warn!("goose {}; its own metrics are left out", goose_problem(ended)),
            Err(_) => tracing::warn!("goose did not end in time; its own metrics are left out"),
        }
        settle_commands(&self.play);
    }
}

fn requests(metrics: &GooseMetrics) -> usize {
    metrics.requests.values().map(|request| request.success_count + request.fail_count).sum()
}

/// Why goose ended when it should not have.
fn goose_problem(ended: Result<Result<GooseMetrics, Box<GooseError>>, JoinError>) -> GooseProblem {
    match ended {
        Ok(Ok(_)) => GooseProblem::Ended,
        Ok(Err(error)) => GooseProblem::Failed(error),
        Err(error) => GooseProblem::Panicked(error),
    }
}
