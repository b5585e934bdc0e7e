//! Values as they are read from a message.

use std::borrow::Cow;

use memchr::memchr;
use serde_json::Number;

/// A value as it is read from a message; `null` is none.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Held<'m> {
    /// A string's content.
    Text(Cow<'m, str>),
    /// A number.
    Number(Number),
    /// `true` or `false`.
    Bool(bool),
    /// An object, an array, or a string whose escapes stand for no text.
    Other,
}

impl<'m> Held<'m> {
    /// Reads JSON that is known to be valid and not `null`.
    #[inline]
    pub(super) fn read(json: &'m str) -> Self {
        match json.as_bytes() {
            [b'"', ..] => string(json).map_or(Self::Other, Self::Text),
            [b'-' | b'0'..=b'9', ..] => serde_json::from_str(json).map_or(Self::Other, Self::Number),
            b"true" => Self::Bool(true),
            b"false" => Self::Bool(false),
            _ => Self::Other,
        }
    }
}

/// The content of a JSON string, borrowed where nothing in it is escaped.
#[inline]
pub(super) fn string(json: &str) -> Option<Cow<'_, str>> {
    let content = json.strip_prefix('"')?.strip_suffix('"')?;
    let plain = match content.len() {
        0..SHORT => !content.as_bytes().contains(&b'\\'),
        _ => memchr(b'\\', content.as_bytes()).is_none(),
    };
    if plain { Some(Cow::Borrowed(content)) } else { serde_json::from_str(json).ok().map(Cow::Owned) }
}

/// Below this, calling the search costs more than searching.
const SHORT: usize = 24;
