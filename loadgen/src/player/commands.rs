//! What the disruptions have a player do.
//!
//! A command fits into a byte beside the player's mailbox, so that a player costs no more for it.

use scenarios::plan::disruptions::{ClientFault, Cut};

/// What a player is to do with its open socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlayerCommand {
    /// Cut it.
    Cut(Cut),
    /// Send something malformed.
    Send(ClientFault),
}

impl PlayerCommand {
    const CUTS: [Cut; 3] = [Cut::Abort, Cut::Reset, Cut::Close];

    /// As a byte above 0.
    pub(super) fn encode(self) -> u8 {
        let place = match self {
            Self::Cut(cut) => Self::CUTS.iter().position(|other| *other == cut),
            Self::Send(kind) => {
                ClientFault::ALL.iter().position(|other| *other == kind).map(|place| place + Self::CUTS.len())
            }
        };
        place.map_or(0, |place| place as u8 + 1)
    }

    /// Back from the byte; `None` for 0.
    pub(super) fn decode(byte: u8) -> Option<Self> {
        let place = usize::from(byte).checked_sub(1)?;
        let cut = Self::CUTS.get(place).map(|cut| Self::Cut(*cut));
        cut.or_else(|| ClientFault::ALL.get(place - Self::CUTS.len()).map(|kind| Self::Send(*kind)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_comes_back_as_it_went() {
        let cuts = PlayerCommand::CUTS.map(PlayerCommand::Cut);
        for command in cuts.into_iter().chain(ClientFault::ALL.iter().copied().map(PlayerCommand::Send)) {
            assert_eq!(PlayerCommand::decode(command.encode()), Some(command));
        }
        assert_eq!(PlayerCommand::decode(0), None);
    }
}
