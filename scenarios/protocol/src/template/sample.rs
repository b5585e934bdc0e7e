//! Values to try a template with.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use crate::protocol::Values;

/// Values as a run has them, for checks and for showing a message.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    /// The operation's parameters.
    pub parameters: BTreeMap<String, Value>,
}

impl Values for Sample {
    fn id(&self) -> u64 {
        7
    }
    fn player(&self) -> Cow<'_, str> {
        "player-1".into()
    }
    fn recipients(&self) -> Cow<'_, [String]> {
        vec!["player-2".to_owned(), "player-3".to_owned()].into()
    }
    fn text(&self) -> Cow<'_, str> {
        "lg1:0000002a:0000000000000007:".into()
    }
    fn token(&self) -> Option<Cow<'_, str>> {
        Some("TOKEN".into())
    }
    fn room(&self) -> Cow<'_, str> {
        "room-1".into()
    }
    fn now_ms(&self) -> u64 {
        1_767_225_600_000
    }
    fn kept(&self, number: usize) -> Option<Cow<'_, str>> {
        Some(format!("kept-{number}").into())
    }
    fn parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        self.parameters.get(name).map(|value| match value {
            Value::String(text) => Cow::Borrowed(text.as_str()),
            other => Cow::Owned(other.to_string()),
        })
    }
}
