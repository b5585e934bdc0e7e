//! Errors of writing and reading a run folder, each with its file and its remedy.

use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// A failure to write or read a run folder.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The operating system refused, e.g. because the disk is full.
    #[error("cannot {action} {path}: {source}; {}", remedy(source))]
    Io {
        /// What was tried, e.g. `write`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// A new run was to be written over something else.
    #[error("{path} exists and is not empty; choose another directory with --out or remove it")]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
    /// A document, or a line of a file of lines, does not match the format.
    #[error("{}: {source}; restore the file or remove the line", place(path, *line))]
    Json {
        /// The file.
        path: PathBuf,
        /// Line, from 1, in a file of lines.
        line: Option<usize>,
        /// The parser's message.
        source: serde_json::Error,
    },
    /// A line of the interval log is malformed.
    #[error("{}: {reason}; restore the file or remove the line", place(path, Some(*line)))]
    Interval {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A line is so long that it is none of a run folder.
    #[error("{}: the line does not end within 64 MiB; restore the file or remove the line", place(path, Some(*line)))]
    Endless {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
    },
    /// A histogram or its tag cannot be written to an interval log.
    #[error("{path}: cannot log a histogram under the tag {tag:?}: {reason}; rename the operation")]
    Unloggable {
        /// The file.
        path: PathBuf,
        /// The requested tag.
        tag: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The document is of a version that cannot be read, for instance a later one.
    #[error(
        "{path}: schema version {found}, but this loadgen reads {}; use a loadgen as new as the one that wrote it",
        versions(read)
    )]
    SchemaVersion {
        /// The file.
        path: PathBuf,
        /// The version it states.
        found: u32,
        /// The versions that can be read.
        read: RangeInclusive<u32>,
    },
}

impl FolderError {
    /// For `map_err`: wraps an I/O error with what was tried and where.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { action, path, source }
    }
}

fn place(path: &Path, line: Option<usize>) -> String {
    match line {
        Some(line) => format!("{}:{line}", path.display()),
        None => path.display().to_string(),
    }
}

fn versions(read: &RangeInclusive<u32>) -> String {
    if read.start() == read.end() {
        format!("version {}", read.end())
    } else {
        format!("versions {} to {}", read.start(), read.end())
    }
}

fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free disk space, or write to another disk with --out"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "check the directory's owner and mode, or choose another one with --out"
        }
        io::ErrorKind::NotFound => "check that the path names a run folder",
        _ => "check the disk and the path",
    }
}
