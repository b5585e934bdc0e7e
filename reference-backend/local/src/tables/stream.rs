//! A table's stream: what changed, in order per key, sharded by the key's hash.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use reference_backend::function::Table;
use serde::{Deserialize, Serialize};
use serde_dynamo::Item;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::TablesProfile;
use super::keys::hash;

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
    /// What DynamoDB calls the record, if it is one of DynamoDB Streams.
    pub foreign: Option<Box<Foreign>>,
}

/// A record's own names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// `eventID`.
    pub event_id: String,
    /// `SequenceNumber`.
    pub sequence_number: String,
}

impl Change {
    /// Hash of a key, as [`Self::key_hash`] has it.
    #[must_use]
    pub fn hash_of(key: &str) -> u64 {
        hash(key)
    }

    /// Which of so many lanes it belongs to: always the same one for a key.
    #[must_use]
    pub const fn lane(&self, lanes: u64) -> u64 {
        lane(self.key_hash, lanes)
    }
}

/// Which of so many lanes the key with this hash belongs to.
pub(super) const fn lane(key_hash: u64, lanes: u64) -> u64 {
    (key_hash >> 24) % lanes
}

/// What happened to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
        log.readers.push(Place { done: oldest, gone: false });
        Reader { stream: Arc::clone(self), shard, number: log.readers.len() - 1, position: oldest }
    }

    /// Completes after the next append to a shard.
    pub fn changed(&self, shard: usize) -> Notified<'_> {
        self.shards[shard].changed.notified()
    }

    /// Appends a change to the shard of its key. The caller holds the lock of the item, so that the changes of one
    /// key are in order. Returns shard and sequence; the shard is a bit for [`Self::wake`].
    pub(super) fn append(&self, change: Change) -> (usize, u64) {
        let shard = self.shard_of(change.key_hash);
        (shard, self.shards[shard].append(change))
    }

    fn shard_of(&self, key_hash: u64) -> usize {
        key_hash as usize % self.shards.len()
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

/// What outlives a process, and what comes back after it.
impl Stream {
    /// Puts records of a former process into the empty stream, in this order, from the sequence `base` on.
    pub(super) fn restore(&self, base: u64, changes: Vec<Change>) {
        for shard in &self.shards {
            shard.log.lock().next = base;
        }
        for change in changes {
            let mut log = self.shards[self.shard_of(change.key_hash)].log.lock();
            log.push(change);
        }
    }

    /// Everything that a shard has.
    pub(super) fn records(&self, shard: usize) -> Vec<Arc<Change>> {
        self.shards[shard].log.lock().records.iter().cloned().collect()
    }

    /// By reader of a shard: the first sequence that it has not done with. A reader that is gone has come no further.
    pub(super) fn positions(&self, shard: usize) -> Vec<u64> {
        self.shards[shard].log.lock().readers.iter().map(|reader| reader.done).collect()
    }

    /// From now on readers of a shard find nothing.
    pub(super) fn hold(&self, shard: usize) {
        self.shards[shard].log.lock().held = true;
    }

    /// Ends [`Self::hold`].
    pub(super) fn release(&self, shard: usize) {
        self.shards[shard].log.lock().held = false;
        self.wake(1 << shard);
    }

    /// Where the records of a key are.
    pub(super) fn shard_of_key(&self, key: &str) -> usize {
        self.shard_of(hash(key))
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
    readers: Vec<Place>,
    /// Whether readers have to wait.
    held: bool,
}

/// How far a reader has come.
#[derive(Debug)]
struct Place {
    /// The first sequence that it has not done with.
    done: u64,
    /// Nothing is kept for a reader that is gone.
    gone: bool,
}

impl Log {
    /// Sequence of the oldest record.
    fn oldest(&self) -> u64 {
        self.next - self.records.len() as u64
    }

    /// Appends a record and returns its sequence.
    fn push(&mut self, mut change: Change) -> u64 {
        let sequence = self.next;
        change.sequence = sequence;
        self.next += 1;
        self.records.push_back(Arc::new(change));
        sequence
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

    fn append(&self, change: Change) -> u64 {
        let now = change.created_ms;
        let mut log = self.log.lock();
        let sequence = log.push(change);
        let present = log.readers.iter().filter(|reader| !reader.gone);
        let done = present.map(|reader| reader.done).min().unwrap_or(u64::MAX);
        while let Some(front) = log.records.front() {
            let spare = log.records.len() > self.retention_records && front.sequence < done;
            if !spare && now - front.created_ms < self.retention_ms {
                break;
            }
            log.records.pop_front();
        }
        sequence
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
        if log.held {
            return Vec::new();
        }
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
        self.shard().log.lock().readers[self.number].done = self.position;
    }

    fn shard(&self) -> &Shard {
        &self.stream.shards[self.shard]
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.shard().log.lock().readers[self.number].gone = true;
    }
}
