//! The JSON Schema of a scenario: generated from the types, it describes the file to editors and is what a document is
//! checked against ([`documents::form`]).

use serde_json::Value;

use crate::scenario::Scenario;

/// The JSON Schema (draft 2020-12) of a scenario file. `x-reads` names how a text is read for a number.
#[must_use]
pub fn json_schema() -> Value {
    schemars::schema_for!(Scenario).to_value()
}
