//! Exit codes: a public contract of the command line (`docs/cli.md`).

use std::process::ExitCode;

use reports::format::Status;

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Fine.
    Fine,
    /// The tool or the machine failed, or the target could not be reached at all.
    Failure,
    /// The command line or the scenario is wrong; nothing was sent.
    Usage,
    /// A threshold failed.
    ThresholdFailed,
    /// The generator did not keep up with the plan: do not use the run's numbers.
    Invalid,
    /// Stopped by Ctrl-C or SIGTERM; what was measured is written and reported.
    Interrupted,
}

impl Exit {
    /// The process's exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::ThresholdFailed => 3,
            Self::Invalid => 4,
            Self::Interrupted => 130,
        }
    }
}

impl From<Status> for Exit {
    /// The one place where a verdict becomes an exit code.
    fn from(status: Status) -> Self {
        match status {
            Status::Passed | Status::NotJudged => Self::Fine,
            Status::ThresholdsFailed => Self::ThresholdFailed,
            Status::Invalid => Self::Invalid,
            Status::Interrupted => Self::Interrupted,
            Status::NothingConnected | Status::Failed | Status::Unfinished => Self::Failure,
        }
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
    fn every_verdict_has_the_code_of_the_contract() {
        let codes = Status::ALL.map(|status| (status.word(), Exit::from(status).code()));
        let contract = [
            ("passed", 0),
            ("not_judged", 0),
            ("thresholds_failed", 3),
            ("invalid", 4),
            ("nothing_connected", 1),
            ("interrupted", 130),
            ("failed", 1),
            ("unfinished", 1),
        ];
        assert_eq!(codes, contract);
    }
}
