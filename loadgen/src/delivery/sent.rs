//! A send of which pushes are expected, and by whom.

use std::ops::Range;

use scenarios::plan::ledger::Ledger;

use crate::clock::Micros;

/// A send of which pushes are expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// Its number, as in its [`Correlation`](super::Correlation).
    pub send: u64,
    /// Who sent it.
    pub sender: u32,
    /// When.
    pub at: Micros,
    /// Where it is booked.
    pub measured: Ledger,
}

/// To whom a send is pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressees {
    /// Players of whom a receipt is expected.
    pub(super) expected: Vec<u32>,
    /// Players who may receive it all the same, since they may have come in meanwhile.
    pub(super) others: Range<u32>,
}

impl Addressees {
    /// These players and nobody else.
    #[must_use]
    pub const fn named(players: Vec<u32>) -> Self {
        Self { expected: players, others: 0..0 }
    }

    /// Whoever of these is there when it is pushed: expected of those that are `ready` now.
    #[must_use]
    pub fn within(players: Range<u32>, ready: impl Fn(u32) -> bool) -> Self {
        Self { expected: players.clone().filter(|player| ready(*player)).collect(), others: players }
    }
}
