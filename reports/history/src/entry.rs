//! What a history keeps of one run, search or bench.

use jiff::Timestamp;
use reports::history::{Better, Kind, Unit};
use serde::Serialize;

/// One run, search or bench.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// What tells it from every other of its kind: the run's id; of searches and benches, name and content.
    pub key: String,
    /// The scenario's name; of a bench, its criterion group.
    pub name: String,
    /// Digest of what was to be done: the scenario and the files that it names.
    pub digest: Option<String>,
    /// `embedded`, or the target's URL without query and credentials; empty for benches.
    pub target: String,
    /// Class of the machine, see [`class`](crate::class).
    pub host: String,
    /// The operating system with its version.
    pub os: String,
    /// Commit that was measured.
    pub commit: Option<String>,
    /// Its branch.
    pub branch: Option<String>,
    /// Version of loadgen; empty for benches.
    pub version: String,
    /// When it was measured: a run's begin.
    pub at: Timestamp,
    /// Whether it says something of what was measured.
    pub validity: Validity,
    /// What was measured.
    pub measures: Vec<Measure>,
}

/// Whether an entry's figures may be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "validity", content = "reason", rename_all = "snake_case")]
pub enum Validity {
    /// They may.
    Valid,
    /// They may not, and why.
    Invalid(String),
}

impl Validity {
    /// Why the figures may not be used.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Valid => None,
            Self::Invalid(reason) => Some(reason),
        }
    }
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measure {
    /// In the words of thresholds, e.g. `send_message.response_time.p99`.
    pub name: String,
    /// What it counts in.
    pub unit: Unit,
    /// Which way it is better.
    pub better: Better,
    /// The value.
    pub value: f64,
}

impl Measure {
    /// A figure whose unit tells which way it is better.
    pub(crate) fn new(name: impl Into<String>, unit: Unit, value: f64) -> Self {
        let better = match unit {
            Unit::PerSecond | Unit::Players => Better::Higher,
            Unit::Us | Unit::Ns | Unit::CpuSeconds | Unit::Share | Unit::Bytes => Better::Lower,
        };
        Self { name: name.into(), unit, better, value }
    }
}
