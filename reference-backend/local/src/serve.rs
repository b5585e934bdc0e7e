//! `serve`: the stack as a command.
//!
//! A library function too, because the load generator runs its embedded backend by starting itself again as a child
//! process with these very arguments.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{io, thread};

use output::Exit;
use reference_backend::function::{Deployment, Layout};
use reference_backend::handlers::AuthMode;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::gateway::front::{self, FrontDoorError, FrontDoorsConfig};
use crate::gateway::iam::{self, IamKeys, IamKeysError};
use crate::lambda::process::ProcessConfig;
use crate::profile::{Profile, ProfileError};
use crate::stack::{LocalStack, StackConfig, StackError};
use crate::storage::{Memory, OpenStorage};

/// Runs the local stack.
///
/// When it is ready, it prints one line of JSON with the URLs of its endpoints on standard output. Logs go to standard
/// error. It stops at Ctrl-C or SIGTERM, after it has closed every socket.
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Example:\n  reference-backend serve --listen 127.0.0.1:0 --profile aws-like --auth token"
)]
pub struct Serve {
    /// Address of the WebSocket front door; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Address of the control plane (management, REST, CloudWatch, identity) [default: the next port].
    #[arg(long, value_name = "ADDR")]
    pub http_listen: Option<SocketAddr>,
    /// Latencies, limits and faults: `instant`, `aws-like` or a TOML file.
    #[arg(long, value_name = "PROFILE", default_value = "instant")]
    pub profile: PathBuf,
    /// Layout of the functions [default: the profile's].
    #[arg(long, value_enum)]
    pub layout: Option<Layout>,
    /// Where functions run: in this process, or as processes with the executables of a deployment.
    #[arg(long, value_enum, default_value_t = LambdaMode::InProcess)]
    pub lambda: LambdaMode,
    /// With `--lambda process`: the executable of all functions, or a directory with one for each.
    #[arg(long, value_name = "PATH", required_if_eq("lambda", "process"))]
    pub lambda_bin: Option<PathBuf>,
    /// With `--lambda process`: an environment variable of the functions; may be given several times.
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    pub lambda_env: Vec<(OsString, OsString)>,
    /// The program that starts the Lambda processes [default: `reference-backend` beside this program].
    #[arg(long, value_name = "PATH", hide = true)]
    pub launcher: Option<PathBuf>,
    /// How players authenticate.
    #[arg(long, value_enum, default_value_t = AuthMode::Header)]
    pub auth: AuthMode,
    /// With `--auth iam`: a TOML file of the access keys that may sign, each line `ID = "SECRET"` [default: the id `local`
    /// with the secret `local`].
    #[arg(long, value_name = "FILE")]
    pub iam_keys: Option<PathBuf>,
    /// Name of the game, the first part of every resource's name.
    #[arg(long, default_value = "reference", value_parser = name)]
    pub game: String,
    /// Stage of the deployment, the second part of every resource's name.
    #[arg(long, default_value = "Development", value_parser = name)]
    pub stage: String,
    /// Seed of the injected faults: the same seed gives the same faults.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Worker threads [default: one per core].
    #[arg(long, value_name = "N")]
    pub workers: Option<NonZeroUsize>,
    /// Number of processes that hold the sockets, each with its own limit of open files [default: this process holds them].
    #[arg(long, value_name = "N")]
    pub front_doors: Option<NonZeroUsize>,
    /// Stop when standard input is closed, for example because the parent process has ended.
    #[arg(long)]
    pub exit_with_parent: bool,
    /// Allow addresses that other machines can reach. There is no access control for the control plane.
    #[arg(long)]
    pub allow_remote: bool,
    /// A host name, other than localhost, that the control plane accepts; may be given several times.
    #[arg(long, value_name = "NAME")]
    pub allow_host: Vec<String>,
}

/// Where functions run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LambdaMode {
    /// In this process: fast, without cold starts of its own.
    InProcess,
    /// As processes behind the Lambda Runtime API, with real cold starts, frozen between events.
    Process,
}

/// Why `serve` failed.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The profile is wrong.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The access keys are wrong.
    #[error(transparent)]
    IamKeys(#[from] IamKeysError),
    /// The access keys would not be used.
    #[error("--iam-keys is used with --auth iam only; add --auth iam, or remove --iam-keys")]
    NoIam,
    /// The stack did not start.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// This is no front door.
    #[error(transparent)]
    FrontDoor(#[from] FrontDoorError),
    /// The system refused something.
    #[error("cannot {action}: {source}")]
    System {
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

impl ServeError {
    /// The exit code: usage for a mistake in what was asked for, failure for one of the machine.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Profile(_)
            | Self::IamKeys(_)
            | Self::NoIam
            | Self::Stack(StackError::Remote(_) | StackError::Gateway(_) | StackError::Processes(_)) => {
                Exit::Usage
            }
            Self::Stack(StackError::Storage(error)) if error.is_mistake() => Exit::Usage,
            _ => Exit::Failure,
        }
    }
}

/// Serves on a runtime of its own, with as many threads as asked for and tables in memory.
///
/// # Errors
/// As [`serve`].
pub fn run(args: Serve) -> Result<(), ServeError> {
    run_with(args, Arc::new(Memory))
}

/// The same with the tables of `storage`.
///
/// # Errors
/// As [`serve`].
pub fn run_with(args: Serve, storage: Arc<dyn OpenStorage>) -> Result<(), ServeError> {
    let workers = args.workers.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build();
    runtime.map_err(system("start the threads that serve"))?.block_on(serve(args, storage))
}

/// Serves on the current runtime, with the tables of `storage`, until Ctrl-C, SIGTERM or, if asked for, the end of standard input.
///
/// # Errors
/// [`ServeError`] if it could not start, or could not print its endpoints.
pub async fn serve(args: Serve, storage: Arc<dyn OpenStorage>) -> Result<(), ServeError> {
    raise_file_limit();
    let mut profile = Profile::load(&args.profile)?;
    if let Some(layout) = args.layout {
        profile.lambda.layout = layout;
        // Reservations add up differently in the other layout.
        profile.check("--layout")?;
    }
    // An embedded stack is started by a program that chose this mode.
    if args.auth == AuthMode::Header && !args.exit_with_parent {
        tracing::warn!(
            "--auth header trusts X-Player-Id without a check; use --auth token to authenticate players"
        );
    }
    let iam_keys = match &args.iam_keys {
        Some(_) if args.auth != AuthMode::Iam => return Err(ServeError::NoIam),
        Some(file) => iam::read_keys(file)?,
        None => IamKeys::new(),
    };
    let mut interrupt = signal(SignalKind::interrupt()).map_err(system("listen for Ctrl-C"))?;
    let mut terminate = signal(SignalKind::terminate()).map_err(system("listen for SIGTERM"))?;
    let processes = match (args.lambda, args.lambda_bin) {
        (LambdaMode::Process, Some(executables)) => Some(ProcessConfig {
            executables,
            launcher: args.launcher.map_or_else(beside, Ok).map_err(system("find its own program"))?,
            environment: args.lambda_env,
        }),
        _ => None,
    };
    let own = || std::env::current_exe().map_err(system("find its own program"));
    let front_doors = match args.front_doors {
        Some(count) => Some(FrontDoorsConfig { count, program: own()? }),
        None => None,
    };
    let stack = LocalStack::start(StackConfig {
        listen: args.listen,
        http_listen: args.http_listen.unwrap_or_else(|| next_port(args.listen)),
        allow_remote: args.allow_remote,
        allow_hosts: args.allow_host,
        profile,
        auth: args.auth,
        iam_keys,
        deployment: Deployment { game: args.game, stage: args.stage },
        seed: args.seed,
        processes,
        front_doors,
        storage,
    })
    .await?;
    announce(&stack)?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = end_of_input(), if args.exit_with_parent => {}
    }
    stack.shutdown().await;
    Ok(())
}

/// Runs a front door, which only `serve --front-doors` starts.
///
/// # Errors
/// [`ServeError::FrontDoor`] if something else started it, or the stack's messages cannot be read.
pub fn front_door() -> Result<(), ServeError> {
    raise_file_limit();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(system("start a front door"))?;
    let outcome = runtime.block_on(front::open());
    // The stack has ended, or its grace period is over.
    runtime.shutdown_background();
    Ok(outcome?)
}

/// Prints the JSON Schema of profile files.
///
/// # Errors
/// [`ServeError::System`] if it cannot be written.
pub fn print_schema() -> Result<(), ServeError> {
    print(&format!("{:#}", Profile::json_schema()))
}

/// Validates a profile and prints the result.
///
/// # Errors
/// [`ServeError::Profile`] if it is not valid.
pub fn check_profile(file: &Path) -> Result<(), ServeError> {
    Profile::load(file)?;
    print(&format!("{} is a profile", file.display()))
}

/// Prints the endpoints of the stack.
fn announce(stack: &LocalStack) -> Result<(), ServeError> {
    let endpoints = serde_json::to_string(stack.endpoints()).map_err(io::Error::from);
    print(&endpoints.map_err(system("write its endpoints"))?)
}

fn print(line: &str) -> Result<(), ServeError> {
    output::print(&format!("{line}\n")).map_err(system("write to standard output"))
}

/// Reads on a thread of its own, because a blocked read on a thread of the runtime would delay the end of the process.
async fn end_of_input() {
    let (ended, end) = oneshot::channel();
    thread::spawn(move || {
        // An input that cannot be read counts as closed. If the stack has stopped, there is no receiver.
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        let _ = ended.send(());
    });
    let _ = end.await;
}

/// The launcher that is installed beside this program, which may be the load generator.
fn beside() -> io::Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name("reference-backend"))
}

fn next_port(listen: SocketAddr) -> SocketAddr {
    let port = if listen.port() == 0 { 0 } else { listen.port().checked_add(1).unwrap_or(0) };
    SocketAddr::new(listen.ip(), port)
}

/// Every socket is a file descriptor, and the usual soft limit is 1,024.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::warn!(%error, "cannot raise the limit of open files; the number of sockets is limited");
    }
}

fn system(action: &'static str) -> impl Fn(io::Error) -> ServeError {
    move |source| ServeError::System { action, source }
}

fn variable(text: &str) -> Result<(OsString, OsString), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.into(), value.into())),
        _ => Err("give NAME=VALUE".into()),
    }
}

/// Names end up in URLs and ARNs.
fn name(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if (1..=64).contains(&text.len()) && text.chars().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("use 1 to 64 letters, digits, `-` and `_`".into())
    }
}
