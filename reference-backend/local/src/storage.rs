//! Where the stack's tables are.
//!
//! The stack asks for little: a [`TableStore`], the streams' mappings, what functions in processes must know to reach
//! the same tables, and what a former process left undone. Its own tables are in [`Memory`], or kept in a directory as
//! [`DataConfig`] says (`serve --data`). Others are plugged in from above: the program's `--dynamodb` is.

use std::error::Error;
use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use reference_backend::function::Deployment;
use reference_backend::ports::{Clock, TableStore};

use crate::background::Background;
use crate::metrics::Metrics;
use crate::streams::{self, Targets};
use crate::tables::{DataConfig, DataError, EmbeddedTables, PendingPlacement, TablesProfile};

/// The tables of one stack.
#[async_trait]
pub trait Storage: Send + Sync {
    /// What reads and writes them.
    fn store(&self) -> Arc<dyn TableStore>;

    /// What functions in processes must know of them besides the endpoint.
    fn function_environment(&self) -> Vec<(OsString, OsString)> {
        Vec::new()
    }

    /// Where functions in processes and others reach them, if not at the stack's own endpoint.
    fn endpoint(&self) -> Option<String> {
        None
    }

    /// Placements that a former process had not come to the end of.
    fn pending_placements(&self) -> Vec<PendingPlacement> {
        Vec::new()
    }

    /// Starts the mappings of their streams, and what they do by themselves. Must be called inside a tokio runtime.
    fn start(&self, targets: &Targets<'_>) -> (Background, Vec<Background>);

    /// Whether this program keeps them, and what is undelivered with them, for the next one.
    fn outlives(&self) -> bool {
        false
    }

    /// Notes how far the streams have come. Nothing can be written after that.
    async fn close(&self) {}
}

/// Opens the tables of a stack that starts.
#[async_trait]
pub trait OpenStorage: fmt::Debug + Send + Sync {
    /// Opens them, and makes those that are missing.
    ///
    /// # Errors
    /// [`StorageError`] with the remedy.
    async fn open(&self, stack: &Opening<'_>) -> Result<Box<dyn Storage>, StorageError>;
}

/// What a stack that starts says of its tables.
pub struct Opening<'a> {
    /// Their limits, latencies and faults.
    pub profile: &'a TablesProfile,
    /// What they are called.
    pub deployment: &'a Deployment,
    /// Where they count.
    pub metrics: &'a Metrics,
    /// Tells what has expired.
    pub clock: &'a Arc<dyn Clock>,
}

/// Why the tables are not available.
#[derive(Debug)]
pub struct StorageError {
    source: Box<dyn Error + Send + Sync>,
    mistake: bool,
}

impl StorageError {
    /// `source` says what failed and the remedy; `mistake` whether it is what was asked for that is wrong, not the
    /// machine.
    pub fn new(source: impl Error + Send + Sync + 'static, mistake: bool) -> Self {
        Self { source: Box::new(source), mistake }
    }

    /// Whether it is what was asked for that is wrong, not the machine.
    #[must_use]
    pub const fn is_mistake(&self) -> bool {
        self.mistake
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(formatter)
    }
}

impl Error for StorageError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.source()
    }
}

impl From<DataError> for StorageError {
    fn from(error: DataError) -> Self {
        let mistake = error.is_mistake();
        Self::new(error, mistake)
    }
}

/// Tables in memory, which end with the stack.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Memory;

#[async_trait]
impl OpenStorage for Memory {
    async fn open(&self, stack: &Opening<'_>) -> Result<Box<dyn Storage>, StorageError> {
        let Opening { profile, deployment, metrics, clock } = stack;
        Ok(Box::new(Embedded(EmbeddedTables::new(profile, deployment, metrics, Arc::clone(clock)))))
    }
}

#[async_trait]
impl OpenStorage for DataConfig {
    async fn open(&self, stack: &Opening<'_>) -> Result<Box<dyn Storage>, StorageError> {
        let Opening { profile, deployment, metrics, clock } = stack;
        let tables = EmbeddedTables::open(profile, deployment, metrics, Arc::clone(clock), self)?;
        Ok(Box::new(Embedded(tables)))
    }
}

/// The stack's own tables.
struct Embedded(Arc<EmbeddedTables>);

#[async_trait]
impl Storage for Embedded {
    fn store(&self) -> Arc<dyn TableStore> {
        Arc::<EmbeddedTables>::clone(&self.0)
    }

    fn pending_placements(&self) -> Vec<PendingPlacement> {
        self.0.pending_placements()
    }

    fn start(&self, targets: &Targets<'_>) -> (Background, Vec<Background>) {
        let Self(tables) = self;
        (streams::start(targets, tables), vec![tables.start_sweeper(), tables.start_reconnect_wait()])
    }

    fn outlives(&self) -> bool {
        self.0.outlives()
    }

    async fn close(&self) {
        self.0.close().await;
    }
}
