//! The values that messages are filled with.

use std::borrow::Cow;

/// What a template may ask for; asked only for what its message holds.
pub trait Values {
    /// A number that no other message of this socket has; rising, from 1.
    fn id(&self) -> u64;
    /// The player's id.
    fn player(&self) -> Cow<'_, str>;
    /// Ids of the players that it is for.
    fn recipients(&self) -> Cow<'_, [String]>;
    /// The text, with its marker.
    fn text(&self) -> Cow<'_, str>;
    /// The player's credential.
    fn token(&self) -> Option<Cow<'_, str>>;
    /// The player's room.
    fn room(&self) -> Cow<'_, str>;
    /// Milliseconds since 1970.
    fn now_ms(&self) -> u64;
    /// A value that was kept on this socket, by its number.
    fn kept(&self, number: usize) -> Option<Cow<'_, str>>;
    /// Whether the backend is asked for the stamps of its pushes.
    fn traced(&self) -> bool {
        false
    }
    /// A parameter of the operation, as JSON where it is no text.
    fn parameter(&self, name: &str) -> Option<Cow<'_, str>>;
}

/// A value that a message needs and that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Its name.
    pub name: String,
}
