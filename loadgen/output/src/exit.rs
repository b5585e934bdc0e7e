//! Exit codes: a contract that all programs of this repository share (`docs/cli.md`).

use std::process::ExitCode;

use strum::{EnumIter, EnumMessage, IntoEnumIterator};

/// How a program ended. The doc comment of each variant is its line in the table of `docs/cli.md`, the message its part of
/// [`summary`](Self::summary).
///
/// No code means two things: a program that has no use for one never ends with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, EnumMessage)]
#[non_exhaustive]
pub enum Exit {
    #[strum(message = "fine")]
    /// Success: the run is valid and all thresholds passed, or the scenario has none.
    Fine = 0,
    #[strum(message = "failure")]
    /// Failure of the tool or the machine, or no player could connect; `correlate`: something could not be fetched.
    Failure = 1,
    #[strum(message = "usage or scenario error")]
    /// Usage or scenario error, more players than the machine can hold, `--out` is not empty: nothing was sent.
    Usage = 2,
    #[strum(message = "a threshold failed")]
    /// A threshold failed or had nothing to judge, or ended the run; `protocol try`: something expected did not come.
    ThresholdFailed = 3,
    #[strum(message = "the run is invalid")]
    /// The run is invalid: the generator did not send on schedule, or the protocol does not fit. Do not use its numbers.
    Invalid = 4,
    #[strum(message = "a regression")]
    /// `compare --fail-on regression`: a measure of the candidate has regressed.
    Regression = 5,
    #[strum(message = "interrupted")]
    /// Interrupted: the results so far are written, and reported unless a second interruption came before that.
    Interrupted = 130,
}

impl Exit {
    /// The process's exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// What the code means, in a line.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        self.get_documentation().unwrap_or_default().trim_end_matches('.')
    }

    /// All codes in a line: `0 fine, 1 failure, …`.
    #[must_use]
    pub fn summary() -> String {
        let each =
            Self::all().map(|exit| format!("{} {}", exit.code(), exit.get_message().unwrap_or_default()));
        each.collect::<Vec<_>>().join(", ")
    }

    /// Every code, ascending.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::iter()
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_the_contract() {
        let codes: Vec<_> = Exit::all().map(Exit::code).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 130]);
        assert!(Exit::all().all(|exit| !exit.meaning().is_empty()));
        assert!(Exit::summary().starts_with("0 fine, 1 failure, 2 usage or scenario error, "));
    }
}
