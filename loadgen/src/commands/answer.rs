//! What a command that did its work has to say.

use std::path::Path;

use output::Exit;
use serde_json::Value;

/// How a command ended, and what it prints.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) exit: Exit,
    /// For people.
    pub(super) text: String,
    /// For programs: an object.
    pub(super) json: Value,
    /// The one line that is printed even with `--quiet` where the exit code is not 0.
    pub(super) brief: Option<String>,
    /// Lines for standard error.
    pub(super) asides: Vec<String>,
}

impl Answer {
    pub(super) fn fine(text: impl Into<String>, json: Value) -> Self {
        Self { exit: Exit::Fine, text: text.into(), json, brief: None, asides: Vec::new() }
    }
}

/// A path as JSON has it.
pub(super) fn shown(path: &Path) -> String {
    path.display().to_string()
}
