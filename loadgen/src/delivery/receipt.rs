//! A push that was received, and what it turned out to be.

use protocol::protocol::PushOutcome;
use scenarios::plan::ledger::Ledger;

use crate::clock::Micros;

/// What a received push turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// The first copy.
    Received {
        /// Microseconds since the send.
        latency: Micros,
        /// Where this completes the fan-out: the latencies of its first and its last receipt.
        complete: Option<(Micros, Micros)>,
        /// A later send of the same sender was received before.
        out_of_order: bool,
        /// It came after its time-out, within the grace.
        late: bool,
        /// Where the send is booked.
        measured: Ledger,
    },
    /// A further copy.
    Duplicate {
        /// Where the send is booked.
        measured: Ledger,
    },
    /// Of this run, but after its grace: already counted as lost.
    TooLate,
    /// Nothing sent in this run accounts for it.
    Unexpected,
    /// As it should be, and in no count: of what its player polls, or to one that came in after the send.
    Aside,
}

/// A push, as a player received it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedPush {
    /// Who received it.
    pub player: u32,
    /// When.
    pub at: Micros,
    /// Where it says that what was asked for has failed: the error class.
    pub failed: Option<Box<str>>,
    /// In traced runs: when the stages of its way through the backend began, in epoch microseconds; `None` where that is not
    /// asked for, or not said.
    pub stamps: Option<Box<[i64]>>,
}

impl ReceivedPush {
    /// A push that `player` received at `at`; `None` where the one that is awaited will follow.
    #[must_use]
    pub fn of(player: u32, at: Micros, outcome: &PushOutcome<'_>) -> Option<Self> {
        let failed = match outcome {
            PushOutcome::Final => None,
            PushOutcome::Failed(class) => Some((**class).into()),
            PushOutcome::Progress => return None,
        };
        Some(Self { player, at, failed, stamps: None })
    }
}
