//! The thread that writes: whatever has come in meanwhile is one batch with one `fdatasync`, so that a busy store waits
//! for its disk seldom.

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
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use super::{Positions, Store, codec, reason};
use crate::tables::stream::Stream;
use crate::tables::{Keeper, Write};

/// Writes of one batch at most.
const GROUP: usize = 1_024;
/// How often delivered records are removed: those that were delivered at the time before. So a record stays for at
/// least that long after its push was accepted, which is ample for the frame to leave this process.
const REMOVE_EVERY: Duration = Duration::from_millis(500);

/// What the thread is asked for.
pub(super) enum Order {
    Write(Write),
    /// Tell when everything before is kept.
    Settle(oneshot::Sender<()>),
    Close(oneshot::Sender<()>),
}

/// How far the thread has come.
#[derive(Default)]
pub(super) struct Progress {
    asked: AtomicUsize,
    kept: AtomicUsize,
    failure: OnceLock<String>,
}

/// The thread, as the tables know it.
pub(super) struct Kept {
    orders: Sender<Order>,
    progress: Arc<Progress>,
    directory: PathBuf,
}

impl Kept {
    pub(super) fn new(orders: Sender<Order>, directory: &Path) -> Self {
        Self { orders, progress: Arc::default(), directory: directory.to_owned() }
    }

    pub(super) const fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }
}

#[async_trait]
impl Keeper for Kept {
    fn usable(&self) -> Result<(), TableError> {
        match self.progress.failure.get() {
            None => Ok(()),
            Some(reason) => Err(TableError::Unavailable(format!(
                "writes can no longer be kept in {}: {reason}; make room and restart the backend",
                self.directory.display()
            ))),
        }
    }

    fn write(&self, write: Write) {
        self.progress.asked.fetch_add(1, Ordering::AcqRel);
        // A thread that has ended has left the reason in `failure`.
        let _ = self.orders.send(Order::Write(write));
    }

    async fn settled(&self) -> Result<(), TableError> {
        if self.progress.kept.load(Ordering::Acquire) >= self.progress.asked.load(Ordering::Acquire) {
            return Ok(());
        }
        let (tell, told) = oneshot::channel();
        let sent = self.orders.send(Order::Settle(tell)).is_ok();
        if sent && told.await.is_ok() {
            return Ok(());
        }
        self.usable()?;
        Err(TableError::Unavailable("the tables are closed".into()))
    }

    async fn close(&self) {
        let (tell, told) = oneshot::channel();
        if self.orders.send(Order::Close(tell)).is_ok() {
            // It may have failed; then it has said so.
            let _ = told.await;
        }
    }
}

/// What the thread owns.
pub(super) struct Writer {
    store: Store,
    progress: Arc<Progress>,
    streams: Vec<Arc<Stream>>,
    /// What was delivered when it was last looked at; not removed yet.
    seen: Positions,
    /// What is removed, by the store.
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

    pub(super) fn run(mut self, orders: &Receiver<Order>) {
        let mut next_removal = Instant::now() + REMOVE_EVERY;
        loop {
            match orders.recv_timeout(next_removal.saturating_duration_since(Instant::now())) {
                Ok(first) => {
                    if let Some(tell) = self.group(first, orders) {
                        self.end();
                        // The directory is free before anybody hears of it.
                        drop(self.store);
                        let _ = tell.send(());
                        return;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                // Dropped, not closed: as if the process had ended.
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if Instant::now() >= next_removal {
                self.remove_seen();
                self.seen = self.delivered();
                next_removal = Instant::now() + REMOVE_EVERY;
            }
        }
    }

    /// Carries out one order and those that wait behind it. Returns whom to tell of the end, if it is asked for.
    fn group(&mut self, first: Order, orders: &Receiver<Order>) -> Option<oneshot::Sender<()>> {
        let mut batch = self.store.database.batch().durability(Some(PersistMode::SyncData));
        // A key may be written twice in a batch, whose order is not the store's business: the last one counts.
        let mut items: HashMap<(Table, Arc<str>), Option<Box<RawValue>>> = HashMap::new();
        let (mut writes, mut waiting, mut close) = (0, Vec::new(), None);
        let mut next = Some(first);
        while let Some(order) = next {
            match order {
                Order::Write(Write { table, key, item, logged }) => {
                    writes += 1;
                    let item = item.as_deref().map(codec::item);
                    if let Some(logged) = logged {
                        let place = codec::record_key(table, logged.shard, logged.sequence);
                        let record = codec::record(&key, &logged, item.as_deref());
                        batch.insert(&self.store.records, place, record);
                    }
                    items.insert((table, key), item);
                }
                Order::Settle(tell) => waiting.push(tell),
                Order::Close(tell) => {
                    close = Some(tell);
                    break;
                }
            }
            next = if writes < GROUP { orders.try_recv().ok() } else { None };
        }
        for ((table, key), item) in items {
            let place = codec::item_key(table, &key);
            match item {
                Some(item) => batch.insert(&self.store.items, place, item.get()),
                None => batch.remove(&self.store.items, place),
            }
        }
        if self.commit(batch) {
            self.progress.kept.fetch_add(writes, Ordering::AcqRel);
            for tell in waiting {
                // Who asked may have given up.
                let _ = tell.send(());
            }
        }
        close
    }

    /// Whether it is kept. After a failure nothing is: what follows would stand without what came before.
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

    /// What is delivered now.
    fn delivered(&self) -> Positions {
        let mut delivered = Positions::new();
        for stream in &self.streams {
            for shard in 0..stream.shard_count() {
                let lanes = stream.positions(shard);
                // Without readers nothing is delivered.
                if !lanes.is_empty() {
                    delivered.insert((stream.table, shard), lanes);
                }
            }
        }
        delivered
    }

    /// Removes the records that every lane has passed, and notes how far each lane has come.
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

    /// After this, nothing that was delivered is delivered again.
    fn end(&mut self) {
        self.seen = self.delivered();
        self.remove_seen();
        if self.progress.failure.get().is_none()
            && let Err(error) = self.store.database.persist(PersistMode::SyncAll)
        {
            tracing::error!(reason = reason(&error), "the last writes may not outlive a power cut");
        }
    }
}
