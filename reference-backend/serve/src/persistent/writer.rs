//! The writer thread. It commits all queued writes as one batch with one `fdatasync` (group commit), so that a busy
//! store rarely waits for its disk.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use fjall::PersistMode;
use reference_backend::function::Table;
use reference_backend::ports::TableError;
use reference_backend_local::tables::{Persistence, Stream, Write};
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use super::codec;
use super::error::reason;
use super::store::{Positions, Store};

/// Maximum number of writes in one batch.
const GROUP: usize = 1_024;
/// Interval of the removal of delivered records. Each removal takes those that were delivered at the one before, so a
/// record stays at least this long after its push was accepted, which is long enough for the frame to leave the process.
const REMOVE_EVERY: Duration = Duration::from_millis(500);

/// A command to the writer thread.
pub(super) enum Command {
    Write(Write),
    /// Reply once every write before is durable.
    Flush(oneshot::Sender<()>),
    Close(oneshot::Sender<()>),
}

/// Progress of the thread, in writes.
#[derive(Default)]
pub(super) struct Progress {
    queued: AtomicUsize,
    durable: AtomicUsize,
    failure: OnceLock<String>,
}

/// The tables' handle on the writer thread.
pub(super) struct WriterHandle {
    commands: Sender<Command>,
    progress: Arc<Progress>,
    directory: PathBuf,
}

impl WriterHandle {
    pub(super) fn new(commands: Sender<Command>, directory: &Path) -> Self {
        Self { commands, progress: Arc::default(), directory: directory.to_owned() }
    }

    pub(super) const fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }
}

#[async_trait]
impl Persistence for WriterHandle {
    fn writable(&self) -> Result<(), TableError> {
        match self.progress.failure.get() {
            None => Ok(()),
            Some(reason) => Err(TableError::Unavailable(format!(
                "writes can no longer be kept in {}: {reason}; make room and restart the backend",
                self.directory.display()
            ))),
        }
    }

    fn write(&self, write: Write) {
        self.progress.queued.fetch_add(1, Ordering::AcqRel);
        // If the thread has ended, `failure` has the reason.
        let _ = self.commands.send(Command::Write(write));
    }

    async fn flushed(&self) -> Result<(), TableError> {
        if self.progress.durable.load(Ordering::Acquire) >= self.progress.queued.load(Ordering::Acquire) {
            return Ok(());
        }
        let (tell, told) = oneshot::channel();
        let sent = self.commands.send(Command::Flush(tell)).is_ok();
        if sent && told.await.is_ok() {
            return Ok(());
        }
        self.writable()?;
        Err(TableError::Unavailable("the tables are closed".into()))
    }

    async fn close(&self) {
        let (tell, told) = oneshot::channel();
        if self.commands.send(Command::Close(tell)).is_ok() {
            // It may have failed; then it has logged the reason.
            let _ = told.await;
        }
    }
}

/// The state of the writer thread.
pub(super) struct Writer {
    store: Store,
    progress: Arc<Progress>,
    streams: Vec<Arc<Stream>>,
    /// Delivered at the last check, not removed yet.
    seen: Positions,
    /// Removed from the store.
    removed: Positions,
}

impl Writer {
    pub(super) fn new(
        store: Store,
        progress: Arc<Progress>,
        streams: Vec<Arc<Stream>>,
        removed: Positions,
    ) -> Self {
        Self { store, progress, streams, seen: removed.clone(), removed }
    }

    pub(super) fn run(mut self, commands: &Receiver<Command>) {
        let mut next_removal = Instant::now() + REMOVE_EVERY;
        loop {
            match commands.recv_timeout(next_removal.saturating_duration_since(Instant::now())) {
                Ok(first) => {
                    if let Some(tell) = self.group(first, commands) {
                        self.finish();
                        // Unlock the directory before replying.
                        drop(self.store);
                        let _ = tell.send(());
                        return;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                // Dropped without close: equal to a crash.
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if Instant::now() >= next_removal {
                self.remove_seen();
                self.seen = self.delivered();
                next_removal = Instant::now() + REMOVE_EVERY;
            }
        }
    }

    /// Executes one command and those queued behind it. Returns the reply channel of `Close`, if it was among them.
    fn group(&mut self, first: Command, commands: &Receiver<Command>) -> Option<oneshot::Sender<()>> {
        let mut batch = self.store.database.batch().durability(Some(PersistMode::SyncData));
        // The store does not order writes of one key within a batch, so only the last one is passed on.
        let mut items: HashMap<(Table, Arc<str>), Option<Box<RawValue>>> = HashMap::new();
        let (mut writes, mut waiting, mut close) = (0, Vec::new(), None);
        let mut next = Some(first);
        while let Some(command) = next {
            match command {
                Command::Write(Write { table, key, item, logged }) => {
                    writes += 1;
                    let item = item.as_deref().map(codec::item);
                    if let Some(logged) = logged {
                        let place = codec::record_key(table, logged.shard, logged.sequence);
                        let record = codec::record(&key, &logged, item.as_deref());
                        batch.insert(&self.store.records, place, record);
                    }
                    items.insert((table, key), item);
                }
                Command::Flush(tell) => waiting.push(tell),
                Command::Close(tell) => {
                    close = Some(tell);
                    break;
                }
            }
            next = if writes < GROUP { commands.try_recv().ok() } else { None };
        }
        for ((table, key), item) in items {
            let place = codec::item_key(table, &key);
            match item {
                Some(item) => batch.insert(&self.store.items, place, item.get()),
                None => batch.remove(&self.store.items, place),
            }
        }
        if self.commit(batch) {
            self.progress.durable.fetch_add(writes, Ordering::AcqRel);
            for tell in waiting {
                // The caller may have given up.
                let _ = tell.send(());
            }
        }
        close
    }

    /// Whether the batch is durable. After a failure no batch is written, so that none is stored without its
    /// predecessors.
    fn commit(&self, batch: fjall::OwnedWriteBatch) -> bool {
        if self.progress.failure.get().is_some() {
            return false;
        }
        let Err(error) = batch.commit() else { return true };
        let directory = self.store.directory.display();
        let reason = reason(&error);
        tracing::error!(%directory, reason, "writes can no longer be kept and are refused from now on");
        let _ = self.progress.failure.set(reason);
        false
    }

    /// The current checkpoints.
    fn delivered(&self) -> Positions {
        let mut delivered = Positions::new();
        for stream in &self.streams {
            for shard in 0..stream.shard_count() {
                let lanes = stream.positions(shard);
                // A shard without readers has no checkpoints.
                if !lanes.is_empty() {
                    delivered.insert((stream.table, shard), lanes);
                }
            }
        }
        delivered
    }

    /// Removes the records that every lane has processed, and saves the checkpoints.
    fn remove_seen(&mut self) {
        let mut batch = self.store.database.batch();
        let mut moved = Positions::new();
        for (place, lanes) in &self.seen {
            if self.removed.get(place) == Some(lanes) {
                continue;
            }
            let first = |lanes: &Vec<u64>| lanes.iter().copied().min().unwrap_or_default();
            let from = self.removed.get(place).map_or(0, first);
            for sequence in from..first(lanes) {
                batch.remove(&self.store.records, codec::record_key(place.0, place.1, sequence));
            }
            moved.insert(*place, lanes.clone());
        }
        if moved.is_empty() {
            return;
        }
        self.store.put_positions(&mut batch, &moved);
        if self.commit(batch) {
            self.removed.extend(moved);
        }
    }

    /// Saves the final checkpoints, so that no delivered record is delivered again.
    fn finish(&mut self) {
        self.seen = self.delivered();
        self.remove_seen();
        if self.progress.failure.get().is_none()
            && let Err(error) = self.store.database.persist(PersistMode::SyncAll)
        {
            tracing::error!(reason = reason(&error), "the last writes may not outlive a power cut");
        }
    }
}
