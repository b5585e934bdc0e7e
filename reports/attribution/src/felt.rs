//! A symptom as players felt it: with what is affected, second by second.

use reports::format::{Symptom, SymptomKind};

use crate::interval::Interval;
use crate::observed::Player;

/// A symptom and what it consists of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Felt {
    /// As it is reported.
    pub(crate) symptom: Symptom,
    /// Whose.
    pub(crate) player: Player,
    /// What is affected within the symptom's time: start of the second, and the failures, the losses, or the answers and
    /// deliveries beyond the bound.
    pub(crate) affected: Vec<(f64, f64)>,
    /// How long after its cause something affected shows at most, in seconds.
    pub(crate) lag_s: f64,
}

impl Felt {
    /// The second in which it begins.
    pub(crate) fn onset(&self) -> Interval {
        Interval { from_s: self.symptom.from_s, to_s: self.symptom.from_s + 1.0 }
    }

    /// All that is affected.
    pub(crate) fn count(&self) -> f64 {
        self.affected.iter().map(|(_, count)| count).sum()
    }

    /// Whether requests of an operation failed.
    pub(crate) fn is_failures(&self) -> bool {
        self.symptom.what == SymptomKind::Failures
    }

    /// Whether it is of a delivery.
    pub(crate) fn is_delivery(&self) -> bool {
        matches!(self.player, Player::Delivery(_))
    }

    /// What it is of, in words: `failures of send_message`.
    pub(crate) fn name(&self) -> String {
        let what = match self.symptom.what {
            SymptomKind::Failures => "failures",
            SymptomKind::Losses => "losses",
            SymptomKind::Slower => "slowness",
            SymptomKind::Unknown => "trouble",
        };
        format!("{what} of {}", self.player.name())
    }
}
