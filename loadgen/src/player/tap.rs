//! One who looks on at what players send and receive, message by message, with what each was taken for: so that a protocol
//! can be tried.
//!
//! Without one nothing of this is made: a message costs the question whether there is one.

use std::fmt;

use protocol::protocol::{Meaning, Outcome, Read};
use scenarios::plan::operation::Operation;

use crate::clock::Micros;
use crate::delivery::Receipt;

/// One who looks on.
pub trait Tap: Send + Sync + fmt::Debug {
    /// A player's socket did something. All texts are without secrets and fit to be printed.
    fn see(&self, player: u32, at: Micros, sight: Sight);
}

/// What a player's socket did.
#[derive(Debug, Clone, PartialEq)]
pub enum Sight {
    /// The handshake led to a socket.
    Connected,
    /// It did not.
    Refused {
        /// The error class.
        class: String,
        /// What was seen.
        detail: String,
    },
    /// The socket ended by something else than the player's leave.
    Ended {
        /// The error class.
        class: String,
        /// What was seen.
        detail: String,
    },
    /// A message was sent, or a request to the REST API.
    Sent {
        /// The message.
        message: String,
        /// What for.
        purpose: Purpose,
    },
    /// A message was received.
    Received {
        /// The message.
        message: String,
        /// What became of it.
        read: Read,
        /// What it may mean, in the order in which that was offered; the last was taken, if one was.
        offers: Vec<Offer>,
        /// The send whose marker it holds: operation and arrival.
        marker: Option<(Operation, u64)>,
    },
    /// A request to the REST API was answered.
    Polled {
        /// The answer.
        message: String,
        /// The operation.
        operation: Operation,
        /// How that stands now; none where the protocol does not know the answer.
        outcome: Option<Outcome<'static>>,
    },
}

/// What is sent for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// An operation.
    Request {
        /// Which.
        operation: Operation,
        /// Its arrival's number.
        arrival: u64,
        /// The number of the message on its socket.
        id: u64,
    },
    /// A step of the opening: its number.
    Step(usize),
    /// The heartbeat.
    Heartbeat,
    /// What was received is answered at once.
    Reply,
    /// An operation that is polled.
    Poll(Operation),
}

/// What a message may mean, and what became of that.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// The meaning.
    pub meaning: Meaning<'static>,
    /// What became of it.
    pub fate: Fate,
}

/// What becomes of a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Nothing of that kind is awaited.
    Declined,
    /// It was taken.
    Taken,
    /// It was taken for a push: what that turned out to be; `None` where that is not known yet, or it is not the last.
    Pushed(Option<Receipt>),
}

impl Fate {
    /// Of something that was awaited or was not.
    pub(super) const fn of(taken: bool) -> Self {
        if taken { Self::Taken } else { Self::Declined }
    }

    /// Whether the message needs no other meaning.
    pub(super) const fn is_taken(self) -> bool {
        !matches!(self, Self::Declined)
    }
}
