//! Where an arrival's figures are booked: out of the summary, in it, or in it and in those of one phase.
//!
//! An arrival counts by its *intended* instant, wherever its answer falls: the slowest answers of a peak come when the
//! peak is over, and still are the peak's.

use serde::{Deserialize, Serialize};

/// The ledger of an arrival.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ledger(u8);

impl Ledger {
    /// Of the warm-up: in no summary.
    pub const WARM_UP: Self = Self(0);
    /// Of the summary.
    pub const MEASURED: Self = Self(1);
    /// How many phases may have a ledger of their own.
    pub const MOST_PHASES: usize = u8::MAX as usize - 1;

    /// Of the summary, and of the `nth` name in [`Plan::judged_phases`](crate::Plan::judged_phases).
    #[must_use]
    pub const fn of_phase(nth: usize) -> Self {
        // No more than there may be: the check of a scenario says so.
        Self((nth as u8).saturating_add(2))
    }

    /// Which of the judged phases it belongs to, if any.
    #[must_use]
    pub const fn phase(self) -> Option<usize> {
        if self.0 >= 2 { Some(self.0 as usize - 2) } else { None }
    }

    /// Whether what is booked here counts for the summary.
    #[must_use]
    pub const fn is_measured(self) -> bool {
        self.0 != 0
    }
}
