//! Rules as a file writes them: tables whose keys are pointers. The doc comments become the JSON Schema's descriptions.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What must hold of a received message, all of it. A key that begins with `/` is a JSON Pointer (`"/a/0/b"`; `"/data|json/t"` steps into JSON within a string): a string or number (equal), `true` (there), `false` (absent), an array (one of these), `{ from = 200, to = 299 }`, `{ starts = "…" }`, `{ contains = "…" }`, `{ is = true }`, `{ not = 404 }`. `text`, `starts`, `contains` and `pattern` look at the text itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Rule(pub BTreeMap<String, Value>);

/// A rule, or an array of rules of which one must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Rules {
    /// One.
    One(Rule),
    /// Several.
    Several(Vec<Rule>),
}
