//! What a message's template may ask for, of one player at one instant; each value is made only when it is asked for.

use std::borrow::Cow;

use protocol::Values;
use scenarios::plan::PlannedOperation;
use secrecy::ExposeSecret as _;

use super::context::PlayerContext;
use super::kept::Kept;
use crate::clock::unix_ms;

/// The values of one message.
pub(super) struct SendValues<'s> {
    pub(super) player: &'s PlayerContext,
    /// Number of the message on its socket.
    pub(super) id: u64,
    /// Ids of the players that it is for.
    pub(super) recipients: &'s [String],
    /// The text with its marker.
    pub(super) text: &'s str,
    /// What the socket's player keeps.
    pub(super) kept: Option<&'s Kept>,
    /// The operation and its arrival's number, where it is one.
    pub(super) operation: Option<(&'s PlannedOperation, u64)>,
}

impl Values for SendValues<'_> {
    fn id(&self) -> u64 {
        self.id
    }

    fn player(&self) -> Cow<'_, str> {
        self.player.play.plan.player_id(self.player.number).into()
    }

    fn recipients(&self) -> Cow<'_, [String]> {
        self.recipients.into()
    }

    fn text(&self) -> Cow<'_, str> {
        self.text.into()
    }

    fn token(&self) -> Option<Cow<'_, str>> {
        let token = self.player.play.credentials.token_at_once(self.player.number)?;
        Some(token.expose_secret().to_owned().into())
    }

    fn room(&self) -> Cow<'_, str> {
        self.player.play.plan.rooms.name_for(self.player.number).into()
    }

    fn now_ms(&self) -> u64 {
        unix_ms()
    }

    fn kept(&self, number: usize) -> Option<Cow<'_, str>> {
        self.kept?.value(number).map(Cow::Borrowed)
    }

    fn traced(&self) -> bool {
        self.player.play.plan.trace
    }

    fn parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        let (planned, index) = self.operation?;
        self.player.play.plan.parameter(planned, name, self.player.number, index)
    }
}
