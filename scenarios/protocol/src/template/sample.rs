//! Values to show a message with.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use crate::values::Values;

/// Values as a run has them: the first player's, with two others to talk to.
#[derive(Debug, Clone, Default)]
pub struct Sample<'a> {
    /// Names of the values that are kept, by number.
    pub kept: &'a [String],
    /// The operation's parameters.
    pub parameters: BTreeMap<String, Value>,
}

impl Values for Sample<'_> {
    fn id(&self) -> u64 {
        1
    }

    fn player(&self) -> Cow<'_, str> {
        "player-0".into()
    }

    fn recipients(&self) -> Cow<'_, [String]> {
        vec!["player-1".to_owned(), "player-2".to_owned()].into()
    }

    fn text(&self) -> Cow<'_, str> {
        "lg1:00000001:0000000000000000:".into()
    }

    fn token(&self) -> Option<Cow<'_, str>> {
        Some("TOKEN".into())
    }

    fn room(&self) -> Cow<'_, str> {
        "room-0".into()
    }

    fn now_ms(&self) -> u64 {
        1_767_225_600_000
    }

    fn kept(&self, number: usize) -> Option<Cow<'_, str>> {
        self.kept.get(number).map(|name| name.as_str().into())
    }

    fn parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        self.parameters.get(name).map(|value| match value {
            Value::String(text) => Cow::Borrowed(text.as_str()),
            other => Cow::Owned(other.to_string()),
        })
    }
}
