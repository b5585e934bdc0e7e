//! The shape of a header in `[target.headers]`. The doc comments become the JSON Schema's descriptions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A header's value: written here, or `{ env = "NAME" }`, or `{ file = "PATH" }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum HeaderText {
    /// As it stands.
    Written(String),
    /// From outside: what proves who somebody is does not belong into a scenario.
    From(HeaderSource),
}

/// Where a header's value comes from: `env` or `file`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HeaderSource {
    /// Name of the environment variable that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// File that holds it, beside this scenario or at a path from the working directory; a line end at its end is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}
