//! `cloudwatch.json`: the series of the other side.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `cloudwatch.json`: the series as fetched.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CloudWatch {
    /// [`SCHEMA_VERSION`](super::SCHEMA_VERSION).
    pub schema_version: u32,
    /// When it was fetched; CloudWatch lags by minutes, so a later fetch may hold more.
    pub fetched_at: Timestamp,
    /// Start of the fetched window (inclusive).
    pub window_start: Timestamp,
    /// End of the fetched window (exclusive).
    pub window_end: Timestamp,
    /// Length of one period in seconds: 60 on AWS, 1 on the local stack.
    pub period_s: u64,
    /// Region, or `local`.
    pub region: String,
    /// One entry per metric, statistic and dimension set.
    pub series: Vec<CloudWatchSeries>,
    /// What could not be fetched, and why; empty when all went well.
    pub problems: Vec<String>,
}

/// One CloudWatch series.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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
    pub points: Vec<(f64, f64)>,
}
