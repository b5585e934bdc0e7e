//! The items of one table, its index, what expires when, and its stream.
//!
//! Locks are per shard of keys, so that requests for different keys rarely meet. They are taken in one order:
//! items, then index or stream; a query takes the index first but lets go of it before it looks at items.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use parking_lot::Mutex;
use serde_dynamo::{AttributeValue, Item};

use super::TablesProfile;
use super::size::{LARGEST_ITEM, item_size};
use super::stream::{Change, ChangeKind, Stream};
use crate::function::Table;
use crate::ports::{Condition, TableError};

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
    items: HashMap<Arc<str>, Stored>,
    /// Keys by the second in which they expire; an entry may be outdated, the item decides.
    expiry: BTreeMap<i64, Vec<Arc<str>>>,
}

type Index = HashMap<String, HashSet<Arc<str>>>;

/// One table.
pub(super) struct Data {
    table: Table,
    shards: Vec<Mutex<Shard>>,
    index: Vec<Mutex<Index>>,
    pub(super) stream: Option<Arc<Stream>>,
}

/// An item that may be written: its keys are as the table wants them.
pub(super) struct Checked {
    pub(super) key: Arc<str>,
    pub(super) hash: u64,
    pub(super) stored: Stored,
}

impl Data {
    pub(super) fn new(table: Table, profile: &TablesProfile) -> Self {
        Self {
            table,
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            index: (0..SHARDS).map(|_| Mutex::default()).collect(),
            stream: table.streamed().then(|| Arc::new(Stream::new(table, profile))),
        }
    }

    pub(super) fn table(&self) -> Table {
        self.table
    }

    /// Checks an item as DynamoDB would.
    pub(super) fn check(&self, item: Item) -> Result<Checked, TableError> {
        let key: Arc<str> = match item.get(self.table.key()) {
            Some(AttributeValue::S(key)) => {
                check_key(self.table, key)?;
                key.as_str().into()
            }
            Some(other) => return Err(type_mismatch(self.table.key(), other)),
            None => {
                return Err(TableError::Validation(format!(
                    "One or more parameter values were invalid: Missing the key {} in the item",
                    self.table.key()
                )));
            }
        };
        match item.get(self.table.index_key()) {
            None | Some(AttributeValue::S(_)) => {}
            Some(other) => return Err(type_mismatch(self.table.index_key(), other)),
        }
        let size = item_size(&item);
        if size > LARGEST_ITEM {
            return Err(TableError::Validation("Item size has exceeded the maximum allowed size".into()));
        }
        let hash = hash(&key);
        Ok(Checked { key, hash, stored: Stored { item: Arc::new(item), size } })
    }

    /// Writes an item if the condition holds. Returns the stream's shards that changed, as bits.
    pub(super) fn put(
        &self,
        Checked { key, hash, stored }: Checked,
        condition: Option<&Condition>,
        now_ms: i64,
    ) -> Result<u64, TableError> {
        let mut shard = self.shard(hash);
        if condition.is_some() {
            satisfied(condition, shard.items.get(&key).map(|stored| &*stored.item))?;
        }
        if let Some(expire_at) = number(&stored.item, Table::EXPIRE_AT) {
            shard.expiry.entry(expire_at).or_default().push(Arc::clone(&key));
        }
        let previous = shard.items.insert(Arc::clone(&key), stored.clone());
        let kind = if previous.is_some() { ChangeKind::Modify } else { ChangeKind::Insert };
        self.reindex(&key, previous.as_ref().map(|stored| &*stored.item), Some(&stored.item));
        Ok(self.log(kind, key, hash, Some(stored), now_ms))
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
        satisfied(condition, shard.items.get(key).map(|stored| &*stored.item))?;
        match shard.items.remove_entry(key) {
            Some((key, stored)) => {
                self.reindex(&key, Some(&stored.item), None);
                Ok((stored.size, self.log(ChangeKind::Remove, key, hash, None, now_ms)))
            }
            None => Ok((0, 0)),
        }
    }

    /// Reads an item.
    pub(super) fn get(&self, key: &str) -> Option<Stored> {
        self.shard(hash(key)).items.get(key).cloned()
    }

    /// The items with an index value.
    pub(super) fn query(&self, value: &str) -> Vec<Stored> {
        let keys: Vec<_> = match self.index_shard(value).lock().get(value) {
            Some(keys) => keys.iter().cloned().collect(),
            None => return Vec::new(),
        };
        let same = |stored: &Stored| text(&stored.item, self.table.index_key()) == Some(value);
        keys.iter().filter_map(|key| self.get(key)).filter(same).collect()
    }

    /// Deletes what expired before the second `now`. Returns how many items.
    pub(super) fn sweep(&self, now: i64, now_ms: i64) -> usize {
        (0..SHARDS).map(|shard| self.sweep_shard(shard, now, now_ms)).sum()
    }

    fn sweep_shard(&self, shard: usize, now: i64, now_ms: i64) -> usize {
        let mut deleted = 0;
        loop {
            let mut shard = self.shards[shard].lock();
            let Some(mut due) = shard.expiry.first_entry().filter(|first| *first.key() < now) else {
                return deleted;
            };
            let step = due.get().len().saturating_sub(SWEEP_STEP);
            let keys = due.get_mut().split_off(step);
            if step == 0 {
                due.remove();
            }
            let mut touched = 0;
            for key in keys {
                let expired = |stored: &Stored| {
                    number(&stored.item, Table::EXPIRE_AT).is_some_and(|expire_at| expire_at < now)
                };
                if !shard.items.get(&key).is_some_and(expired) {
                    continue;
                }
                if let Some(stored) = shard.items.remove(&key) {
                    self.reindex(&key, Some(&stored.item), None);
                    let hash = hash(&key);
                    touched |= self.log(ChangeKind::Expire, key, hash, None, now_ms);
                    deleted += 1;
                }
            }
            drop(shard);
            self.wake(touched);
        }
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

    fn reindex(&self, key: &Arc<str>, previous: Option<&Item>, new: Option<&Item>) {
        let attribute = self.table.index_key();
        let previous = previous.and_then(|item| text(item, attribute));
        let new = new.and_then(|item| text(item, attribute));
        if previous == new {
            return;
        }
        if let Some(value) = previous {
            let mut index = self.index_shard(value).lock();
            if let Some(keys) = index.get_mut(value) {
                keys.remove(key);
                if keys.is_empty() {
                    index.remove(value);
                }
            }
        }
        if let Some(value) = new {
            let mut index = self.index_shard(value).lock();
            match index.get_mut(value) {
                Some(keys) => {
                    keys.insert(Arc::clone(key));
                }
                None => {
                    index.insert(value.to_owned(), HashSet::from([Arc::clone(key)]));
                }
            }
        }
    }

    fn log(
        &self,
        kind: ChangeKind,
        key: Arc<str>,
        key_hash: u64,
        stored: Option<Stored>,
        created_ms: i64,
    ) -> u64 {
        let Some(stream) = &self.stream else { return 0 };
        let size = self.table.key().len() + key.len() + stored.as_ref().map_or(0, |stored| stored.size);
        let new_image = stored.map(|stored| stored.item);
        stream.append(Change { kind, key, key_hash, new_image, size, created_ms, sequence: 0 })
    }
}

/// Hash of a key; stable within the process.
pub(super) fn hash(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

/// Refuses a key value that DynamoDB refuses.
pub(super) fn check_key(table: Table, key: &str) -> Result<(), TableError> {
    if key.is_empty() {
        return Err(TableError::Validation(format!(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an \
             empty string value. Key: {}",
            table.key()
        )));
    }
    if key.len() > 2_048 {
        return Err(TableError::Validation(
            "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes"
                .into(),
        ));
    }
    Ok(())
}

fn type_mismatch(attribute: &str, value: &AttributeValue) -> TableError {
    let actual = match value {
        AttributeValue::S(_) => "S",
        AttributeValue::N(_) => "N",
        AttributeValue::B(_) => "B",
        AttributeValue::Bool(_) => "BOOL",
        AttributeValue::Null(_) => "NULL",
        AttributeValue::M(_) => "M",
        AttributeValue::L(_) => "L",
        AttributeValue::Ss(_) => "SS",
        AttributeValue::Ns(_) => "NS",
        AttributeValue::Bs(_) => "BS",
    };
    TableError::Validation(format!(
        "One or more parameter values were invalid: Type mismatch for key {attribute} expected: S actual: {actual}"
    ))
}

fn satisfied(condition: Option<&Condition>, current: Option<&Item>) -> Result<(), TableError> {
    let holds = match (condition, current) {
        (None, _) | (Some(Condition::Absent | Condition::AbsentOrAtMost { .. }), None) => true,
        (Some(Condition::Absent), Some(_)) | (Some(Condition::Equals { .. }), None) => false,
        (Some(Condition::Equals { attribute, value }), Some(item)) => {
            text(item, attribute) == Some(value.as_str())
        }
        (Some(Condition::AbsentOrAtMost { attribute, value }), Some(item)) => {
            number(item, attribute).is_some_and(|current| current <= *value)
        }
    };
    if holds { Ok(()) } else { Err(TableError::ConditionFailed) }
}

fn text<'a>(item: &'a Item, attribute: &str) -> Option<&'a str> {
    match item.get(attribute)? {
        AttributeValue::S(text) => Some(text),
        _ => None,
    }
}

fn number(item: &Item, attribute: &str) -> Option<i64> {
    match item.get(attribute)? {
        AttributeValue::N(number) => number.parse().ok(),
        _ => None,
    }
}
