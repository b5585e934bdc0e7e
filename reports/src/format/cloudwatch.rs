//! `cloudwatch.json`: server-side series.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::{Document, SCHEMA_VERSION};
use super::limits::{Limit, Wiring};

/// `cloudwatch.json`: the series as fetched.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CloudWatch {
    /// Version of the format by which this document was written.
    #[schemars(extend("const" = SCHEMA_VERSION))]
    pub schema_version: u32,
    /// When points were last fetched; CloudWatch lags by minutes, so a later fetch may hold more.
    pub fetched_at: Timestamp,
    /// Start of the fetched window (inclusive).
    pub window_start: Timestamp,
    /// End of the fetched window (exclusive).
    pub window_end: Timestamp,
    /// Length of one period in seconds: 60 on AWS, 1 on the local stack. A series may have one of its own.
    pub period_s: u64,
    /// Region, or `local`.
    pub region: String,
    /// One entry per metric, statistic and dimension set.
    pub series: Vec<CloudWatchSeries>,
    /// What the last fetch did not get, and why; empty when all went well.
    pub problems: Vec<String>,
    /// Notes that are no problems: a coarser period than requested, points kept of earlier fetches.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<String>,
    /// What the backend may use, as its APIs say; empty in older runs.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub limits: Vec<Limit>,
    /// What calls what, as the backend's APIs say; empty in older runs.
    #[serde(skip_serializing_if = "Wiring::is_empty", default)]
    pub wiring: Wiring,
    /// Whether two reads, a minute apart, agreed: nothing more is to come. `None`: nobody waited for that.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub settled: Option<bool>,
    /// What reading it cost; absent in older runs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cost: Option<FetchCost>,
}

/// What reading CloudWatch cost, all fetches together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FetchCost {
    /// Metrics asked for with `GetMetricData`, which are billed by the thousand.
    pub metrics: u64,
    /// Calls of all APIs, those that are free among them.
    pub calls: u64,
    /// Bytes that queries of CloudWatch Logs scanned, which are billed by the gigabyte.
    pub scanned_bytes: u64,
}

impl Document for CloudWatch {
    fn version(&mut self) -> &mut u32 {
        &mut self.schema_version
    }
}

/// One CloudWatch series.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CloudWatchSeries {
    /// Namespace, e.g. `AWS/Lambda`.
    pub namespace: String,
    /// Metric, e.g. `ConcurrentExecutions`.
    pub metric: String,
    /// Statistic, e.g. `Maximum`.
    pub statistic: String,
    /// Dimensions, e.g. `FunctionName` → `reference-Development-SendMessage`.
    pub dimensions: BTreeMap<String, String>,
    /// Unit of the values: `Count`, `Milliseconds`, ….
    pub unit: String,
    /// Points in ascending time: start of the period in seconds since the run's start (may be negative), value.
    /// Empty where CloudWatch had none: no data is not zero.
    pub points: Vec<(f64, f64)>,
    /// CloudWatch's status of the points.
    #[serde(default)]
    pub status: SeriesStatus,
    /// CloudWatch's messages, e.g. why a series is forbidden.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub messages: Vec<String>,
    /// Length of its periods where it is not that of the document: an earlier fetch got it finer, or only a later one,
    /// coarser, got it at all.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub period_s: Option<u64>,
}

/// The `StatusCode` of a series in `GetMetricData`'s answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum SeriesStatus {
    /// All points that there are.
    #[default]
    Complete,
    /// Not all of them.
    PartialData,
    /// CloudWatch failed.
    InternalError,
    /// The credentials may not read it.
    Forbidden,
    /// A status that this version does not know.
    #[serde(other)]
    Unknown,
}
