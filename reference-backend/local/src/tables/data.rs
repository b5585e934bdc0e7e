//! The items of one table, its index, what expires when, and its stream.
//!
//! Locks are per shard of keys, so that requests for different keys rarely meet. They are taken in one order:
//! items, then index or stream; a query takes the index first but lets go of it before it looks at items.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use parking_lot::Mutex;
use reference_backend::function::Table;
use reference_backend::ports::{Condition, TableError};
use serde_dynamo::{AttributeValue, Item};

use super::TablesProfile;
use super::check::check_item;
use super::keys::{Key, Keyed, Keys, hash};
use super::number::{compare, floor};
use super::persistence::{Logged, Persistence, Write};
use super::size::{LARGEST_ITEM, item_size};
use super::stream::{Change, ChangeKind, Stream};

const SHARDS: usize = 32;
/// Items deleted at most under one lock while sweeping.
const SWEEP_STEP: usize = 256;

/// One stored item.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    /// Shared with the stream.
    pub(super) item: Arc<Item>,
    /// Its bytes.
    pub(super) size: usize,
}

#[derive(Default)]
struct Shard {
    items: Keyed<Stored>,
    /// Keys by the second in which they expire: one entry for each item that does.
    expiry: BTreeMap<i64, Keys>,
}

impl Shard {
    /// Replaces the entry of when an item expires, so that an item that is written often has one entry only.
    fn update_expiry(&mut self, key: &Key, previous: Option<&Stored>, new: Option<&Stored>) {
        let of = |stored: &Stored| expires_at(&stored.item);
        let (previous, new) = (previous.and_then(of), new.and_then(of));
        if previous == new {
            return;
        }
        if let Some(expire_at) = previous
            && let Some(keys) = self.expiry.get_mut(&expire_at)
        {
            keys.remove(key.hash, &key.text);
            if keys.is_empty() {
                self.expiry.remove(&expire_at);
            }
        }
        if let Some(expire_at) = new {
            self.expiry.entry(expire_at).or_default().insert(key.clone(), ());
        }
    }
}

type Index = HashMap<String, Keys>;

/// One table.
pub(super) struct Data {
    table: Table,
    shards: Vec<Mutex<Shard>>,
    index: Vec<Mutex<Index>>,
    pub(super) stream: Option<Arc<Stream>>,
    /// Gets every write, if writes are to outlive the process.
    persistence: Option<Arc<dyn Persistence>>,
}

/// An item that passed the checks of its table.
pub(super) struct Checked {
    pub(super) key: Key,
    pub(super) stored: Stored,
}

impl Data {
    pub(super) fn new(
        table: Table,
        profile: &TablesProfile,
        persistence: Option<Arc<dyn Persistence>>,
    ) -> Self {
        Self {
            table,
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            index: (0..SHARDS).map(|_| Mutex::default()).collect(),
            stream: table.streamed().then(|| Arc::new(Stream::new(table, profile))),
            persistence,
        }
    }

    pub(super) fn table(&self) -> Table {
        self.table
    }

    /// Checks an item as DynamoDB would.
    pub(super) fn check(&self, mut item: Item) -> Result<Checked, TableError> {
        check_item(self.table, &mut item)?;
        let key = Key::from(text(&item, self.table.key()).unwrap_or_default());
        let size = item_size(&item);
        if size > LARGEST_ITEM {
            return Err(TableError::Validation("Item size has exceeded the maximum allowed size".into()));
        }
        Ok(Checked { key, stored: Stored { item: Arc::new(item), size } })
    }

    /// Writes an item if the condition holds. Returns the stream's shards that changed, as bits.
    pub(super) fn put(
        &self,
        Checked { key, stored }: Checked,
        condition: Option<&Condition>,
        now_ms: i64,
    ) -> Result<u64, TableError> {
        let mut shard = self.shard(key.hash);
        if condition.is_some() {
            satisfied(condition, shard.items.get(key.hash, &key.text).map(|stored| &*stored.item))?;
        }
        let previous = shard.items.insert(key.clone(), stored.clone());
        shard.update_expiry(&key, previous.as_ref(), Some(&stored));
        // A write that changes nothing leaves no trace in the stream.
        if previous.as_ref().is_some_and(|previous| previous.item == stored.item) {
            return Ok(0);
        }
        let kind = if previous.is_some() { ChangeKind::Modify } else { ChangeKind::Insert };
        self.reindex(&key, previous.as_ref().map(|stored| &*stored.item), Some(&stored.item));
        Ok(self.log(kind, key, Some(stored), now_ms))
    }

    /// Deletes an item if the condition holds. Returns its bytes and the stream's shards that changed.
    pub(super) fn delete(
        &self,
        key: &str,
        condition: Option<&Condition>,
        now_ms: i64,
    ) -> Result<(usize, u64), TableError> {
        let hash = hash(key);
        let mut shard = self.shard(hash);
        satisfied(condition, shard.items.get(hash, key).map(|stored| &*stored.item))?;
        match shard.items.remove(hash, key) {
            Some((key, stored)) => {
                shard.update_expiry(&key, Some(&stored), None);
                self.reindex(&key, Some(&stored.item), None);
                Ok((stored.size, self.log(ChangeKind::Remove, key, None, now_ms)))
            }
            None => Ok((0, 0)),
        }
    }

    /// Restores an item of an earlier process, without a stream record.
    pub(super) fn restore(&self, Checked { key, stored }: Checked) {
        let mut shard = self.shard(key.hash);
        shard.update_expiry(&key, None, Some(&stored));
        self.reindex(&key, None, Some(&stored.item));
        shard.items.insert(key, stored);
    }

    /// Filters and maps all items.
    pub(super) fn scan<T>(&self, wanted: impl Fn(&Item) -> Option<T>) -> Vec<T> {
        let mut found = Vec::new();
        for shard in &self.shards {
            found.extend(shard.lock().items.iter().filter_map(|(_, stored)| wanted(&stored.item)));
        }
        found
    }

    /// Reads an item.
    pub(super) fn get(&self, key: &str) -> Option<Stored> {
        self.read(hash(key), key)
    }

    fn read(&self, hash: u64, key: &str) -> Option<Stored> {
        self.shard(hash).items.get(hash, key).cloned()
    }

    /// The items with an index value.
    pub(super) fn query(&self, value: &str) -> Vec<Stored> {
        let keys: Vec<_> = match self.index_shard(value).lock().get(value) {
            Some(keys) => keys.iter().map(|(key, ())| key.clone()).collect(),
            None => return Vec::new(),
        };
        let same = |stored: &Stored| text(&stored.item, self.table.index_key()) == Some(value);
        keys.iter().filter_map(|key| self.read(key.hash, &key.text)).filter(same).collect()
    }

    /// Deletes the items that expired before the second `now` and returns their number. It yields in between, because
    /// one second of load can leave tens of thousands of items.
    pub(super) async fn sweep(&self, now: i64, now_ms: i64) -> usize {
        let mut deleted = 0;
        for shard in &self.shards {
            while let Some(more) = self.sweep_some(shard, now, now_ms) {
                deleted += more;
                tokio::task::yield_now().await;
            }
        }
        deleted
    }

    /// Deletes a step of a shard's expired items; none if none has expired.
    fn sweep_some(&self, shard: &Mutex<Shard>, now: i64, now_ms: i64) -> Option<usize> {
        let mut shard = shard.lock();
        let mut due = shard.expiry.first_entry().filter(|first| *first.key() < now)?;
        let keys = due.get_mut().take_some(SWEEP_STEP);
        if due.get().is_empty() {
            due.remove();
        }
        let (mut touched, mut deleted) = (0, 0);
        for key in keys {
            if let Some((key, stored)) = shard.items.remove(key.hash, &key.text) {
                self.reindex(&key, Some(&stored.item), None);
                touched |= self.log(ChangeKind::Expire, key, None, now_ms);
                deleted += 1;
            }
        }
        drop(shard);
        self.wake(touched);
        Some(deleted)
    }

    /// Number of expiry entries.
    #[cfg(test)]
    pub(super) fn expiry_entries(&self) -> usize {
        let of = |shard: &Mutex<Shard>| {
            shard.lock().expiry.values().map(|keys| keys.iter().count()).sum::<usize>()
        };
        self.shards.iter().map(of).sum()
    }

    /// Wakes the readers of the stream's shards in `touched`.
    pub(super) fn wake(&self, touched: u64) {
        if let (Some(stream), 1..) = (&self.stream, touched) {
            stream.wake(touched);
        }
    }

    fn shard(&self, hash: u64) -> parking_lot::MutexGuard<'_, Shard> {
        // The upper half: the lower one already chooses the stream's shard.
        self.shards[(hash >> 32) as usize % SHARDS].lock()
    }

    fn index_shard(&self, value: &str) -> &Mutex<Index> {
        &self.index[hash(value) as usize % SHARDS]
    }

    fn reindex(&self, key: &Key, previous: Option<&Item>, new: Option<&Item>) {
        let attribute = self.table.index_key();
        let previous = previous.and_then(|item| text(item, attribute));
        let new = new.and_then(|item| text(item, attribute));
        if previous == new {
            return;
        }
        if let Some(value) = previous {
            let mut index = self.index_shard(value).lock();
            if let Some(keys) = index.get_mut(value) {
                keys.remove(key.hash, &key.text);
                if keys.is_empty() {
                    index.remove(value);
                }
            }
        }
        if let Some(value) = new {
            let mut index = self.index_shard(value).lock();
            match index.get_mut(value) {
                Some(keys) => keys.insert(key.clone(), ()),
                None => index.entry(value.to_owned()).or_default().insert(key.clone(), ()),
            };
        }
    }

    /// Passes a change to stream and persistence. Returns the stream's shards that changed, as bits.
    fn log(
        &self,
        kind: ChangeKind,
        Key { text: key, hash: key_hash }: Key,
        stored: Option<Stored>,
        created_ms: i64,
    ) -> u64 {
        let size = self.table.key().len() + key.len() + stored.as_ref().map_or(0, |stored| stored.size);
        let item = stored.map(|stored| stored.item);
        let logged = self.stream.as_ref().map(|stream| {
            let (key, new_image) = (Arc::clone(&key), item.clone());
            let (shard, sequence) = stream.append(Change {
                kind,
                key,
                key_hash,
                new_image,
                size,
                created_ms,
                sequence: 0,
                foreign: None,
            });
            Logged { shard, sequence, kind, key_hash, size, created_ms }
        });
        if let Some(persistence) = &self.persistence {
            persistence.write(Write { table: self.table, key, item, logged });
        }
        logged.map_or(0, |logged| 1 << logged.shard)
    }
}

fn satisfied(condition: Option<&Condition>, current: Option<&Item>) -> Result<(), TableError> {
    let holds = match (condition, current) {
        (None, _)
        | (Some(Condition::Absent | Condition::AbsentOrAtMost { .. } | Condition::NotAbove { .. }), None) => {
            true
        }
        (Some(Condition::Absent), Some(_)) | (Some(Condition::Equals { .. }), None) => false,
        (Some(Condition::Equals { attribute, value }), Some(item)) => {
            text(item, attribute) == Some(value.as_str())
        }
        (Some(Condition::AbsentOrAtMost { attribute, value }), Some(item)) => {
            matches!(item.get(*attribute), Some(AttributeValue::N(current)) if compare(current, *value).is_le())
        }
        (Some(Condition::NotAbove { attribute, value }), Some(item)) => {
            !matches!(item.get(*attribute), Some(AttributeValue::N(current)) if compare(current, *value).is_gt())
        }
    };
    if holds { Ok(()) } else { Err(TableError::ConditionFailed) }
}

/// A string attribute.
#[must_use]
pub fn text<'a>(item: &'a Item, attribute: &str) -> Option<&'a str> {
    match item.get(attribute)? {
        AttributeValue::S(text) => Some(text),
        _ => None,
    }
}

/// The second in which an item expires; a value that is not a number never does. The fraction is cut off, which does
/// not change a comparison with whole seconds.
fn expires_at(item: &Item) -> Option<i64> {
    match item.get(Table::EXPIRE_AT)? {
        AttributeValue::N(number) => floor(number),
        _ => None,
    }
}
