//! A value as it is written in a message.

use std::borrow::Cow;

use memchr::memchr;

/// A value as it is written in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Held<'m> {
    /// A string's content.
    Text(Cow<'m, str>),
    /// A number as it is written.
    Number(&'m str),
    /// `true` or `false`.
    Bool(bool),
    /// An object, an array, or a string whose escapes stand for no text.
    Other,
}

impl<'m> Held<'m> {
    /// Reads JSON that is known to be valid and not `null`.
    pub(super) fn read(json: &'m str) -> Self {
        match json.as_bytes() {
            [b'"', ..] => string(json).map_or(Self::Other, Self::Text),
            [b'-' | b'0'..=b'9', ..] => Self::Number(json),
            b"true" => Self::Bool(true),
            b"false" => Self::Bool(false),
            _ => Self::Other,
        }
    }
}

/// The content of a JSON string, borrowed where nothing in it is escaped.
pub(super) fn string(json: &str) -> Option<Cow<'_, str>> {
    let content = json.strip_prefix('"')?.strip_suffix('"')?;
    if memchr(b'\\', content.as_bytes()).is_none() {
        return Some(Cow::Borrowed(content));
    }
    serde_json::from_str(json).ok().map(Cow::Owned)
}
