//! Whether a player, of this process or another, has a socket, and whether others may choose it.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::clock::Micros;

/// Where a player is, as far as others may choose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum Presence {
    /// No open socket.
    Closed = 0,
    /// An open socket: sends and receives.
    Open = 1,
    /// An open socket whose player reads slowly or not at all: it sends nothing, and others, who cannot know, send to it.
    NotReading = 2,
    /// An open socket that is about to be closed or to carry something malformed: not chosen.
    Leaving = 3,
}

impl Presence {
    /// Whether there is an open socket.
    #[must_use]
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Closed)
    }
}

/// What is known of a player, of this process or another.
#[derive(Debug, Default)]
pub(crate) struct PeerState {
    /// A [`Presence`].
    pub(crate) presence: AtomicU8,
    /// Until when the player was away by its own doing; [`Micros::MAX`] while it is, 0 if it never was.
    pub(crate) away_until: AtomicU64,
}

impl PeerState {
    pub(crate) fn is(&self, presence: Presence) -> bool {
        self.presence.load(Ordering::Relaxed) == presence as u8
    }

    /// Notes a change, made by the player's own doing or not; returns whether the socket was open before.
    pub(crate) fn change(&self, presence: Presence, own_doing: bool, now: Micros) -> bool {
        if own_doing {
            self.away_until.store(Micros::MAX, Ordering::Relaxed);
        }
        let was_open = self.presence.swap(presence as u8, Ordering::Relaxed) != Presence::Closed as u8;
        // One task writes: the player's own, or the one that hears of it from elsewhere.
        if !was_open && presence.is_open() && self.away_until.load(Ordering::Relaxed) == Micros::MAX {
            self.away_until.store(now, Ordering::Relaxed);
        }
        was_open
    }
}

/// What has changed with a player: its socket has opened or ended, or may no longer be used like others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Whose.
    pub player: u32,
    /// What it is now.
    pub presence: Presence,
    /// Whether its socket was open before.
    pub was_open: bool,
    /// Whether the player's own side has made it useless.
    pub own_doing: bool,
    /// When.
    pub at: Micros,
}
