//! What the weather orders a player to do, and whether its socket may be chosen meanwhile.
//!
//! Both fit into a byte beside the player's mailbox, so that an idle player costs no more under a clear sky.

use scenarios::weather::planned::{Cut, Trouble};
use serde::{Deserialize, Serialize};

/// Where a player is, as far as others may choose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum Presence {
    /// No open socket.
    Closed = 0,
    /// An open socket: sends and receives.
    Open = 1,
    /// An open socket whose player reads slowly or not at all: it sends nothing, and others, who cannot know, send to it.
    Listed = 2,
    /// An open socket that is about to be left or to carry something malformed: not chosen.
    Busy = 3,
}

impl Presence {
    /// Whether there is an open socket.
    #[must_use]
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Closed)
    }
}

/// Something that a player is told to do with its open socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Cut it.
    Cut(Cut),
    /// Send something malformed.
    Send(Trouble),
}

impl Order {
    const CUTS: [Cut; 3] = [Cut::Abort, Cut::Reset, Cut::Close];

    /// As a byte above 0.
    pub(super) fn encode(self) -> u8 {
        let place = match self {
            Self::Cut(cut) => Self::CUTS.iter().position(|other| *other == cut),
            Self::Send(kind) => {
                Trouble::ALL.iter().position(|other| *other == kind).map(|place| place + Self::CUTS.len())
            }
        };
        place.map_or(0, |place| place as u8 + 1)
    }

    /// Back from the byte; `None` for 0.
    pub(super) fn decode(byte: u8) -> Option<Self> {
        let place = usize::from(byte).checked_sub(1)?;
        let cut = Self::CUTS.get(place).map(|cut| Self::Cut(*cut));
        cut.or_else(|| Trouble::ALL.get(place - Self::CUTS.len()).map(|kind| Self::Send(*kind)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_comes_back_as_it_went() {
        let cuts = Order::CUTS.map(Order::Cut);
        for order in cuts.into_iter().chain(Trouble::ALL.map(Order::Send)) {
            assert_eq!(Order::decode(order.encode()), Some(order));
        }
        assert_eq!(Order::decode(0), None);
    }
}
