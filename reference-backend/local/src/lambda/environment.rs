//! Execution environments, in-process or as processes.
//!
//! The pool decides how many there are and which one gets the next event; an environment starts, runs, freezes and ends.
//! In-process, all environments share the code; as a process, each is a child ([`process`](super::process)).

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use reference_backend::function::Function;
use tokio::time::Instant;

use super::{Code, InvokeError};

/// A deployed Lambda.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lambda {
    /// Full name, as CloudWatch's `FunctionName` dimension has it.
    pub name: String,
    /// The one operation that it runs; none in the single layout.
    pub function: Option<Function>,
    /// Its time-out.
    pub timeout: Duration,
    /// Its memory in megabytes.
    pub memory_mb: u32,
}

/// One event for an environment.
#[derive(Debug)]
pub struct Call {
    /// The operation; a Lambda for all operations derives it from the event.
    pub function: Function,
    /// The JSON event.
    pub payload: Bytes,
    /// When the invocation times out.
    pub deadline: SystemTime,
    /// When the invocation started.
    pub started: Instant,
    /// Duration of the cold start, if there was one.
    pub init: Option<Duration>,
}

/// Creates environments.
pub trait Home: Send + Sync {
    /// A new environment of a Lambda, not yet started.
    fn environment(&self, lambda: &Arc<Lambda>) -> Box<dyn Environment>;
}

/// One execution environment: one event at a time. Dropping it ends it at any time.
#[async_trait]
pub trait Environment: Send {
    /// The Init phase, before the first event.
    ///
    /// # Errors
    /// [`InvokeError::Function`] if the initialisation fails; the environment must then be dropped.
    async fn start(&mut self) -> Result<(), InvokeError>;

    /// Handles one event.
    ///
    /// # Errors
    /// [`InvokeError::Function`], from the handler or because the environment has died.
    async fn run(&mut self, call: Call) -> Result<Bytes, InvokeError>;

    /// Freezes it until the next event; false if it cannot be used again.
    fn rest(&mut self) -> bool {
        true
    }

    /// Thaws it for an event; false if it has ended meanwhile.
    fn wake(&mut self) -> bool {
        true
    }
}

/// Environments in this process, which share the code.
pub(super) struct InProcess(pub(super) Arc<dyn Code>);

impl Home for InProcess {
    fn environment(&self, _: &Arc<Lambda>) -> Box<dyn Environment> {
        Box::new(Self(Arc::clone(&self.0)))
    }
}

#[async_trait]
impl Environment for InProcess {
    async fn start(&mut self) -> Result<(), InvokeError> {
        Ok(())
    }

    async fn run(&mut self, call: Call) -> Result<Bytes, InvokeError> {
        match self.0.run(call.function, call.payload).await {
            Ok(answer) => Ok(answer.into()),
            Err(error) => Err(InvokeError::Function {
                error_type: error.error_type().into(),
                message: error.to_string(),
            }),
        }
    }
}
