//! What players do and what is pushed to them, as numbers of a plan. Their names stand in the plan, so that what is
//! counted on the way of every answer costs an index.

use serde::{Deserialize, Serialize};

/// The name of what every plan begins with.
pub const CONNECT: &str = "connect";
/// The name of what follows it where a protocol has an opening.
pub const READY: &str = "ready";

/// Something a player does that is timed: its position in [`Plan::operations`](crate::Plan::operations).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Operation(u8);

impl Operation {
    /// Opening the socket, with which every plan begins.
    pub const CONNECT: Self = Self(0);
    /// How many operations a plan may have, connecting among them.
    pub const MOST: usize = 1 << u8::BITS;

    /// The operation at a position.
    #[must_use]
    pub const fn of(index: usize) -> Self {
        // No more than there may be: the check of a scenario says so.
        Self(if index < Self::MOST { index as u8 } else { u8::MAX })
    }

    /// Its position in [`Plan::operations`](crate::Plan::operations).
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What is pushed: its position in [`Plan::pushes`](crate::Plan::pushes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Kind(u8);

impl Kind {
    /// How many kinds of pushes a protocol may have.
    pub const MOST: usize = 1 << u8::BITS;

    /// The kind at a position.
    #[must_use]
    pub const fn of(index: usize) -> Self {
        Self(if index < Self::MOST { index as u8 } else { u8::MAX })
    }

    /// Its position in [`Plan::pushes`](crate::Plan::pushes).
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What an operation of a plan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Opening the socket.
    Connect,
    /// The protocol's opening, after which a player is ready.
    Ready,
    /// A message over the socket: number of the operation in the protocol.
    Request(usize),
    /// Polled over REST: number of the operation in the protocol.
    Poll(usize),
    /// A journey as a whole: its number in the scenario.
    Journey(usize),
}

impl What {
    /// Tells the random choices of operations apart, whatever else a plan has.
    #[must_use]
    pub const fn salt(self) -> u64 {
        match self {
            Self::Connect => 1,
            Self::Request(number) | Self::Poll(number) => 2 + number as u64,
            Self::Journey(number) => 0x80 + number as u64,
            Self::Ready => 0xff,
        }
    }
}
