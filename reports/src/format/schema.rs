//! The JSON Schemas of the documents, generated from the types: for editors, validators and readers in other languages.
//!
//! They describe what is written. They are checked in as `reports/schemas/<name>.schema.json`, and a test keeps them so.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::capacity::Capacity;
use super::cloudwatch::CloudWatch;
use super::comparison::Comparison;
use super::experiment::Experiment;
use super::manifest::Manifest;
use super::series::{ErrorSample, SeriesLine};
use super::summary::Summary;

/// The name and the JSON Schema (draft 2020-12) of each document, and of a line of each file of lines.
#[must_use]
pub fn json_schemas() -> [(&'static str, Value); 8] {
    [
        ("summary", of::<Summary>()),
        ("manifest", of::<Manifest>()),
        ("series-line", of::<SeriesLine>()),
        ("error-line", of::<ErrorSample>()),
        ("cloudwatch", of::<CloudWatch>()),
        ("capacity", of::<Capacity>()),
        ("experiment", of::<Experiment>()),
        ("comparison", of::<Comparison>()),
    ]
}

fn of<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>().to_value()
}
