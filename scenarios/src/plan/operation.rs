//! What players do and what is pushed to them, as numbers of a plan. Their names stand in the plan, so that what is
//! counted on the way of every answer costs an index.

use serde::{Deserialize, Serialize};

/// The name of what every plan begins with.
pub const CONNECT: &str = "connect";
/// The name of what follows it where a protocol has an opening.
pub const READY: &str = "ready";

/// Defines the number of something that a plan has several of: its position there.
macro_rules! position {
    ($(#[$doc:meta])* $name:ident, $place:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(u8);

        impl $name {
            /// How many there may be.
            pub const MOST: usize = 1 << u8::BITS;

            /// The one at a position.
            #[must_use]
            pub const fn of(index: usize) -> Self {
                // No more than there may be: the checks of scenarios and protocols say so.
                Self(if index < Self::MOST { index as u8 } else { u8::MAX })
            }

            #[doc = concat!("Its position in ", $place, ".")]
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

position! {
    /// Something a player does that is timed: its position in [`Plan::operations`](crate::Plan::operations).
    Operation, "[`Plan::operations`](crate::Plan::operations)"
}

position! {
    /// What is pushed: its position in [`Plan::pushes`](crate::Plan::pushes).
    Kind, "[`Plan::pushes`](crate::Plan::pushes)"
}

impl Operation {
    /// Opening the socket, with which every plan begins.
    pub const CONNECT: Self = Self(0);
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
