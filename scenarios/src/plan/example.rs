//! A send as it might be: to see what a message would look like, and how long it would be.

use std::borrow::Cow;
use std::collections::BTreeMap;

use protocol::Values;

use super::columns::{Feeders, Occasion};
use super::operation::What;
use super::parameter::Parameter;

/// What a message's template may ask for, made up.
pub(crate) struct Example<'p> {
    /// The player that sends.
    pub(crate) player: String,
    /// Its room.
    pub(crate) room: String,
    /// Whom the message names.
    pub(crate) recipients: Vec<String>,
    /// Its text.
    pub(crate) text: String,
    /// Whether it asks for stamps.
    pub(crate) traced: bool,
    /// What the operation's parameters are set to.
    pub(crate) parameters: &'p BTreeMap<String, Parameter>,
    /// Where their columns come from.
    pub(crate) feeders: &'p Feeders,
}

impl Values for Example<'_> {
    fn id(&self) -> u64 {
        7
    }

    fn player(&self) -> Cow<'_, str> {
        self.player.as_str().into()
    }

    fn recipients(&self) -> Cow<'_, [String]> {
        self.recipients.as_slice().into()
    }

    fn text(&self) -> Cow<'_, str> {
        self.text.as_str().into()
    }

    fn token(&self) -> Option<Cow<'_, str>> {
        Some("TOKEN".into())
    }

    fn room(&self) -> Cow<'_, str> {
        self.room.as_str().into()
    }

    fn now_ms(&self) -> u64 {
        1_767_225_600_000
    }

    fn kept(&self, number: usize) -> Option<Cow<'_, str>> {
        Some(format!("kept-{number}").into())
    }

    fn traced(&self) -> bool {
        self.traced
    }

    fn parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        let first = Occasion { player: 0, what: What::Connect, index: 0 };
        Some(self.parameters.get(name)?.value(self.feeders, 0, first))
    }
}
