//! The JSON Schema of a protocol file: generated from the types, it describes the file to editors and is what a document is
//! checked against ([`documents::form`]).

use documents::units;
use serde_json::Value;

use super::protocol::Protocol;

/// The JSON Schema (draft 2020-12) of a protocol file. `x-reads` names how a text is read.
#[must_use]
pub fn json_schema() -> Value {
    schemars::schema_for!(Protocol).to_value()
}

/// Reads a text of the kind that the schema names by `x-reads`: all of them are lengths of time.
pub(crate) fn read(_: &str, text: &str) -> Result<Value, String> {
    units::span(text).map(|_| text.into())
}
