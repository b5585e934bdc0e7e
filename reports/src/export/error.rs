//! Why a run could not be written in a format.

use std::fmt::Display;

use super::Format;

/// A library refused to write what it was given.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the run as {format:?}: {reason}; please report this with the run folder")]
pub struct ExportError {
    format: Format,
    reason: String,
}

impl ExportError {
    pub(super) fn new(format: Format, reason: impl Display) -> Self {
        Self { format, reason: reason.to_string() }
    }
}
