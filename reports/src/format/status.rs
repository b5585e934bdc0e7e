//! The verdict in one word. Headline, colour and exit code follow from it, so that no two of them can disagree.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a run ended up.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Status {
    /// Valid, and every threshold passed.
    Passed,
    /// Valid, and the scenario has no thresholds.
    NotJudged,
    /// Valid, and a threshold failed; also where the failing one ended the run.
    ThresholdsFailed,
    /// The generator could not send on schedule: the numbers of the run must not be used.
    Invalid,
    /// No handshake succeeded.
    NothingConnected,
    /// Stopped by Ctrl-C or SIGTERM before its plan was carried out.
    Interrupted,
    /// An error ended it, or not everything could be written.
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
    pub fn word(self) -> &'static str {
        self.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_is_what_the_contract_says() {
        for status in Status::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.word());
        }
    }
}
