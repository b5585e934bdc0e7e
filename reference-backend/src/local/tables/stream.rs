//! A table's stream: what changed, in order per key, sharded by the key's hash.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_dynamo::Item;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::TablesProfile;
use crate::function::Table;

/// One record: an item was written or deleted.
#[derive(Debug)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// The item's key.
    pub key: Arc<str>,
    /// Hash of the key; decides the shard, and the lane within it.
    pub key_hash: u64,
    /// The item as written; nothing for a deletion.
    pub new_image: Option<Arc<Item>>,
    /// Bytes of key and image.
    pub size: usize,
    /// When, epoch milliseconds. Readers on AWS see whole seconds only.
    pub created_ms: i64,
    /// Position in the shard, without gaps.
    pub sequence: u64,
}

/// What happened to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Insert,
    /// It was replaced.
    Modify,
    /// Somebody deleted it.
    Remove,
    /// Its time to live was over.
    Expire,
}

/// The stream of one table.
#[derive(Debug)]
pub struct Stream {
    /// Whose.
    pub table: Table,
    shards: Vec<Shard>,
}

impl Stream {
    pub(super) fn new(table: Table, profile: &TablesProfile) -> Self {
        let shards = (0..profile.stream_shards).map(|_| Shard::new(profile)).collect();
        Self { table, shards }
    }

    /// How many shards it has.
    #[must_use]
    pub fn shard_count(&self) -> usize {
        self.shards.len()
    }

    /// Registers a reader of a shard that starts at the oldest record (TRIM_HORIZON).
    ///
    /// # Panics
    /// If there is no such shard.
    #[must_use]
    pub fn register(self: &Arc<Self>, shard: usize) -> Reader {
        let mut log = self.shards[shard].log.lock();
        let oldest = log.oldest();
        log.readers.push(oldest);
        Reader { stream: Arc::clone(self), shard, number: log.readers.len() - 1, position: oldest }
    }

    /// Completes after the next append to a shard.
    pub fn changed(&self, shard: usize) -> Notified<'_> {
        self.shards[shard].changed.notified()
    }

    /// Appends a change to the shard of its key. The caller holds the lock of the item, so that the changes of one
    /// key are in order. Returns the shard's bit for [`Self::wake`].
    pub(super) fn append(&self, change: Change) -> u64 {
        let shard = change.key_hash as usize % self.shards.len();
        self.shards[shard].append(change);
        1 << shard
    }

    /// Wakes the readers of the shards in `touched`: once per request, so that they find whole batches.
    pub(super) fn wake(&self, touched: u64) {
        for (number, shard) in self.shards.iter().enumerate() {
            if touched & (1 << number) != 0 {
                shard.changed.notify_waiters();
            }
        }
    }
}

/// One shard of a stream.
#[derive(Debug)]
struct Shard {
    log: Mutex<Log>,
    /// Told of every append.
    changed: Notify,
    retention_records: usize,
    retention_ms: i64,
}

#[derive(Debug, Default)]
struct Log {
    records: VecDeque<Arc<Change>>,
    /// Sequence of the next record.
    next: u64,
    /// By reader: the first sequence that it has not done with.
    readers: Vec<u64>,
}

impl Log {
    /// Sequence of the oldest record.
    fn oldest(&self) -> u64 {
        self.next - self.records.len() as u64
    }
}

impl Shard {
    fn new(profile: &TablesProfile) -> Self {
        Self {
            log: Mutex::default(),
            changed: Notify::new(),
            retention_records: profile.stream_retention_records,
            retention_ms: (profile.stream_retention_s * 1_000.0) as i64,
        }
    }

    fn append(&self, mut change: Change) {
        let mut log = self.log.lock();
        change.sequence = log.next;
        let now = change.created_ms;
        log.next += 1;
        log.records.push_back(Arc::new(change));
        let done = log.readers.iter().copied().min().unwrap_or(u64::MAX);
        while let Some(front) = log.records.front() {
            let spare = log.records.len() > self.retention_records && front.sequence < done;
            if !spare && now - front.created_ms < self.retention_ms {
                break;
            }
            log.records.pop_front();
        }
    }
}

/// A reader's place in a shard.
#[derive(Debug)]
pub struct Reader {
    stream: Arc<Stream>,
    shard: usize,
    number: usize,
    position: u64,
}

impl Reader {
    /// Up to `limit` further records that `wanted` accepts. What it refuses is passed over for good.
    pub fn read(&mut self, limit: usize, wanted: impl Fn(&Change) -> bool) -> Vec<Arc<Change>> {
        let log = self.shard().log.lock();
        let oldest = log.oldest();
        let from = self.position.max(oldest);
        let mut found = Vec::new();
        let mut passed = 0;
        for record in log.records.iter().skip((from - oldest) as usize) {
            if found.len() == limit {
                break;
            }
            passed += 1;
            if wanted(record) {
                found.push(Arc::clone(record));
            }
        }
        drop(log);
        self.position = from + passed;
        found
    }

    /// The stream and the number of the shard that is read.
    #[must_use]
    pub fn place(&self) -> (Arc<Stream>, usize) {
        (Arc::clone(&self.stream), self.shard)
    }

    /// Notes that everything read so far is done with (the checkpoint).
    pub fn commit(&self) {
        self.shard().log.lock().readers[self.number] = self.position;
    }

    fn shard(&self) -> &Shard {
        &self.stream.shards[self.shard]
    }
}

impl Drop for Reader {
    /// Nothing is kept for a reader that is gone.
    fn drop(&mut self) {
        self.shard().log.lock().readers[self.number] = u64::MAX;
    }
}
