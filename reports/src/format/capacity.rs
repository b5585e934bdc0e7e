//! `capacity.json`: what a search for the highest load found, and every step on the way.
//!
//! A stable contract like the run folder's (see `docs/capacity.md`). Each step is a run with a folder of its own, named
//! in [`Step::run`], unless the machine could not run it; a level is a load that was tried, once or several times.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::Document;

/// Version of `capacity.json`.
pub const SCHEMA_VERSION: u32 = 1;

/// What was varied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Vary {
    /// The rates of all operations together: operations per second at load 1.
    #[default]
    Rate,
    /// The number of players, each with a socket.
    Players,
}

/// How a search ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// The interval of the knee is as narrow as requested.
    Found,
    /// Even the highest load passed its thresholds.
    NeverFailed,
    /// Even the lowest load failed a threshold.
    NothingHeld,
    /// The generator reached its limit before the interval of the knee was as narrow as requested.
    GeneratorLimit,
    /// `--max-duration` was over.
    OutOfTime,
    /// Stopped by Ctrl-C or SIGTERM.
    Interrupted,
    /// Under way, killed, or given up because a run came to no verdict.
    #[default]
    Unfinished,
}

/// How one step ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All thresholds passed.
    Held,
    /// A threshold failed.
    Failed,
    /// The generator could not send on schedule: the run says nothing about the target.
    #[default]
    Invalid,
}

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Capacity {
    /// Version of the format by which this document was written.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    pub schema_version: u32,
    /// The scenario's name.
    pub name: String,
    /// `embedded`, or the target's URL without query and credentials.
    pub target: String,
    /// Version of loadgen.
    pub version: String,
    /// What was varied.
    pub vary: Vary,
    /// Widest interval that counts as found, as a share of its lower end.
    pub precision: f64,
    /// Runs of a level at most; the majority decides.
    pub repeats: u32,
    /// The scenario's thresholds.
    pub thresholds: Vec<String>,
    /// When the search began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Why it ended.
    pub ended: Ended,
    /// The knee; null unless one level held and a higher one failed. Invalid runs do not bound it.
    pub knee: Option<Knee>,
    /// Highest level that held, below everything that failed.
    pub held: Option<f64>,
    /// Every level that was tried, ascending.
    pub levels: Vec<Level>,
    /// Every run, in order.
    pub steps: Vec<Step>,
}

impl Document for Capacity {
    const VERSIONS: RangeInclusive<u32> = SCHEMA_VERSION..=SCHEMA_VERSION;

    fn version(&mut self) -> &mut u32 {
        &mut self.schema_version
    }
}

/// Where the target stops holding its thresholds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Knee {
    /// Middle of the interval.
    pub estimate: f64,
    /// Highest level that held.
    pub low: f64,
    /// Lowest level above it that failed.
    pub high: f64,
}

/// A load that was tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Level {
    /// The load.
    pub level: f64,
    /// Runs that held.
    pub held: u32,
    /// Runs that failed a threshold.
    pub failed: u32,
    /// Invalid runs.
    pub invalid: u32,
    /// The verdict of the majority; null when the search went on without one.
    pub verdict: Option<Outcome>,
    /// Share of valid runs that hold at this level: Wilson's 95 % interval. Wide with few runs.
    pub held_share: (f64, f64),
}

/// One run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// From 1.
    pub number: u32,
    /// The load.
    pub level: f64,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, where it did not hold.
    pub reason: Option<String>,
    /// Its run folder, from the folder of `capacity.json`; null where the machine cannot hold the level, and nothing ran.
    pub run: Option<PathBuf>,
    /// The operation that the times are of, the same in every step: the busiest but `connect`.
    pub operation: String,
    /// Arrivals a second that the plan called for in the measured phases, all operations but `connect`.
    pub offered_per_s: f64,
    /// Answered as expected a second.
    pub completed_per_s: f64,
    /// Share of the arrivals that failed, timed out or were not sent, 0 to 1: as the threshold `error_rate` has it, of all operations,
    /// `connect` included; 0 where there were none.
    pub error_share: f64,
    /// Answers that the times are of; 0 in older files.
    #[serde(default)]
    pub samples: u64,
    /// Median response time in microseconds; 0 without samples, as below.
    pub p50_us: u64,
    /// 95th percentile of the response time in microseconds; 0 in older files.
    #[serde(default)]
    pub p95_us: u64,
    /// 99th percentile of the response time in microseconds.
    pub p99_us: u64,
    /// Highest number of sockets open at once.
    pub peak_open: u64,
    /// 99th percentile of the generator's dispatch delay in microseconds.
    pub dispatch_delay_p99_us: u64,
}
