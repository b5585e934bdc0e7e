//! Why tables cannot be persisted in a directory.

use std::path::{Path, PathBuf};

use reference_backend_local::storage::StorageError;

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

impl From<DataError> for StorageError {
    fn from(error: DataError) -> Self {
        let mistake = error.is_mistake();
        Self::new(error, mistake)
    }
}

/// The directory cannot be used.
pub(super) fn unusable(directory: &Path, reason: String) -> DataError {
    DataError::Unusable { directory: directory.to_owned(), reason }
}

/// The error of a failed read: the system failed, or an entry is corrupt.
pub(super) fn not_read(directory: &Path, entry: &str, error: &fjall::Error) -> DataError {
    match error {
        fjall::Error::Io(_) | fjall::Error::Storage(fjall::LsmError::Io(_)) => {
            unusable(directory, reason(error))
        }
        error => DataError::Unreadable {
            directory: directory.to_owned(),
            entry: entry.to_owned(),
            reason: reason(error),
        },
    }
}

/// The text of a store's error.
pub(super) fn reason(error: &fjall::Error) -> String {
    match error {
        fjall::Error::Io(error) => error.to_string(),
        fjall::Error::Storage(error) => error.to_string(),
        fjall::Error::Poisoned => "an earlier write has failed".into(),
        error => error.to_string(),
    }
}
