//! Environments as processes that run the executables of a deployment, as on AWS.
//!
//! Each environment is a child behind a [Runtime API](runtime_api) of its own. It is started by a launcher, so that it
//! cannot outlive the stack ([`spawner`]); between events its whole process group is stopped, as AWS freezes an idle
//! environment, so that no background work continues between events. There is no Extensions API: an
//! environment ends by SIGKILL, as on AWS for functions without extensions.
#![allow(clippy::disallowed_methods, reason = "a function is given this process's standard error itself")]

mod executables;
mod report;
mod runtime_api;
pub mod spawner;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;
use std::{io, process};

use async_trait::async_trait;
use bytes::Bytes;
use reference_backend::variables;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use uuid::Uuid;

use self::executables::Executables;
pub use self::executables::MissingExecutable;
use self::report::Report;
use self::runtime_api::{Failure, NextInvocation, RuntimeApi, RuntimeCall};
use self::spawner::Spawner;
use super::environment::{Call, Environment, Home, Lambda};
use super::{InvokeError, Layout};
use crate::account::{ACCOUNT_ID, REGION};

/// Time-out of the Init phase.
const INIT_LIMIT: Duration = Duration::from_secs(10);
/// Environment variables that a process inherits from the stack.
const INHERITED: [&str; 4] = ["PATH", "LANG", "RUST_LOG", "RUST_BACKTRACE"];

/// The configuration of processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessConfig {
    /// One executable for every function, or a directory with one for each.
    pub executables: PathBuf,
    /// The program with the subcommand `environment`, which starts an executable that ends with its parent.
    pub launcher: PathBuf,
    /// Environment variables of the functions, besides those of the Lambda service.
    pub environment: Vec<(OsString, OsString)>,
}

/// Why processes cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// A function has no executable.
    #[error(transparent)]
    Missing(#[from] MissingExecutable),
    /// There is no launcher, so they could outlive the stack.
    #[error("{}, which starts Lambda processes, is not a program; install reference-backend beside this one, or give --launcher", .0.display())]
    Launcher(PathBuf),
    /// The thread that starts them could not be created.
    #[error("cannot start the thread that starts Lambda processes: {0}; the machine has too many already")]
    Thread(#[from] io::Error),
}

/// Creates environments that are processes.
pub struct Processes(Arc<Shared>);

struct Shared {
    config: ProcessConfig,
    executables: Executables,
    spawner: Spawner,
}

impl Processes {
    /// Finds the executables of a layout. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// As [`ProcessError`] tells.
    pub fn new(config: ProcessConfig, layout: Layout) -> Result<Self, ProcessError> {
        let executables = Executables::find(&config.executables, layout)?;
        if !config.launcher.is_file() {
            return Err(ProcessError::Launcher(config.launcher));
        }
        Ok(Self(Arc::new(Shared { config, executables, spawner: Spawner::start()? })))
    }
}

impl Home for Processes {
    fn environment(&self, lambda: &Arc<Lambda>) -> Box<dyn Environment> {
        Box::new(Process { shared: Arc::clone(&self.0), lambda: Arc::clone(lambda), running: None })
    }
}

impl Shared {
    /// Starts a process for a Lambda.
    async fn spawn(&self, lambda: &Lambda) -> io::Result<Running> {
        let api = RuntimeApi::serve().await?;
        let executable = self.executables.of(lambda.function);
        let handler = lambda.function.map_or(executables::SINGLE, |function| function.short_name());
        let mut command = Command::new(&self.config.launcher);
        command.args(["environment", "--parent", &process::id().to_string(), "--"]).arg(executable);
        command.env_clear();
        for name in INHERITED {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command
            .envs([
                ("AWS_LAMBDA_RUNTIME_API", api.address.to_string().as_str()),
                ("AWS_LAMBDA_FUNCTION_NAME", &lambda.name),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &lambda.memory_mb.to_string()),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
                ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
                ("AWS_LAMBDA_LOG_GROUP_NAME", &format!("/aws/lambda/{}", lambda.name)),
                ("AWS_LAMBDA_LOG_STREAM_NAME", &Uuid::new_v4().simple().to_string()),
                ("AWS_REGION", REGION),
                ("AWS_DEFAULT_REGION", REGION),
                ("AWS_ACCESS_KEY_ID", "local"),
                ("AWS_SECRET_ACCESS_KEY", "local"),
                ("_HANDLER", handler),
                ("TZ", ":UTC"),
            ])
            .envs(executable.parent().map(|folder| ("LAMBDA_TASK_ROOT", folder)))
            .envs(lambda.function.map(|function| (variables::FUNCTION, function.short_name())))
            .envs(self.config.environment.iter().map(|(name, value)| (name, value)))
            // Standard output belongs to the stack; the functions' output is a log.
            .stdin(Stdio::null())
            .stdout(io::stderr())
            .stderr(io::stderr())
            .process_group(0)
            .kill_on_drop(true);
        let child = self.spawner.spawn(command).await?;
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Ok(Running { child, group, api, waiting: None, frozen: false })
    }
}

/// An environment and its process, if that runs.
struct Process {
    shared: Arc<Shared>,
    lambda: Arc<Lambda>,
    running: Option<Running>,
}

impl Process {
    /// Starts the process and waits until it asks for an event.
    async fn boot(&mut self, limit: Duration) -> Result<(), InvokeError> {
        self.running = None;
        let failed = |error: io::Error| Failure::new("Runtime.InvalidEntrypoint", error.to_string());
        let mut running = self.shared.spawn(&self.lambda).await.map_err(failed)?;
        match tokio::time::timeout(limit, running.ready()).await {
            Ok(ready) => ready?,
            Err(_) => {
                let text = format!("the init phase timed out after {:.2} seconds", limit.as_secs_f64());
                return Err(Failure::new("Sandbox.Timedout", text).into());
            }
        }
        self.running = Some(running);
        Ok(())
    }
}

#[async_trait]
impl Environment for Process {
    /// As on AWS, an Init that fails is tried once more as a part of the invocation, within the function's time-out.
    async fn start(&mut self) -> Result<(), InvokeError> {
        match self.boot(INIT_LIMIT).await {
            Ok(()) => Ok(()),
            Err(error) => {
                tracing::warn!(%error, function = self.lambda.name, "an environment did not start; trying again");
                self.boot(self.lambda.timeout).await
            }
        }
    }

    async fn run(&mut self, call: Call) -> Result<Bytes, InvokeError> {
        let arn = format!("arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{}", self.lambda.name);
        let Call { payload, deadline, started, init, .. } = call;
        let id = Uuid::new_v4().to_string();
        let event = NextInvocation { id: id.clone(), arn, deadline, payload };
        match &mut self.running {
            Some(running) => {
                let outcome = running.handle(event).await;
                let (memory_mb, pid) = (self.lambda.memory_mb, running.child.id());
                let report = Report { id: &id, memory_mb, duration: started.elapsed(), init, pid };
                tracing::info!(function = self.lambda.name, "{report}");
                Ok(outcome?)
            }
            None => Err(Failure::default().into()),
        }
    }

    fn rest(&mut self) -> bool {
        self.running.as_mut().is_some_and(Running::freeze)
    }

    fn wake(&mut self) -> bool {
        self.running.as_mut().is_some_and(Running::thaw)
    }
}

/// A process that has been started.
struct Running {
    child: Child,
    group: Option<Pid>,
    api: RuntimeApi,
    /// Set while it waits for an event.
    waiting: Option<oneshot::Sender<NextInvocation>>,
    frozen: bool,
}

impl Running {
    /// Waits until the process asks for its first event.
    async fn ready(&mut self) -> Result<(), Failure> {
        loop {
            match self.next_call().await? {
                RuntimeCall::Next(give) => {
                    self.waiting = Some(give);
                    return Ok(());
                }
                RuntimeCall::InitError(failure) => return Err(failure),
                // Dropped, which refuses the call: there was no event.
                RuntimeCall::Done { .. } => {}
            }
        }
    }

    /// Passes one event to the process and waits until it has answered and asks for the next one.
    async fn handle(&mut self, event: NextInvocation) -> Result<Bytes, Failure> {
        let id = event.id.clone();
        let mut undelivered = match self.waiting.take() {
            Some(give) => give.send(event).err(),
            None => Some(event),
        };
        let mut answer = None;
        loop {
            match (self.next_call().await, undelivered.take()) {
                (Ok(RuntimeCall::Next(give)), Some(event)) => undelivered = give.send(event).err(),
                (Ok(RuntimeCall::Next(give)), None) => {
                    if let Some(answer) = answer {
                        self.waiting = Some(give);
                        return answer;
                    }
                }
                (Ok(RuntimeCall::Done { id: of, outcome, accepted }), None)
                    if of == id && answer.is_none() =>
                {
                    answer = Some(outcome);
                    // The process may have closed its request; the answer counts.
                    let _ = accepted.send(());
                }
                (Ok(_), rest) => undelivered = rest,
                (Err(Failure { error_type, error_message }), _) => {
                    let error_message = format!("RequestId: {id} Error: {error_message}");
                    return answer.unwrap_or(Err(Failure { error_type, error_message }));
                }
            }
        }
    }

    /// The next call of the process; the end of the process is an error.
    async fn next_call(&mut self) -> Result<RuntimeCall, Failure> {
        tokio::select! {
            biased;
            Some(call) = self.api.calls.recv() => Ok(call),
            status = self.child.wait() => {
                Err(Failure::new("Runtime.ExitError", status.map_or_else(|error| error.to_string(), exit_text)))
            }
        }
    }

    /// Stops the process if it waits for an event.
    fn freeze(&mut self) -> bool {
        let idle = self.waiting.as_ref().is_some_and(|waiting| !waiting.is_closed());
        self.frozen = idle && self.alive() && self.signal(Signal::STOP);
        self.frozen
    }

    /// Continues the process.
    fn thaw(&mut self) -> bool {
        let frozen = std::mem::take(&mut self.frozen);
        self.alive() && (!frozen || self.signal(Signal::CONT))
    }

    fn alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Whether the signal reached the process and its children.
    fn signal(&self, signal: Signal) -> bool {
        self.group.is_some_and(|group| kill_process_group(group, signal).is_ok())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After the process was waited for, its id may belong to another one.
        if self.child.id().is_some() {
            self.signal(Signal::KILL);
        }
    }
}

impl From<Failure> for InvokeError {
    fn from(failure: Failure) -> Self {
        Self::Function { error_type: failure.error_type, message: failure.error_message }
    }
}

/// The text of AWS for the end of a runtime.
fn exit_text(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(0), _) => "Runtime exited without providing a reason".into(),
        (Some(code), _) => format!("Runtime exited with error: exit status {code}"),
        (None, Some(signal)) => format!("Runtime exited with error: signal: {signal}"),
        (None, None) => format!("Runtime exited with error: {status}"),
    }
}
