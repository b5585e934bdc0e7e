//! Why a history cannot be read or written, each with its remedy.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reports::folder::FolderError;
use rusqlite::ErrorCode;

/// How long a writer waits for another.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A failure of the history.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The path is neither a run folder nor that of a search nor criterion's.
    #[error(
        "{}: neither a run folder (manifest.json), nor that of a capacity search (capacity.json), nor criterion's \
         (*/new/estimates.json); name one of these, e.g. runs/NAME or target/criterion",
        path.display()
    )]
    NotASource {
        /// What was named.
        path: PathBuf,
    },
    /// A run or search is not over.
    #[error("{}: it is still running, or was killed; add it when it is over, or run it again", path.display())]
    Unfinished {
        /// Its folder.
        path: PathBuf,
    },
    /// A folder cannot be read.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A file cannot be read.
    #[error("cannot read {}: {source}; check the path and its mode", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// A file of criterion's is malformed.
    #[error("{}: {source}; run the bench again, or remove its folder", path.display())]
    Criterion {
        /// The file.
        path: PathBuf,
        /// The parser's message.
        source: serde_json::Error,
    },
    /// There is no history yet.
    #[error("{}: there is no history yet; begin one with `loadgen history add RUN`, or name another with --db", path.display())]
    Missing {
        /// The database.
        path: PathBuf,
    },
    /// The file is no database, or broken.
    #[error(
        "{}: not a history, or a broken one ({reason}); restore it from a copy, move it away to begin a new one, or name another \
         with --db",
        path.display()
    )]
    Broken {
        /// The database.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file is a database of something else.
    #[error("{}: a database of another program; name another file with --db", path.display())]
    Foreign {
        /// The database.
        path: PathBuf,
    },
    /// A later version wrote it.
    #[error(
        "{}: version {found} of the history, but this loadgen reads up to {known}; use a loadgen as new as the one that wrote it",
        path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// The version it states.
        found: i64,
        /// The latest version that can be read.
        known: i64,
    },
    /// Others write it all the time.
    #[error("{}: others have been writing it for {seconds} s; try again", path.display())]
    Busy {
        /// The database.
        path: PathBuf,
        /// How long it was awaited.
        seconds: u64,
    },
    /// The file or its folder cannot be written.
    #[error("{}: cannot be opened or written ({reason}); check the path, its owner and mode, or name another with --db", path.display())]
    Denied {
        /// The database.
        path: PathBuf,
        /// SQLite's message.
        reason: String,
    },
    /// The disk is full; what was there before is whole.
    #[error("{}: the disk is full; free some space and add again: the history is as it was", path.display())]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// SQLite failed otherwise.
    #[error("{}: {reason}; check the disk, or name another file with --db", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// SQLite's message.
        reason: String,
    },
    /// The export could not be made.
    #[error("cannot write the export: {reason}; check the disk and the path")]
    Export {
        /// Why not.
        reason: String,
    },
}

impl HistoryError {
    /// For `map_err`: what SQLite says of the database `path`.
    pub(crate) fn of(path: &Path) -> impl Fn(rusqlite::Error) -> Self + Copy {
        move |error| {
            let path = path.to_path_buf();
            let reason = error.to_string();
            match error.sqlite_error_code() {
                Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Self::Broken { path, reason },
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                    Self::Busy { path, seconds: PATIENCE.as_secs() }
                }
                Some(ErrorCode::DiskFull) => Self::Full { path },
                Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                    Self::Denied { path, reason }
                }
                Some(_) => Self::Database { path, reason },
                // Not SQLite itself: a value is not of the type that it has in a history.
                None => Self::Broken { path, reason },
            }
        }
    }
}
