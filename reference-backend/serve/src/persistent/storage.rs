//! Tables in a directory as the storage of a stack.

use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use reference_backend::function::Table;
use reference_backend::ports::TableStore;
use reference_backend_local::background::Background;
use reference_backend_local::storage::{OpenStorage, Opening, Storage, StorageError};
use reference_backend_local::streams::{self, Targets};
use reference_backend_local::tables::{EmbeddedTables, PendingPlacement, Stream};

use super::error::{DataError, unusable};
use super::first_start::{self, Directory};
use super::journal;
use super::reconnect::ReconnectWait;
use super::store::Store;
use super::writer::{Writer, WriterHandle};

/// Where and how tables are persisted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataConfig {
    /// The directory; created if it is missing.
    pub directory: PathBuf,
    /// How long the streams wait, after a start with undelivered records, for the recipients to reconnect.
    pub wait: Duration,
}

#[async_trait]
impl OpenStorage for DataConfig {
    async fn open(&self, stack: &Opening<'_>) -> Result<Box<dyn Storage>, StorageError> {
        Ok(Box::new(PersistedTables::open(self, stack)?))
    }
}

/// Embedded tables that are persisted in a directory.
pub(super) struct PersistedTables {
    pub(super) tables: Arc<EmbeddedTables>,
    /// Streams that are paused until the players of an earlier process reconnect.
    waiting: Mutex<Option<ReconnectWait>>,
}

impl PersistedTables {
    /// Opens a directory and restores its contents.
    pub(super) fn open(config: &DataConfig, stack: &Opening<'_>) -> Result<Self, DataError> {
        let Opening { profile, deployment, metrics, clock } = stack;
        let store = match first_start::prepare(&config.directory)? {
            Directory::Existing => {
                journal::check(&config.directory)?;
                let store = Store::open(&config.directory)?;
                store.check(deployment)?;
                store
            }
            Directory::New(first_start) => {
                let store = Store::open(&config.directory)?;
                store.check(deployment)?;
                first_start.finish()?;
                store
            }
        };
        let (commands, received) = mpsc::channel();
        let handle = Arc::new(WriterHandle::new(commands, &config.directory));
        let persistence = Arc::<WriterHandle>::clone(&handle);
        let tables = EmbeddedTables::persisted(profile, deployment, metrics, Arc::clone(clock), persistence);
        store.restore_items(&tables)?;
        let streams: Vec<Arc<Stream>> = Table::ALL.iter().filter_map(|table| tables.stream(*table)).collect();
        let positions = store.restore_streams(&streams)?;
        let waiting =
            if config.wait.is_zero() { None } else { ReconnectWait::new(&tables, &streams, config.wait) };
        let writer = Writer::new(store, Arc::clone(handle.progress()), streams, positions);
        let spawned = std::thread::Builder::new().name("tables".into()).spawn(move || writer.run(&received));
        spawned.map_err(|error| unusable(&config.directory, error.to_string()))?;
        Ok(Self { tables, waiting: Mutex::new(waiting) })
    }

    /// Resumes the streams that are paused for players of an earlier process, once these have reconnected or the wait
    /// is over. Must be called inside a tokio runtime.
    pub(super) fn start_reconnect_wait(&self) -> Background {
        match self.waiting.lock().take() {
            Some(waiting) => Background::with(waiting.resume(Arc::clone(&self.tables))),
            None => Background::default(),
        }
    }
}

#[async_trait]
impl Storage for PersistedTables {
    fn store(&self) -> Arc<dyn TableStore> {
        Arc::<EmbeddedTables>::clone(&self.tables)
    }

    fn pending_placements(&self) -> Vec<PendingPlacement> {
        self.tables.pending_placements()
    }

    fn start(&self, targets: &Targets<'_>) -> (Background, Vec<Background>) {
        let background = vec![self.tables.start_sweeper(), self.start_reconnect_wait()];
        (streams::start(targets, &self.tables), background)
    }

    fn outlives(&self) -> bool {
        true
    }

    async fn close(&self) {
        self.tables.close().await;
    }
}
