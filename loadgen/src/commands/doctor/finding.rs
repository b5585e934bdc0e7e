//! The outcome of one check.

use std::fmt;

use serde::Serialize;
use strum::Display;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Display, Serialize)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Status {
    /// Nothing to do.
    Ok,
    /// A run is possible; its figures or its size may suffer.
    Warn,
    /// The run would fail.
    Fail,
}

/// The outcome of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, e.g. `descriptors`.
    pub check: &'static str,
    /// How it ended.
    pub status: Status,
    /// What was found.
    pub found: String,
    /// What it means for a run.
    pub meaning: String,
    /// What to change and how; none where the status is `ok`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Finding {
    fn new(
        check: &'static str,
        status: Status,
        found: impl Into<String>,
        meaning: impl Into<String>,
    ) -> Self {
        Self { check, status, found: found.into(), meaning: meaning.into(), remedy: None }
    }

    pub(super) fn ok(check: &'static str, found: impl Into<String>, meaning: impl Into<String>) -> Self {
        Self::new(check, Status::Ok, found, meaning)
    }

    pub(super) fn warn(check: &'static str, found: impl Into<String>, meaning: impl Into<String>) -> Self {
        Self::new(check, Status::Warn, found, meaning)
    }

    pub(super) fn fail(check: &'static str, found: impl Into<String>, meaning: impl Into<String>) -> Self {
        Self::new(check, Status::Fail, found, meaning)
    }

    pub(super) fn change(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<4}  {:<12}  {}: {}", self.status, self.check, self.found, self.meaning)?;
        self.remedy.iter().try_for_each(|remedy| write!(f, "\n{:20}to fix it: {remedy}", ""))
    }
}
