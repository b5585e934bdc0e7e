//! The main job, from the scenario file to the report.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use goose::GooseError;
use goose::metrics::GooseMetrics;
use jiff::Timestamp;
use reports::folder::{FolderError, RunFolder, RunWriter};
use reports::format::{Correlation, Manifest, Phase, Run, SCHEMA_VERSION, Summary};
use reports::html::ReportError;
use scenarios::plan::Target;
use scenarios::scenario::AuthMode;
use scenarios::threshold::Kind;
use scenarios::{Checked, Mistakes, Override, Plan};
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use crate::attack::attack;
use crate::auth::{AuthError, Credentials};
use crate::clock::{Clock, micros};
use crate::cloudwatch::{self, Window};
use crate::collector::{Collected, Collector};
use crate::delivery::{Messages, Placements};
use crate::embedded::{Embedded, EmbeddedError};
use crate::exit::Exit;
use crate::machine::{self, MachineError};
use crate::pacing::Pacer;
use crate::player::{Endpoint, EndpointError, Play, Players};
use crate::progress::Progress;
use crate::record::Recorder;
use crate::verdict;

/// Between the last preparation and the first arrival.
const LEAD: Duration = Duration::from_millis(200);
/// How often overdue answers and pushes are looked for.
const SWEEP: Duration = Duration::from_millis(20);
/// After everything awaited has come: time for a second copy of a push to show itself, and for the last second of
/// the run to be over before the players leave.
const LINGER: Duration = Duration::from_secs(1);
/// How long goose may take to end after its users have left.
const GOOSE_END: Duration = Duration::from_secs(15);

/// What the command line asks for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The scenario file.
    pub scenario: PathBuf,
    /// Overrides, `--target` and `--seed` among them.
    pub overrides: Vec<Override>,
    /// The run folder; left out: `runs/ID`.
    pub out: Option<PathBuf>,
    /// No progress, no summary.
    pub quiet: bool,
    /// The command line, for the manifest.
    pub command: Vec<String>,
}

/// Why a run did not happen, or could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The scenario is wrong.
    #[error("{0}")]
    Scenario(#[from] Mistakes),
    /// The machine cannot hold the plan.
    #[error("{0}")]
    Machine(#[from] MachineError),
    /// The embedded backend did not start.
    #[error("{0}")]
    Embedded(#[from] EmbeddedError),
    /// The target cannot be tried.
    #[error("{0}")]
    Endpoint(#[from] EndpointError),
    /// There are no tokens.
    #[error("{0}")]
    Auth(#[from] AuthError),
    /// The run folder cannot be written or read.
    #[error("{0}")]
    Folder(#[from] FolderError),
    /// The report cannot be made.
    #[error("{0}")]
    Report(#[from] ReportError),
    /// goose refused to start, or broke.
    #[error("goose: {0}")]
    Goose(String),
}

impl RunError {
    /// The exit code that the error stands for.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Scenario(_) | Self::Machine(_) | Self::Folder(FolderError::NotEmpty { .. }) => Exit::Usage,
            _ => Exit::Failure,
        }
    }
}

/// Runs a scenario and leaves a run folder with a report.
///
/// # Errors
/// [`RunError`]; results so far are in the run folder.
pub async fn run(request: Request) -> Result<Exit, RunError> {
    let Checked { plan, as_run, .. } = scenarios::load(&request.scenario, &request.overrides)?;
    machine::make_room_for(plan.players)?;
    let plan = Arc::new(plan);
    let identity = identity(&plan);
    let dir = request.out.clone().unwrap_or_else(|| Path::new("runs").join(&identity.id));
    let mut manifest = manifest(&plan, &identity, &request.command);
    let writer = RunWriter::create(&dir, &manifest, &as_run)?;

    let embedded = match &plan.target {
        Target::Embedded { profile } => {
            Some(Embedded::start(profile, auth_of_backend(&plan), plan.seed).await?)
        }
        Target::Url(_) => None,
    };
    let url = match (&plan.target, &embedded) {
        (Target::Url(url), _) => url.clone(),
        (Target::Embedded { .. }, embedded) => {
            embedded.as_ref().ok_or(EmbeddedError::NotReady)?.endpoints.websocket.clone()
        }
    };
    let issuer = plan.auth.issuer.as_ref().or(embedded.as_ref().map(|embedded| &embedded.endpoints.identity));
    let credentials = Credentials::prepare(&plan, issuer).await?;
    let endpoint = Endpoint::prepare(&url, &plan.source_addresses, plan.players).await?;

    let progress = Progress::new(plan.end(), request.quiet);
    let generated = generate(&plan, endpoint, credentials, writer, progress).await?;
    let Generated { collected, interrupted, started_at, ended_at, peak_open } = generated;
    let Collected { total, mut writer, write_error } = collected;
    let mut kept = write_error.map_or(Ok(()), Err);

    let identity = Run { started_at, ended_at, ..identity };
    let summary = Summary { schema_version: SCHEMA_VERSION, run: identity.clone(), ..Summary::default() };
    let mut summary = verdict::judge(&plan, summary, &total, peak_open, machine::usage());
    if let Some(wanted) = &plan.cloudwatch {
        let endpoint =
            wanted.endpoint.as_ref().or(embedded.as_ref().map(|embedded| &embedded.endpoints.cloudwatch));
        let fetched = cloudwatch::fetch(wanted, endpoint, Window { start: started_at, end: ended_at }).await;
        fetched.problems.iter().for_each(|problem| tracing::warn!("CloudWatch: {problem}"));
        summary.correlation = Some(Correlation { functions: reports::server::functions(&fetched) });
        kept = kept.and(writer.cloudwatch(&fetched));
    }
    if let Some(embedded) = embedded {
        embedded.stop().await;
    }

    manifest.run = identity;
    manifest.state = if interrupted { "interrupted" } else { "finished" }.into();
    // Each is tried, whatever became of the others.
    let (judged, finished) = (writer.summary(&summary), writer.finish(&manifest));
    drop(writer);
    if let Err(error) = kept.and(judged).and(finished) {
        // What could not be kept is at least shown.
        if let Ok(json) = serde_json::to_string_pretty(&summary) {
            println!("{json}");
        }
        return Err(error.into());
    }
    reports::write_report(&dir)?;
    if !request.quiet {
        print!("{}", reports::text::summary(&RunFolder::read(&dir)?));
    }
    Ok(if interrupted { Exit::Interrupted } else { verdict::exit(&summary) })
}

/// The auth mode that the embedded backend must have for the plan's players.
const fn auth_of_backend(plan: &Plan) -> &'static str {
    match plan.auth.mode {
        AuthMode::Token => "token",
        AuthMode::Header | AuthMode::None => "header",
    }
}

fn identity(plan: &Plan) -> Run {
    let now = Timestamp::now();
    let unique = uuid::Uuid::new_v4().simple().to_string();
    Run {
        id: format!("{}-{}-{}", plan.name, now.strftime("%Y%m%dT%H%M%SZ"), &unique[..6]),
        name: plan.name.clone(),
        started_at: now,
        ended_at: now,
        target: match &plan.target {
            Target::Embedded { .. } => "embedded".into(),
            Target::Url(url) => format!("{}://{}{}", url.scheme(), host_and_port(url), url.path()),
        },
        seed: plan.seed,
        version: env!("CARGO_PKG_VERSION").into(),
    }
}

fn host_and_port(url: &url::Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn manifest(plan: &Plan, run: &Run, command: &[String]) -> Manifest {
    let phase = |stretch: &scenarios::plan::Stretch| Phase {
        name: stretch.name.clone(),
        start_s: stretch.start.as_secs_f64(),
        end_s: stretch.end.as_secs_f64(),
        measured: stretch.measured,
    };
    Manifest {
        schema_version: SCHEMA_VERSION,
        run: run.clone(),
        state: "running".into(),
        command: command.to_vec(),
        plan: scenarios::explain::sentences(plan),
        phases: plan.stretches.iter().map(phase).collect(),
        players: u64::from(plan.players),
        host: machine::host(),
        commit: commit(),
    }
}

/// Commit of the working directory, where it is a git checkout.
fn commit() -> Option<String> {
    let output = std::process::Command::new("git").args(["rev-parse", "HEAD"]).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// What was measured.
struct Generated {
    collected: Collected,
    interrupted: bool,
    started_at: Timestamp,
    ended_at: Timestamp,
    peak_open: u64,
}

/// Generates the load: starts every part, waits for the end of the plan or for an interruption, ends every part.
async fn generate(
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
        Ok(ended) => return Err(goose_error(ended)),
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
