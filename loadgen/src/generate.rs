//! Generating the load: starts every part of a run, waits for the end of the plan or an interruption, ends every part.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use goose::GooseError;
use goose::metrics::GooseMetrics;
use jiff::Timestamp;
use reports::folder::RunWriter;
use scenarios::Plan;
use scenarios::threshold::Kind;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use crate::attack::attack;
use crate::auth::Credentials;
use crate::clock::{Clock, micros};
use crate::collector::{Collected, Collector};
use crate::delivery::{Messages, Placements};
use crate::pacing::Pacer;
use crate::player::{Endpoint, Play, Players};
use crate::progress::Progress;
use crate::record::Recorder;
use crate::run::RunError;

/// Between the last preparation and the first arrival.
const LEAD: Duration = Duration::from_millis(200);
/// How often overdue answers and pushes are looked for.
const SWEEP: Duration = Duration::from_millis(20);
/// After everything awaited has come: time for a second copy of a push to show itself, and for the last second of
/// the run to be over before the players leave.
const LINGER: Duration = Duration::from_secs(1);
/// How long goose may take to end after its users have left.
const GOOSE_END: Duration = Duration::from_secs(15);

/// What was measured.
pub(crate) struct Generated {
    pub(crate) collected: Collected,
    pub(crate) interrupted: bool,
    pub(crate) started_at: Timestamp,
    pub(crate) ended_at: Timestamp,
    pub(crate) peak_open: u64,
}

/// Generates the load: starts every part, waits for the end of the plan or for an interruption, ends every part.
pub(crate) async fn generate(
    plan: &Arc<Plan>,
    endpoint: Endpoint,
    credentials: Credentials,
    writer: RunWriter,
    progress: Progress,
) -> Result<Generated, RunError> {
    let clock = Clock::default();
    let players = Arc::new(Players::new(plan.players));
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let recorder = Arc::new(Recorder::new(threads + 2));
    let run = uuid::Uuid::new_v4().as_fields().0;
    let play = Arc::new(Play {
        plan: Arc::clone(plan),
        clock: clock.clone(),
        players: Arc::clone(&players),
        recorder: Arc::clone(&recorder),
        endpoint,
        credentials,
        messages: Messages::new(run, micros(plan.delivery_timeout)),
        placements: Placements::new(micros(plan.placement_timeout)),
    });

    let stop = CancellationToken::new();
    let groups = Arc::new(AtomicU32::new(0));
    let mut goose = tokio::spawn(attack(Arc::clone(&play), stop.clone(), Arc::clone(&groups)));
    while groups.load(Ordering::Relaxed) < plan.players.div_ceil(plan.players_per_goose_user) {
        tokio::select! {
            ended = &mut goose => return Err(goose_error(ended)),
            () = tokio::time::sleep(SWEEP) => {}
        }
    }
    // After goose has installed its own handler, so that both hear of it.
    let mut interruption = Interruption::listen()?;

    clock.start_in(LEAD);
    let stop_pacing = Arc::new(AtomicBool::new(false));
    let pacer = Pacer {
        plan: Arc::clone(plan),
        clock: clock.clone(),
        players: Arc::clone(&players),
        recorder: Arc::clone(&recorder),
        stop: Arc::clone(&stop_pacing),
    };
    let mut pacing = tokio::task::spawn_blocking(move || pacer.run());
    let (stop_collecting, stopped) = mpsc::channel();
    let collector = Collector {
        plan: Arc::clone(plan),
        clock: clock.clone(),
        players: Arc::clone(&players),
        recorder,
        writer,
        progress,
    };
    let collecting = tokio::task::spawn_blocking(move || collector.run(&stopped));

    let mut sweep = tokio::time::interval(SWEEP);
    let mut paced = false;
    let mut quiet_since = None;
    let interrupted = loop {
        tokio::select! {
            _ = sweep.tick() => play.sweep(),
            _ = &mut pacing, if !paced => paced = true,
            () = interruption.heard() => break true,
        }
        if paced && clock.now() >= micros(plan.end()) && play.awaited() == 0 {
            let since = *quiet_since.get_or_insert_with(Instant::now);
            if since.elapsed() >= LINGER {
                break false;
            }
        } else {
            quiet_since = None;
        }
    };
    let ended_at = clock.utc(clock.now());
    let peak_open = players.peak_open();
    stop_pacing.store(true, Ordering::Relaxed);
    play.abandon();
    stop.cancel();
    players.stop();
    if !paced {
        // The thread looks at its stop flag at least every 50 ms.
        let _ = pacing.await;
        players.stop();
    }
    goose::trigger_killswitch("the run is over");
    match tokio::time::timeout(GOOSE_END, goose).await {
        Ok(Ok(Ok(books))) => tracing::info!("goose recorded {} requests", requests(&books)),
        // What was measured is worth more than goose's books.
        Ok(ended) => tracing::warn!("{}; its own books are left out", goose_error(ended)),
        Err(_) => tracing::warn!("goose did not end in time; its own books are left out"),
    }
    drop(stop_collecting);
    let collected = collecting.await.map_err(|error| RunError::Goose(error.to_string()))?;
    Ok(Generated { collected, interrupted, started_at: clock.utc(0), ended_at, peak_open })
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

impl Play {
    /// What is still awaited: answers and pushes.
    fn awaited(&self) -> u64 {
        self.players.awaited() + self.messages.outstanding() + self.placements.outstanding()
    }

    /// Gives up what is overdue.
    fn sweep(&self) {
        let now = self.clock.now();
        self.players.wake_overdue(now);
        let messages = self.messages.expire(now);
        let (placements, unexpected) = self.placements.expire(now);
        for (kind, lost) in [(Kind::Message, messages), (Kind::Placement, placements)] {
            if lost != Default::default() {
                self.recorder.with(|tally| {
                    tally.measures(true).delivery_mut(kind).lost += lost.measured;
                    tally.measures(false).delivery_mut(kind).lost += lost.warm_up;
                });
            }
        }
        if unexpected > 0 {
            self.recorder
                .with(|tally| tally.measures(true).delivery_mut(Kind::Placement).unexpected += unexpected);
        }
    }

    /// The run is over: what is still awaited is called off, since nobody will hear it.
    fn abandon(&self) {
        let off = [
            (Kind::Message, self.messages.expire(u64::MAX)),
            (Kind::Placement, self.placements.expire(u64::MAX).0),
        ];
        for (kind, open) in off {
            self.recorder.with(|tally| {
                tally.measures(true).delivery_mut(kind).withdrawn += open.measured;
                tally.measures(false).delivery_mut(kind).withdrawn += open.warm_up;
            });
        }
    }
}

/// Ctrl-C and SIGTERM.
struct Interruption {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Interruption {
    fn listen() -> Result<Self, RunError> {
        use tokio::signal::unix::{SignalKind, signal};
        let wrong = |error: std::io::Error| RunError::Goose(format!("signals cannot be heard: {error}"));
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).map_err(wrong)?,
            terminate: signal(SignalKind::terminate()).map_err(wrong)?,
        })
    }

    async fn heard(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
