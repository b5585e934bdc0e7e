//! How the tables' writes are persisted, so that they outlive the process.
//!
//! Reads are served from memory. A [`Persistence`] gets every write while the lock of its key is held, so it sees the
//! writes of a key in their order. A write is acknowledged only once it is durable.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reference_backend::function::Table;
use reference_backend::ports::TableError;
use serde_dynamo::Item;

use super::stream::ChangeKind;

/// Where and how tables are persisted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataConfig {
    /// The directory; created if it is missing.
    pub directory: PathBuf,
    /// How long the streams wait, after a start with undelivered records, for the recipients to reconnect.
    pub wait: Duration,
}

/// Why tables cannot be persisted.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Another process has it open.
    #[error(
        "{} is in use by another process; stop that one, or give each backend a directory of its own",
        directory.display()
    )]
    InUse {
        /// Which directory.
        directory: PathBuf,
    },
    /// It cannot be written to.
    #[error(
        "cannot keep tables in {}: {reason}; give a directory that can be written to, on a disk with room",
        directory.display()
    )]
    Unusable {
        /// Which directory.
        directory: PathBuf,
        /// The reason given by the system or the store.
        reason: String,
    },
    /// A journal is damaged in its middle.
    #[error(
        "{}: {} is damaged at byte {position}: {reason}; put a copy of that file in its place, or keep the directory aside \
         and start with an empty one; `truncate --size={position} {}` gives up what follows in that file",
        directory.display(), file.display(), file.display()
    )]
    Damaged {
        /// Which directory.
        directory: PathBuf,
        /// Which file.
        file: PathBuf,
        /// Where the last batch that can be read ends.
        position: u64,
        /// What is wrong.
        reason: &'static str,
    },
    /// It contains an entry that this backend did not write.
    #[error(
        "{}: {entry} cannot be read: {reason}; start with an empty directory and keep this one aside",
        directory.display()
    )]
    Unreadable {
        /// Which directory.
        directory: PathBuf,
        /// Which entry.
        entry: String,
        /// What is wrong.
        reason: String,
    },
    /// Written by another version.
    #[error(
        "{} has tables in format {found}, and this version reads format {expected}; use the version that wrote \
         them, or an empty directory",
        directory.display()
    )]
    OtherFormat {
        /// Which directory.
        directory: PathBuf,
        /// The format there.
        found: String,
        /// The format of this version.
        expected: &'static str,
    },
    /// The tables of another game or stage.
    #[error(
        "{} has the tables of {found}, not of {asked}; give another directory, or the --game and --stage that it \
         was made with",
        directory.display()
    )]
    OtherDeployment {
        /// Which directory.
        directory: PathBuf,
        /// Whose tables it has.
        found: String,
        /// Whose were asked for.
        asked: String,
    },
}

impl DataError {
    /// Whether the caller asked for the wrong thing, as opposed to a failure of the machine.
    #[must_use]
    pub const fn is_mistake(&self) -> bool {
        matches!(self, Self::OtherFormat { .. } | Self::OtherDeployment { .. })
    }
}

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
