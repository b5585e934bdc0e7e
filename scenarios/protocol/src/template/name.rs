//! What a place in a template stands for.

use crate::matching::Slot;

/// What a place in a template stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// The message's number on its socket.
    Id,
    /// The player's id.
    Player,
    /// Ids of the players that it is for, as a JSON array of strings.
    Recipients,
    /// The first of them.
    Recipient,
    /// The text, with its marker.
    Text,
    /// The player's credential.
    Token,
    /// The player's room.
    Room,
    /// Milliseconds since 1970.
    NowMs,
    /// A value that was kept on this socket, by its number.
    Kept(usize),
    /// A parameter of the operation.
    Parameter(String),
    /// A value of the message that was received, in replies and error classes.
    Received(Slot),
}

impl Name {
    /// Whether it is a text whatever its value, so that in JSON it stands in quotes.
    pub(super) const fn is_text(&self) -> bool {
        matches!(self, Self::Player | Self::Recipient | Self::Text | Self::Token | Self::Room)
    }
}
