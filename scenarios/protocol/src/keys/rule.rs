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

impl Rule {
    /// What it asks for, in words: `/type is "ack" and /id is there`.
    #[must_use]
    pub fn words(&self) -> String {
        let asked = self.0.iter().map(|(key, test)| match key.as_str() {
            "text" => format!("the text is {test}"),
            "starts" => format!("the text begins with {test}"),
            "contains" => format!("the text has {test} in it"),
            "pattern" => format!("the text is like {test}"),
            pointer => format!("{pointer} {}", words_of(test)),
        });
        asked.collect::<Vec<_>>().join(" and ")
    }
}

impl Rules {
    /// What one of them asks for, in words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::One(rule) => rule.words(),
            Self::Several(rules) => rules.iter().map(Rule::words).collect::<Vec<_>>().join(" or "),
        }
    }
}

/// What a test asks of a value, in words.
fn words_of(test: &Value) -> String {
    let several = |values: &[Value]| values.iter().map(Value::to_string).collect::<Vec<_>>().join(", ");
    let word = |key: &str, value: &Value| match (key, value) {
        ("from", least) => format!("is at least {least}"),
        ("to", most) => format!("is at most {most}"),
        ("starts", text) => format!("begins with {text}"),
        ("contains", text) => format!("has {text} in it"),
        ("not", Value::Array(values)) => format!("is none of {}", several(values)),
        ("not", value) => format!("is not {value}"),
        (_, value) => format!("is {value}"),
    };
    match test {
        Value::Bool(true) => "is there".to_owned(),
        Value::Bool(false) => "is absent".to_owned(),
        Value::String(text) if text == "${id}" => "is the request's number".to_owned(),
        Value::Array(values) => format!("is one of {}", several(values)),
        Value::Object(keys) => match (keys.get("from"), keys.get("to")) {
            (Some(from), Some(to)) => format!("is {from} to {to}"),
            _ => keys.iter().map(|(key, value)| word(key, value)).collect(),
        },
        other => format!("is {other}"),
    }
}
