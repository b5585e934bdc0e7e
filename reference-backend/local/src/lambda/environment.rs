//! Execution environments, whatever they are made of.
//!
//! The pool decides how many there are and which one gets the next event; what starts, runs, rests and ends is
//! decided here. In-process, an environment is nothing but a turn at the shared code; as a process, it is a child of
//! its own ([`process`](super::process)).

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use reference_backend::function::Function;
use tokio::time::Instant;

use super::{Code, InvokeError};

/// A deployed Lambda, as its environments know it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lambda {
    /// Full name, as CloudWatch's `FunctionName` dimension has it.
    pub name: String,
    /// The one operation that it runs; none in the single layout.
    pub function: Option<Function>,
    /// Its time-out.
    pub timeout: Duration,
}

/// One event on its way into an environment.
#[derive(Debug)]
pub struct Call {
    /// What is to be done; a Lambda for all operations has to tell by the event.
    pub function: Function,
    /// The JSON event.
    pub payload: Bytes,
    /// When the pool will wait no longer.
    pub deadline: SystemTime,
    /// When its time began.
    pub started: Instant,
    /// How long the environment's cold start took, if the event had to wait for one.
    pub init: Option<Duration>,
}

/// Where environments come from.
pub trait Home: Send + Sync {
    /// A new environment of a Lambda, not yet started.
    fn environment(&self, lambda: &Arc<Lambda>) -> Box<dyn Environment>;
}

/// One execution environment: one event at a time. Dropping it ends it, whatever it is doing.
#[async_trait]
pub trait Environment: Send {
    /// The Init phase, before the first event.
    ///
    /// # Errors
    /// [`InvokeError::Function`] if it cannot be initialised; it is of no further use then.
    async fn start(&mut self) -> Result<(), InvokeError>;

    /// Handles one event.
    ///
    /// # Errors
    /// [`InvokeError::Function`], from the handler or because the environment has died.
    async fn run(&mut self, call: Call) -> Result<Bytes, InvokeError>;

    /// Puts it to rest until the next event; false if there can be no further one.
    fn rest(&mut self) -> bool {
        true
    }

    /// Wakes it for an event; false if it has died in its sleep.
    fn wake(&mut self) -> bool {
        true
    }
}

/// Environments that are turns at one and the same code.
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
