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
    /// Its identifiers, if it comes from DynamoDB Streams.
    pub foreign: Option<Box<Foreign>>,
}

/// The identifiers that DynamoDB Streams gave a record.
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

    /// Its lane among `lanes`: always the same one for a key.
    #[must_use]
    pub const fn lane(&self, lanes: u64) -> u64 {
        lane(self.key_hash, lanes)
    }
}

/// The lane among `lanes` that a key with this hash belongs to.
#[must_use]
pub const fn lane(key_hash: u64, lanes: u64) -> u64 {
    (key_hash >> 24) % lanes
}

/// What happened to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChangeKind {
    /// It is new.
    Insert,
    /// It was replaced.
    Modify,
    /// It was deleted.
    Remove,
    /// Its time to live expired.
    Expire,
}

impl ChangeKind {
    /// `eventName` of its record.
    #[must_use]
    pub const fn event_name(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Modify => "MODIFY",
            Self::Remove | Self::Expire => "REMOVE",
        }
    }
}

/// The stream of one table.
#[derive(Debug)]
pub struct Stream {
    /// The table.
    pub table: Table,
    shards: Vec<Shard>,
}

impl Stream {
    pub(super) fn new(table: Table, profile: &TablesProfile) -> Self {
        let shards = (0..profile.stream_shards).map(|_| Shard::new(profile)).collect();
        Self { table, shards }
    }

    /// Number of shards.
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
        log.readers.push(Checkpoint { done: oldest, closed: false });
        Reader { stream: Arc::clone(self), shard, number: log.readers.len() - 1, position: oldest }
    }

    /// Completes after the next append to a shard.
    pub fn changed(&self, shard: usize) -> Notified<'_> {
        self.shards[shard].changed.notified()
    }

    /// Appends a change to the shard of its key. The caller holds the lock of the item, so that the changes of one
    /// key are in order. Returns shard and sequence.
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

/// What a [`Persistence`](super::Persistence) needs.
impl Stream {
    /// Appends records of an earlier process to the empty stream, in this order, from the sequence `base` on.
    pub fn restore(&self, base: u64, changes: Vec<Change>) {
        for shard in &self.shards {
            shard.log.lock().next = base;
        }
        for change in changes {
            let mut log = self.shards[self.shard_of(change.key_hash)].log.lock();
            log.push(change);
        }
    }

    /// All records of a shard.
    #[must_use]
    pub fn records(&self, shard: usize) -> Vec<Arc<Change>> {
        self.shards[shard].log.lock().records.iter().cloned().collect()
    }

    /// The checkpoint of each reader of a shard: the first sequence that is not processed. A closed reader keeps its
    /// last one.
    #[must_use]
    pub fn positions(&self, shard: usize) -> Vec<u64> {
        self.shards[shard].log.lock().readers.iter().map(|reader| reader.done).collect()
    }

    /// Pauses a shard: its readers find no records.
    pub fn pause(&self, shard: usize) {
        self.shards[shard].log.lock().paused = true;
    }

    /// Ends [`Self::pause`].
    pub fn resume(&self, shard: usize) {
        self.shards[shard].log.lock().paused = false;
        self.wake(1 << shard);
    }

    /// The shard of a key.
    #[must_use]
    pub fn shard_of_key(&self, key: &str) -> usize {
        self.shard_of(hash(key))
    }
}

/// One shard of a stream.
#[derive(Debug)]
struct Shard {
    log: Mutex<Log>,
    /// Notified after an append.
    changed: Notify,
    retention_records: usize,
    retention_ms: i64,
}

#[derive(Debug, Default)]
struct Log {
    records: VecDeque<Arc<Change>>,
    /// Sequence of the next record.
    next: u64,
    readers: Vec<Checkpoint>,
    /// Whether readers find no records for now.
    paused: bool,
}

/// How far a reader has processed a shard.
#[derive(Debug)]
struct Checkpoint {
    /// The first sequence that is not processed.
    done: u64,
    /// Whether the reader was dropped; no records are retained for it.
    closed: bool,
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
        let present = log.readers.iter().filter(|reader| !reader.closed);
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

/// A reader of a shard.
#[derive(Debug)]
pub struct Reader {
    stream: Arc<Stream>,
    shard: usize,
    number: usize,
    position: u64,
}

impl Reader {
    /// Up to `limit` further records that `wanted` accepts. Records that it rejects are skipped for good.
    pub fn read(&mut self, limit: usize, mut wanted: impl FnMut(&Change) -> bool) -> Vec<Arc<Change>> {
        let log = self.shard().log.lock();
        if log.paused {
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

    /// The stream and the number of the shard.
    #[must_use]
    pub fn stream_and_shard(&self) -> (Arc<Stream>, usize) {
        (Arc::clone(&self.stream), self.shard)
    }

    /// Sets the checkpoint: everything read so far is processed.
    pub fn commit(&self) {
        self.shard().log.lock().readers[self.number].done = self.position;
    }

    fn shard(&self) -> &Shard {
        &self.stream.shards[self.shard]
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.shard().log.lock().readers[self.number].closed = true;
    }
}
