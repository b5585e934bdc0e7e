//! The storage of the stack's tables.
//!
//! The stack needs a [`TableStore`], the streams' mappings, the environment variables with which functions in processes
//! reach the same tables, and the pending placements of an earlier process. Here the tables are in [`Memory`]. The program
//! `reference-backend` adds tables that are persisted in a directory (`serve --data`), and those of a DynamoDB.

use std::error::Error;
use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use reference_backend::function::{Deployment, Table};
use reference_backend::ports::{Clock, TableStore};

use crate::background::Background;
use crate::metrics::Metrics;
use crate::streams::{self, Targets};
use crate::tables::{EmbeddedTables, PendingPlacement, TablesProfile};

/// The tables of one stack.
#[async_trait]
pub trait Storage: Send + Sync {
    /// Reads and writes them.
    fn store(&self) -> Arc<dyn TableStore>;

    /// Environment variables of functions in processes, besides the endpoint.
    fn function_environment(&self) -> Vec<(OsString, OsString)> {
        Vec::new()
    }

    /// Their endpoint, if it is not the stack's own.
    fn endpoint(&self) -> Option<String> {
        None
    }

    /// The ARN of a table's stream, if it is not the stack's own.
    fn stream_arn(&self, _table: Table) -> Option<String> {
        None
    }

    /// Placements that an earlier process left without an outcome.
    fn pending_placements(&self) -> Vec<PendingPlacement> {
        Vec::new()
    }

    /// Starts the mappings of their streams and their background tasks. Must be called inside a tokio runtime.
    fn start(&self, targets: &Targets<'_>) -> (Background, Vec<Background>);

    /// Whether they outlive the process, with their undelivered records.
    fn outlives(&self) -> bool {
        false
    }

    /// Saves how far the streams have delivered. No write succeeds after that.
    async fn close(&self) {}
}

/// Opens the tables for a stack.
#[async_trait]
pub trait OpenStorage: fmt::Debug + Send + Sync {
    /// Opens them; missing ones are created.
    ///
    /// # Errors
    /// [`StorageError`] with the remedy.
    async fn open(&self, stack: &Opening<'_>) -> Result<Box<dyn Storage>, StorageError>;
}

/// How a stack's tables are opened.
pub struct Opening<'a> {
    /// Their limits, latencies and faults.
    pub profile: &'a TablesProfile,
    /// Their names.
    pub deployment: &'a Deployment,
    /// Receives their metrics.
    pub metrics: &'a Metrics,
    /// Clock for expiry.
    pub clock: &'a Arc<dyn Clock>,
}

/// Why the tables are not available.
#[derive(Debug)]
pub struct StorageError {
    source: Box<dyn Error + Send + Sync>,
    mistake: bool,
}

impl StorageError {
    /// `source` has the failure and its remedy; `mistake` is true for a mistake of the caller, false for a failure of the
    /// machine.
    pub fn new(source: impl Error + Send + Sync + 'static, mistake: bool) -> Self {
        Self { source: Box::new(source), mistake }
    }

    /// Whether it is a mistake of the caller, not a failure of the machine.
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

/// The stack's own tables.
struct Embedded(Arc<EmbeddedTables>);

#[async_trait]
impl Storage for Embedded {
    fn store(&self) -> Arc<dyn TableStore> {
        Arc::<EmbeddedTables>::clone(&self.0)
    }

    fn start(&self, targets: &Targets<'_>) -> (Background, Vec<Background>) {
        let Self(tables) = self;
        (streams::start(targets, tables), vec![tables.start_sweeper()])
    }
}
