//! What the tables tell of their writes, so that these can outlive the process.
//!
//! Memory stays what is read. A [`Keeper`] gets every write while the lock of its key is held, so that it sees them in
//! the order in which they happened, and a write is acknowledged only when the keeper says that it has it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reference_backend::function::Table;
use reference_backend::ports::TableError;
use serde_dynamo::Item;

use super::stream::ChangeKind;

/// Where and how tables are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataConfig {
    /// The directory; it is made if it is missing.
    pub directory: PathBuf,
    /// How long the streams wait, after a start with undelivered records, for their recipients to connect again.
    pub wait: Duration,
}

/// Why tables cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Somebody else has it.
    #[error(
        "{} is in use by another process; stop that one, or give each backend a directory of its own",
        directory.display()
    )]
    InUse {
        /// Which directory.
        directory: PathBuf,
    },
    /// No place to write.
    #[error(
        "cannot keep tables in {}: {reason}; give a directory that can be written to, on a disk with room",
        directory.display()
    )]
    Unusable {
        /// Which directory.
        directory: PathBuf,
        /// What the system or the store says.
        reason: String,
    },
    /// A journal lacks something in its middle.
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
    /// Something in it is not as this backend writes it.
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
    /// Whether something else should have been asked for, rather than the machine having failed.
    #[must_use]
    pub const fn is_mistake(&self) -> bool {
        matches!(self, Self::OtherFormat { .. } | Self::OtherDeployment { .. })
    }
}

/// One write, as it stands in memory now.
#[derive(Debug, Clone)]
pub struct Write {
    /// Where.
    pub table: Table,
    /// Which item.
    pub key: Arc<str>,
    /// What it is from now on; nothing after a deletion.
    pub item: Option<Arc<Item>>,
    /// The stream's record of it, if the table has a stream. Its image is the item.
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
    /// Hash of the key, by which lanes are told apart.
    pub key_hash: u64,
    /// Bytes of key and image.
    pub size: usize,
    /// When, epoch milliseconds.
    pub created_ms: i64,
}

/// Keeps writes beyond the process.
#[async_trait]
pub trait Keeper: Send + Sync {
    /// Whether writes can be kept; once they cannot, that stays so.
    ///
    /// # Errors
    /// [`TableError::Unavailable`] with the reason.
    fn usable(&self) -> Result<(), TableError>;

    /// Takes a write. Called under the lock of the item, so it does not wait for anything.
    fn write(&self, write: Write);

    /// Waits until everything that was written before is kept.
    ///
    /// # Errors
    /// [`TableError::Unavailable`]: some of it may be lost.
    async fn settled(&self) -> Result<(), TableError>;

    /// Keeps what the streams have delivered until now, too, and lets go of the directory.
    async fn close(&self);
}
