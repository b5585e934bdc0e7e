//! The main job, from the scenario file to the report.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use reports::folder::{
    self, FolderError, RunWriter, discard_unused, read_manifest, save_input, save_manifest,
};
use reports::format::{Correlation, Manifest, Phase, Run, RunState, SCHEMA_VERSION, Status, Summary};
use reports::html::ReportError;
use scenarios::plan::Target;
use scenarios::scenario::AuthMode;
use scenarios::shard::Shard;
use scenarios::{Checked, Content, Input, Mistakes, Override, Plan, Source, redact};

use crate::auth::{AuthError, Credentials};
use crate::checked;
use crate::clock::Clock;
use crate::cloudwatch::{self, Window};
use crate::embedded::{EMBEDDED, Embedded, EmbeddedError};
use crate::exit::Exit;
use crate::generate::error::GenerateError;
use crate::generate::generation::{Setup, run_number};
use crate::generate::signals::outlive_the_terminal;
use crate::health::machine;
use crate::live::{Live, LiveError, Watchers};
use crate::player::{Endpoint, EndpointError, Rest};
use crate::run_log::Finished;
use crate::verdict::summary::summarize;
use crate::verdict::totals::Totals;
use crate::workers::coordinator::{self, Generated, Load, Split};
use crate::workers::split::{MachineError, Workers, make_room_for};

/// What the command line asks for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The scenario, as [`scenarios::Source::read`] takes it.
    pub scenario: PathBuf,
    /// Overrides, `--target`, `--players` and `--seed` among them.
    pub overrides: Vec<Override>,
    /// Over how many processes the players are split; left out: this one.
    pub workers: Option<Workers>,
    /// The run folder; left out: `runs/ID`.
    pub out: Option<PathBuf>,
    /// Who watches meanwhile.
    pub watchers: Watchers,
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
    /// A window on the run cannot be opened.
    #[error("{0}")]
    Live(#[from] LiveError),
    /// There are no tokens.
    #[error("{0}")]
    Auth(#[from] AuthError),
    /// The run folder cannot be written or read.
    #[error("{0}")]
    Folder(#[from] FolderError),
    /// The run came to its end, and not all of it could be written. What could not be kept is at least shown.
    #[error("{error}")]
    NotKept {
        /// What could not be written, and why.
        error: FolderError,
        /// What came of the run.
        summary: Box<Summary>,
    },
    /// The report cannot be made.
    #[error("{0}")]
    Report(#[from] ReportError),
    /// The load could not be generated.
    #[error("{0}")]
    Generate(#[from] GenerateError),
}

impl RunError {
    /// The exit code that the error stands for.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Scenario(_)
            | Self::Machine(_)
            | Self::Live(_)
            | Self::Folder(FolderError::NotEmpty { .. }) => Exit::Usage,
            Self::Generate(GenerateError::Interrupted) => Exit::Interrupted,
            _ => Exit::Failure,
        }
    }
}

/// A run that came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// What it is worth.
    pub exit: Exit,
    /// Its folder.
    pub dir: PathBuf,
}

/// Runs a scenario and leaves a run folder with a report.
///
/// # Errors
/// [`RunError`]; results so far are in the run folder.
pub async fn run(request: Request) -> Result<Ran, RunError> {
    outlive_the_terminal()?;
    let source = Source::read(&request.scenario)?;
    let Checked { plan, as_run, inputs, .. } = checked::check(&source, &request.overrides)?;
    let workers = make_room_for(plan.players, request.workers)?;
    let identity = identity(&plan);
    let dir = folder_of(request.out.as_deref(), &identity);
    let mut manifest = manifest(&plan, &identity, &request.command);
    let live = Live::open(&request.watchers, &identity, plan.end()).await?;
    let writer = RunWriter::create(&dir, &manifest, &as_run)?;
    if let Err(error) = keep_inputs(&dir, &inputs) {
        // Nothing is lost: nothing was measured.
        let _ = discard_unused(&dir);
        return Err(error.into());
    }

    let Source { name: file, text } = source;
    let job = Job { plan: Arc::new(plan), file, text, overrides: request.overrides, workers };
    let summary = match job.carry_out(writer, live, &mut manifest).await {
        Ok(done) => done,
        Err(error) => {
            if discard_unused(&dir) {
                return Err(error);
            }
            let interrupted = error.exit() == Exit::Interrupted;
            manifest.state = if interrupted { RunState::Interrupted } else { RunState::Failed };
            // Where the plan had begun, the folder knows when.
            if let Ok(begun) = read_manifest(&dir) {
                manifest.run.started_at = begun.run.started_at;
                manifest.run.ended_at = manifest.run.ended_at.max(begun.run.ended_at);
            }
            // The first error is the one to tell, whether or not this can be written.
            let _ = save_manifest(&dir, &manifest);
            return Err(error);
        }
    };
    reports::write_report(&dir)?;
    let status = summary.status();
    if status == Status::NothingConnected && !request.watchers.quiet {
        let why = reports::verdict::connect_failures(&summary);
        tracing::error!("no player could connect: {why}; samples are in errors.jsonl");
    }
    Ok(Ran { exit: status.into(), dir })
}

/// Keeps the files that the scenario names, so that it can run again from the folder.
fn keep_inputs(dir: &Path, inputs: &[Input]) -> Result<(), FolderError> {
    for Input { name, content } in inputs {
        match content {
            Content::Text(text) => save_input(dir, name, text.as_bytes())?,
            Content::File(path) => {
                let bytes = std::fs::read(path).map_err(|source| FolderError::Io {
                    action: "read",
                    path: path.clone(),
                    source,
                })?;
                save_input(dir, name, &bytes)?;
            }
        }
    }
    Ok(())
}

/// What a run would do that does everything but that.
#[derive(Debug, Clone)]
pub struct Dry {
    /// The plan.
    pub plan: Plan,
    /// Processes over which the players would be split.
    pub workers: u32,
    /// Its folder.
    pub dir: PathBuf,
}

/// Checks everything that can be checked without sending or writing anything.
///
/// # Errors
/// As [`run`], before anything was sent.
pub fn rehearse(request: &Request) -> Result<Dry, RunError> {
    let Checked { plan, .. } = checked::load(&request.scenario, &request.overrides)?;
    let workers = make_room_for(plan.players, request.workers)?;
    let dir = folder_of(request.out.as_deref(), &identity(&plan));
    folder::is_free(&dir)?;
    if let Some(address) = request.watchers.prometheus {
        // Free again at once.
        TcpListener::bind(address).map_err(|source| LiveError::Listen { address, source })?;
    }
    Ok(Dry { plan, workers, dir })
}

fn folder_of(out: Option<&Path>, run: &Run) -> PathBuf {
    out.map_or_else(|| Path::new("runs").join(&run.id), Path::to_path_buf)
}

/// A checked plan, and what it was made of.
struct Job {
    plan: Arc<Plan>,
    file: String,
    text: String,
    overrides: Vec<Override>,
    workers: u32,
}

impl Job {
    /// Carries the plan out and keeps what was measured.
    async fn carry_out(
        self,
        writer: RunWriter,
        live: Live,
        manifest: &mut Manifest,
    ) -> Result<Summary, RunError> {
        let Self { plan, file, text, overrides, workers } = self;
        let embedded = match &plan.target {
            Target::Embedded { profile } => {
                Some(Embedded::start(profile, auth_of_backend(&plan), plan.seed, plan.players).await?)
            }
            Target::Url(_) => None,
        };
        let url = match (&plan.target, &embedded) {
            (Target::Url(url), _) => url.clone(),
            (Target::Embedded { .. }, embedded) => {
                embedded.as_ref().ok_or(EmbeddedError::NotReady)?.endpoints.websocket.clone()
            }
        };
        let issuer = embedded.as_ref().map(|embedded| &embedded.endpoints.identity);
        let endpoint = Endpoint::prepare(&url, &plan.way, &plan.source_addresses, plan.players).await?;
        let rest = plan.poll.as_ref().and_then(|poll| {
            let embedded = embedded.as_ref().map(|embedded| &embedded.endpoints.rest);
            Some((poll.rest.as_ref().or(embedded)?.clone(), poll.every))
        });
        let load = if workers == 1 {
            let credentials = Credentials::prepare(&plan, Shard::WHOLE, issuer).await?;
            let rest = rest.map(|(rest, every)| Rest::new(&rest, every, &plan.way)).transpose()?;
            Load::InProcess(Box::new(Setup {
                plan: Arc::clone(&plan),
                shard: Shard::WHOLE,
                clock: Clock::default(),
                run: run_number(),
                endpoint,
                credentials,
                relay: None,
                rest,
            }))
        } else {
            let targets = endpoint.targets();
            let (issuer, rest) = (issuer.cloned(), rest.map(|(rest, _)| rest));
            Load::Split(Split { file, text, overrides, workers, targets, issuer, rest, url })
        };
        let Generated { finished, watched, ending, started_at, ended_at, peak_open, workers } =
            coordinator::generate(&plan, load, writer, live).await?;
        let Finished { total, mut writer, write_error, live, answered_s, .. } = finished;
        live.close().await;
        let mut kept = write_error.map_or(Ok(()), Err);

        manifest.run = Run { started_at, ended_at, ..manifest.run.clone() };
        let summary =
            Summary { schema_version: SCHEMA_VERSION, run: manifest.run.clone(), ..Summary::default() };
        let mut summary = summarize(
            &plan,
            summary,
            &Totals { tally: &total, peak_open, watched: &watched, workers: &workers, ending: &ending },
        );
        if let Some(wanted) = &plan.cloudwatch {
            let endpoint =
                wanted.endpoint.as_ref().or(embedded.as_ref().map(|embedded| &embedded.endpoints.cloudwatch));
            let window = Window { start: started_at, end: ended_at, answered_s };
            let fetched = cloudwatch::fetch(wanted, endpoint, window).await;
            fetched.problems.iter().for_each(|problem| tracing::warn!("CloudWatch: {problem}"));
            summary.correlation = Some(Correlation { functions: reports::server::functions(&fetched) });
            kept = kept.and(writer.cloudwatch(&fetched));
        }
        if let Some(embedded) = embedded {
            embedded.stop().await;
        }

        manifest.state = ending.state();
        // Each is tried, whatever became of the others.
        let (judged, finished) = (writer.summary(&summary), writer.finish(manifest));
        drop(writer);
        if let Err(error) = kept.and(judged).and(finished) {
            return Err(RunError::NotKept { error, summary: Box::new(summary) });
        }
        Ok(summary)
    }
}

/// The auth mode that the embedded backend must have for the plan's players.
const fn auth_of_backend(plan: &Plan) -> &'static str {
    match plan.auth.mode {
        AuthMode::Token => "token",
        // Signed handshakes are refused for the embedded backend when the scenario is checked.
        AuthMode::Header | AuthMode::None | AuthMode::SigV4 => "header",
    }
}

pub(crate) fn identity(plan: &Plan) -> Run {
    let now = Timestamp::now();
    let unique = uuid::Uuid::new_v4().simple().to_string();
    Run {
        id: format!("{}-{}-{}", plan.name, now.strftime("%Y%m%dT%H%M%SZ"), &unique[..6]),
        name: plan.name.clone(),
        started_at: now,
        ended_at: now,
        target: match &plan.target {
            Target::Embedded { .. } => EMBEDDED.into(),
            Target::Url(url) => redact::address(url),
        },
        seed: plan.seed,
        version: env!("CARGO_PKG_VERSION").into(),
    }
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
        state: RunState::Running,
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
