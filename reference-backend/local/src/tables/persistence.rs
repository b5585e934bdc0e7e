//! How the tables' writes are persisted, so that they outlive the process.
//!
//! Reads are served from memory. A [`Persistence`] gets every write while the lock of its key is held, so it sees the
//! writes of a key in their order. A write is acknowledged only once it is durable.

use std::sync::Arc;

use async_trait::async_trait;
use reference_backend::function::Table;
use reference_backend::ports::TableError;
use serde_dynamo::Item;

use super::stream::ChangeKind;

/// One write, as applied in memory.
#[derive(Debug, Clone)]
pub struct Write {
    /// Its table.
    pub table: Table,
    /// Key of the item.
    pub key: Arc<str>,
    /// The new item; none after a deletion.
    pub item: Option<Arc<Item>>,
    /// Its stream record, if the table has a stream. The record's image is the item.
    pub logged: Option<Logged>,
}

/// A record of a stream, without its image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Logged {
    /// Its shard.
    pub shard: usize,
    /// Its position in the shard.
    pub sequence: u64,
    /// What happened.
    pub kind: ChangeKind,
    /// Hash of the key; selects the lane.
    pub key_hash: u64,
    /// Size of key and image in bytes.
    pub size: usize,
    /// Creation time, epoch milliseconds.
    pub created_ms: i64,
}

/// Persists writes beyond the process.
#[async_trait]
pub trait Persistence: Send + Sync {
    /// Whether writes can be persisted. The first failure is permanent.
    ///
    /// # Errors
    /// [`TableError::Unavailable`] with the reason.
    fn writable(&self) -> Result<(), TableError>;

    /// Queues a write. Called under the lock of the item, so it must not block.
    fn write(&self, write: Write);

    /// Waits until every write queued before is durable.
    ///
    /// # Errors
    /// [`TableError::Unavailable`]: some writes may be lost.
    async fn flushed(&self) -> Result<(), TableError>;

    /// Saves how far the streams have delivered, and closes the directory.
    async fn close(&self);
}
