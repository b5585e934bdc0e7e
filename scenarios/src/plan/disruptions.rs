//! The plan's churn and disruptions: who is concerned and how long things last are pure functions of seed and player
//! number, so that the same file gives the same disruptions.

use std::time::Duration;

use strum::{Display, IntoStaticStr, VariantArray};

pub use crate::keys::disruptions::{Cut, Policy};
use crate::keys::draw::Draw;
use crate::plan::share::Share;

/// Churn and disruptions of a run; by default every player connects once and stays.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Disruptions {
    /// Players that leave and come back.
    pub churn: Option<Churn>,
    /// What players do whose sockets are lost.
    pub reconnect: Reconnect,
    /// Sockets cut at once, in the order of their instants.
    pub storms: Vec<Storm>,
    /// Players that read slowly.
    pub slow: Option<SlowReaders>,
    /// Players that fall silent.
    pub half_open: Option<HalfOpen>,
    /// What no client should send.
    pub malformed: Malformed,
}

impl Disruptions {
    /// A player's churn; `None` for one that stays, as all do that read slowly or fall silent.
    #[must_use]
    pub fn churn_of(&self, player: u32) -> Option<&Churn> {
        self.churn.as_ref().filter(|churn| churn.share.holds(player) && !self.is_unusual(player))
    }

    /// Whether a player reads slowly or falls silent.
    #[must_use]
    pub fn is_unusual(&self, player: u32) -> bool {
        let slow = self.slow.as_ref().is_some_and(|slow| slow.share.holds(player));
        slow || self.half_open.as_ref().is_some_and(|silent| silent.share.holds(player))
    }

    /// How many players leave and come back.
    #[must_use]
    pub fn churning(&self) -> u64 {
        let drawn = self.churn.iter().flat_map(|churn| churn.share.members());
        drawn.filter(|&player| self.churn_of(player).is_some()).count() as u64
    }
}

/// Players that leave and come back.
#[derive(Debug, Clone, PartialEq)]
pub struct Churn {
    /// Who is drawn; [`Disruptions::churn_of`] leaves out slow readers and silent players.
    pub share: Share,
    /// How long a player stays.
    pub session: Draw,
    /// How long it is away.
    pub pause: Draw,
}

/// What a player does when its socket is lost or its handshake refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reconnect {
    /// How the waits grow.
    pub policy: Policy,
    /// The wait of `constant`, the first bound of `exponential`.
    pub base: Duration,
    /// Bound of the waits.
    pub cap: Duration,
    /// After so many failed attempts in a row a player gives up; `None`: never.
    pub max_attempts: Option<u32>,
}

/// Sockets cut by the players' side.
#[derive(Debug, Clone, PartialEq)]
pub struct Storm {
    /// When, from the run's start.
    pub at: Duration,
    /// Share of the sockets open then.
    pub share: f64,
    /// How.
    pub cut: Cut,
    /// Over how long the cuts are spread.
    pub over: Duration,
}

/// Players that read slowly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlowReaders {
    /// Who reads so.
    pub share: Share,
    /// Wait after each message before the next is read.
    pub delay: Duration,
    /// How long nothing is read, and from the start of one such stall to the next.
    pub stall: Option<(Duration, Duration)>,
    /// `SO_RCVBUF` of their sockets.
    pub receive_buffer: Option<u32>,
}

/// Players that fall silent.
#[derive(Debug, Clone, PartialEq)]
pub struct HalfOpen {
    /// Who falls silent.
    pub share: Share,
    /// How long after the handshake.
    pub after: Draw,
    /// For how long; `None`: to the end of the run.
    pub lasts: Option<Draw>,
}

/// What no client should send.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Malformed {
    /// Each kind with its rate per second, those above 0 only.
    pub rates: Vec<(ClientFault, f64)>,
    /// How long the backend's reaction is awaited.
    pub patience: Duration,
}

/// A kind of disruptions that the generator makes; each has its count of cases and of what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Display, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum ClientFault {
    /// A socket that the player's side cut.
    Cut,
    /// A socket whose player reads slowly.
    SlowReader,
    /// A socket whose player has fallen silent.
    HalfOpen,
    /// A message above 128 KiB.
    OversizedMessage,
    /// A frame above 32 KiB.
    OversizedFrame,
    /// Text that is not JSON.
    BadJson,
    /// Text that is not UTF-8.
    BadUtf8,
    /// A frame without a mask.
    Unmasked,
    /// A frame with a reserved opcode.
    ReservedOpcode,
    /// A frame with a reserved bit.
    ReservedBit,
    /// A binary message.
    Binary,
}

impl ClientFault {
    /// Every kind.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// Its word in the summary; that of a malformed message is its key in `[malformed]`.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.into()
    }
}
