//! What the templates of a protocol's handshake may ask for: there is no message yet, and nothing has been received.

use std::borrow::Cow;

use protocol::Values;
use secrecy::{ExposeSecret as _, SecretString};

use crate::clock::unix_ms;

/// The values of one player's handshake; without any, those of a handshake that is the same for all.
#[derive(Default)]
pub(super) struct HandshakeValues {
    pub(super) player: String,
    pub(super) room: String,
    pub(super) token: Option<SecretString>,
}

impl Values for HandshakeValues {
    fn id(&self) -> u64 {
        0
    }

    fn player(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.player)
    }

    fn recipients(&self) -> Cow<'_, [String]> {
        Cow::Borrowed(&[])
    }

    fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn token(&self) -> Option<Cow<'_, str>> {
        self.token.as_ref().map(|token| token.expose_secret().into())
    }

    fn room(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.room)
    }

    fn now_ms(&self) -> u64 {
        unix_ms()
    }

    fn kept(&self, _number: usize) -> Option<Cow<'_, str>> {
        None
    }

    fn parameter(&self, _name: &str) -> Option<Cow<'_, str>> {
        None
    }
}
