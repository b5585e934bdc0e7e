//! The verdict in one word. Headline, colour and exit code follow from it, so that no two of them can disagree.

use serde::{Deserialize, Serialize};

use super::Summary;

/// How a run ended up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Valid, and every threshold passed.
    Passed,
    /// Valid, and the scenario has no thresholds.
    NotJudged,
    /// Valid, and a threshold failed; also where the failing one ended the run.
    ThresholdsFailed,
    /// The generator did not keep up with the plan: do not use the run's numbers.
    Invalid,
    /// Not one handshake led to a socket.
    NothingConnected,
    /// Somebody ended it before its plan was carried out.
    Interrupted,
    /// An error ended it, or not everything could be kept.
    Failed,
    /// It is under way, or was killed.
    Unfinished,
}

impl Status {
    /// Every one.
    pub const ALL: [Self; 8] = [
        Self::Passed,
        Self::NotJudged,
        Self::ThresholdsFailed,
        Self::Invalid,
        Self::NothingConnected,
        Self::Interrupted,
        Self::Failed,
        Self::Unfinished,
    ];

    /// The word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::NotJudged => "not_judged",
            Self::ThresholdsFailed => "thresholds_failed",
            Self::Invalid => "invalid",
            Self::NothingConnected => "nothing_connected",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
            Self::Unfinished => "unfinished",
        }
    }

    /// Of a run in this state of its manifest.
    #[must_use]
    pub fn of_run(state: &str, summary: &Summary) -> Self {
        match state {
            "failed" => Self::Failed,
            "interrupted" => Self::Interrupted,
            "running" => Self::Unfinished,
            _ => Self::of(summary),
        }
    }

    /// Of a run that came to its end.
    #[must_use]
    pub fn of(summary: &Summary) -> Self {
        let Summary { verdict, sockets, thresholds, .. } = summary;
        if sockets.attempted > 0 && sockets.opened == 0 {
            Self::NothingConnected
        } else if !verdict.valid {
            Self::Invalid
        } else if !verdict.thresholds_passed {
            Self::ThresholdsFailed
        } else if thresholds.is_empty() {
            Self::NotJudged
        } else {
            Self::Passed
        }
    }
}

impl Summary {
    /// The verdict in one word; of a summary that does not say it, that of a run which came to its end.
    #[must_use]
    pub fn status(&self) -> Status {
        self.verdict.status.unwrap_or_else(|| Status::of(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Threshold;

    #[test]
    fn what_makes_the_rest_meaningless_comes_first() {
        let mut summary = Summary::default();
        summary.sockets.attempted = 1;
        assert_eq!(summary.status(), Status::NothingConnected);
        summary.sockets.opened = 1;
        assert_eq!(summary.status(), Status::Invalid);
        summary.verdict.valid = true;
        assert_eq!(summary.status(), Status::ThresholdsFailed);
        summary.verdict.thresholds_passed = true;
        assert_eq!(summary.status(), Status::NotJudged);
        summary.thresholds.push(Threshold { passed: true, ..Threshold::default() });
        assert_eq!(summary.status(), Status::Passed);
        for (state, status) in [
            ("finished", Status::Passed),
            ("ended_early", Status::Passed),
            ("interrupted", Status::Interrupted),
            ("failed", Status::Failed),
            ("running", Status::Unfinished),
        ] {
            assert_eq!(Status::of_run(state, &summary), status, "{state}");
        }
    }

    #[test]
    fn the_word_is_what_the_contract_says() {
        for status in Status::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.word());
        }
    }
}
