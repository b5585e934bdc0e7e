//! Why an experiment has no result.

use std::io;
use std::path::PathBuf;

use reports::folder::FolderError;

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum ExperimentError {
    /// A file could not be written, or the program not be started.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A run left no folder that can be read.
    #[error("the run left nothing to read: {source}\n{said}")]
    Folder {
        /// Why not.
        source: FolderError,
        /// What the run said.
        said: String,
    },
    /// The generator could not keep its schedule, however often it was tried.
    #[error(
        "no valid run of {arm} in {attempts} attempts, the last one for {reason}; try again on a quieter machine, or with --jobs 1"
    )]
    Invalid {
        /// The arm.
        arm: String,
        /// How often it was tried.
        attempts: u32,
        /// Why the last one was not valid.
        reason: String,
    },
}

impl ExperimentError {
    /// For `map_err`.
    pub(super) fn io(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source }
    }
}
