//! Keys and values of the store. Keys are readable and sort by table, shard and sequence.

use std::sync::Arc;

use reference_backend::function::Table;
use reference_backend_local::tables::{Change, ChangeKind, Logged};
use serde::{Deserialize, Serialize};
use serde_dynamo::Item;
use serde_json::value::RawValue;

/// The store's key of an item.
pub(super) fn item_key(table: Table, key: &str) -> String {
    format!("{}/{key}", table.short_name())
}

/// Table and key of an item.
pub(super) fn parse_item_key(key: &[u8]) -> Option<(Table, &str)> {
    let (table, key) = str::from_utf8(key).ok()?.split_once('/')?;
    Some((parse_table(table)?, key))
}

/// The store's key of a record.
pub(super) fn record_key(table: Table, shard: usize, sequence: u64) -> String {
    format!("{}/{shard:03}/{sequence:020}", table.short_name())
}

/// Table, shard and sequence of a record.
pub(super) fn parse_record_key(key: &[u8]) -> Option<(Table, usize, u64)> {
    let mut parts = str::from_utf8(key).ok()?.split('/');
    Some((parse_table(parts.next()?)?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// The store's key of a shard's checkpoints.
pub(super) fn positions_key(table: Table, shard: usize) -> String {
    format!("positions/{}/{shard:03}", table.short_name())
}

/// Table and shard of checkpoints.
pub(super) fn parse_positions_key(key: &[u8]) -> Option<(Table, usize)> {
    let mut parts = str::from_utf8(key).ok()?.strip_prefix("positions/")?.split('/');
    Some((parse_table(parts.next()?)?, parts.next()?.parse().ok()?))
}

fn parse_table(name: &str) -> Option<Table> {
    name.parse().ok()
}

/// An item as DynamoDB JSON.
pub(super) fn item(item: &Item) -> Box<RawValue> {
    // Maps with string keys, strings and booleans always serialize to JSON.
    serde_json::value::to_raw_value(item).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// A record as it is written.
#[derive(Serialize)]
struct NewRecord<'a> {
    kind: ChangeKind,
    key: &'a str,
    key_hash: u64,
    size: usize,
    created_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'a RawValue>,
}

/// A record as it is read.
#[derive(Deserialize)]
pub(super) struct Record {
    kind: ChangeKind,
    key: String,
    /// By the hash of the process that wrote it; selects the lane in that process.
    pub(super) key_hash: u64,
    size: usize,
    created_ms: i64,
    #[serde(default)]
    image: Option<Item>,
}

/// The value of a record; the image is an [`item`].
pub(super) fn record(key: &str, logged: &Logged, image: Option<&RawValue>) -> Vec<u8> {
    let Logged { kind, key_hash, size, created_ms, .. } = *logged;
    let record = NewRecord { kind, key, key_hash, size, created_ms, image };
    serde_json::to_vec(&record).unwrap_or_default()
}

impl From<Record> for Change {
    /// For a stream of this process, so with this process's hash.
    fn from(record: Record) -> Self {
        Self {
            kind: record.kind,
            key_hash: Self::hash_of(&record.key),
            key: record.key.into(),
            new_image: record.image.map(Arc::new),
            size: record.size,
            created_ms: record.created_ms,
            sequence: 0,
            foreign: None,
        }
    }
}
