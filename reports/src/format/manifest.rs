//! `manifest.json`: what ran, where, with which versions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::{Document, SCHEMA_VERSION};
use super::run::{Run, RunState};
use super::topology::Topology;

/// `manifest.json`: what ran, where, with which versions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// Version of the format by which this document was written.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    pub schema_version: u32,
    /// Identity, as in the summary; `ended_at` equals `started_at` until the run ended.
    pub run: Run,
    /// How far the run has come; a run that was killed remains `running`.
    pub state: RunState,
    /// The command line without query strings and without the users and passwords of URLs.
    pub command: Vec<String>,
    /// How the target's messages look: the protocol's name; empty in older runs: `reference`.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub protocol: String,
    /// Which functions and tables do the work of which operation, as protocol and scenario declare it; empty in older runs.
    #[serde(skip_serializing_if = "Topology::is_empty", default)]
    pub topology: Topology,
    /// The plan in sentences, for people.
    pub plan: Vec<String>,
    /// The plan's phases on the run's axis.
    pub phases: Vec<Phase>,
    /// Players that the plan calls for.
    pub players: u64,
    /// The machine that generated the load.
    pub host: Host,
    /// Git commit of the working directory, if any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub commit: Option<String>,
}

impl Manifest {
    /// Whether an arrival at `offset_s` seconds after the run's start counts for the summary: all do except those of a
    /// phase that is not [`measured`](Phase::measured).
    #[must_use]
    pub fn measures(&self, offset_s: f64) -> bool {
        !self.phases.iter().any(|phase| !phase.measured && (phase.start_s..phase.end_s).contains(&offset_s))
    }
}

impl Document for Manifest {
    fn version(&mut self) -> &mut u32 {
        &mut self.schema_version
    }
}

/// A stretch of the plan on the run's axis.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Phase {
    /// Name, e.g. `ramp`, `hold`.
    pub name: String,
    /// Start in seconds since the run's start.
    pub start_s: f64,
    /// End in seconds since the run's start.
    pub end_s: f64,
    /// Whether its figures count for the summary (warm-up does not).
    pub measured: bool,
}

/// The machine that generated the load.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Host {
    /// Operating system and kernel release.
    pub os: String,
    /// CPU architecture.
    pub arch: String,
    /// Logical CPUs available to the process.
    pub cpus: u64,
    /// Physical memory in bytes.
    pub memory_bytes: u64,
    /// Open-file limit of the process.
    pub descriptor_limit: u64,
}
