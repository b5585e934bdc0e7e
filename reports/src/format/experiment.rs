//! `experiment.json`: one question, answered by runs that differ in one thing.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::{Document, SCHEMA_VERSION};

/// An experiment: arms that differ in one thing, and what was measured of each.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Experiment {
    /// Version of the format by which this document was written.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    pub schema_version: u32,
    /// Version of loadgen.
    pub version: String,
    /// What it is called, e.g. `push-versus-poll`.
    pub name: String,
    /// What it asks.
    pub question: String,
    /// What it ran against.
    pub target: String,
    /// When its first run began.
    pub started_at: Timestamp,
    /// The answer in sentences, the most important one first. Each is made from the figures below.
    pub answers: Vec<String>,
    /// What differs. Every table has a column for each.
    pub arms: Vec<Arm>,
    /// What was measured.
    pub tables: Vec<ExperimentTable>,
}

impl Document for Experiment {
    fn version(&mut self) -> &mut u32 {
        &mut self.schema_version
    }
}

/// A way of doing it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Arm {
    /// What it is called.
    pub name: String,
    /// What is different in it.
    pub about: String,
    /// Valid runs.
    pub runs: u32,
}

/// Figures of one kind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExperimentTable {
    /// What its figures have in common.
    pub title: String,
    /// How to read it.
    pub how: String,
    /// A figure each.
    pub rows: Vec<ExperimentRow>,
}

/// A figure in every arm.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExperimentRow {
    /// What was measured.
    pub measure: String,
    /// In what its values are.
    pub unit: ExperimentUnit,
    /// By arm, in their order; null where there is none.
    pub values: Vec<Option<Measured>>,
}

/// A figure with its scatter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measured {
    /// Of all runs of the arm together; percentiles come of merged histograms.
    pub value: f64,
    /// The lowest of a single run.
    pub low: f64,
    /// The highest of a single run.
    pub high: f64,
}

/// What a figure counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExperimentUnit {
    /// Microseconds.
    Microseconds,
    /// A share, 0 to 1.
    Share,
    /// US dollars.
    Usd,
    /// A number of things.
    #[default]
    #[serde(other)]
    Number,
}
