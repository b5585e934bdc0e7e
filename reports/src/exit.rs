//! The exit codes that verdicts stand for: the one place where a verdict becomes a code.

use output::Exit;

use crate::format::Status;
use crate::format::capacity::Ended;

impl From<Status> for Exit {
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

impl From<Ended> for Exit {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Found | Ended::NeverFailed => Self::Fine,
            Ended::NothingHeld => Self::ThresholdFailed,
            Ended::GeneratorLimit => Self::Invalid,
            Ended::OutOfTime | Ended::Unfinished => Self::Failure,
            Ended::Interrupted => Self::Interrupted,
        }
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
