//! Values as they are read from a message.

use std::borrow::Cow;

use serde_json::Number;

/// A value as it is read from a message; `null` is none.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found<'m> {
    /// A string's content.
    Text(Cow<'m, str>),
    /// A number.
    Number(Number),
    /// `true` or `false`.
    Bool(bool),
    /// An object or an array; its JSON where it is asked for.
    Parts(Option<String>),
}
