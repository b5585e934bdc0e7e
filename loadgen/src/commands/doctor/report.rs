//! All findings, as text and as the object that `--json` prints.

use std::fmt;

use output::{Exit, Look};
use serde::Serialize;

use super::finding::{Finding, Status};

/// Version of the object that `--json` prints.
const SCHEMA_VERSION: u32 = 1;

/// Everything that was found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Version of this shape.
    pub schema_version: u32,
    /// The worst status.
    pub status: Status,
    /// The checks, in the order in which they were made.
    pub checks: Vec<Finding>,
}

impl Report {
    /// The report of these findings.
    pub(super) fn of(checks: Vec<Finding>) -> Self {
        let status = checks.iter().map(|finding| finding.status).max().unwrap_or(Status::Ok);
        Self { schema_version: SCHEMA_VERSION, status, checks }
    }

    /// The exit code: a failure where a run would fail.
    #[must_use]
    pub fn exit(&self) -> Exit {
        if self.status == Status::Fail { Exit::Failure } else { Exit::Fine }
    }

    /// The report in lines, their statuses in colour where the look has it.
    #[must_use]
    pub fn text(&self, look: Look) -> String {
        let coloured = |line: &str| {
            let status = self
                .checks
                .iter()
                .map(|finding| finding.status)
                .find(|status| line.starts_with(&format!("{status:<4}  ")));
            let Some(status) = status else { return line.to_owned() };
            let word = status.to_string();
            let shown = match status {
                Status::Ok => look.good(&word),
                Status::Warn => look.doubtful(&word),
                Status::Fail => look.bad(&word),
            };
            line.replacen(&word, &shown, 1)
        };
        // Colours are added after wrapping, because they take no columns.
        let lines = look.wrapped(&reports::printable::lines(&self.to_string()), &" ".repeat(20));
        lines.lines().fold(String::new(), |text, line| text + &coloured(line) + "\n")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.checks.iter().try_for_each(|finding| writeln!(f, "{finding}"))?;
        let number = |status| self.checks.iter().filter(|finding| finding.status == status).count();
        let counted = |status, one: &str| match number(status) {
            1 => format!("1 {one}"),
            n => format!("{n} {one}s"),
        };
        writeln!(
            f,
            "{} ok, {}, {}",
            number(Status::Ok),
            counted(Status::Warn, "warning"),
            counted(Status::Fail, "failure")
        )
    }
}
