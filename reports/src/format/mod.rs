//! The run folder's data format: what `loadgen` writes and every report reads, a module for each file.
//!
//! This is the project's stable contract (see `docs/run-folder.md`). A change of meaning needs a new
//! [`SCHEMA_VERSION`] and a changelog entry. All times inside latency objects are **microseconds**; all
//! instants are UTC in RFC 3339; all offsets (`t`, `start_s`, `end_s`) are seconds since the run's start.

pub mod capacity;
mod cloudwatch;
pub mod cut_off;
mod document;
mod manifest;
mod series;
mod status;
mod summary;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

pub use cloudwatch::{CloudWatch, CloudWatchSeries, SeriesStatus};
pub(crate) use document::Document;
pub use manifest::{Host, Manifest, Phase};
pub use series::{DeliverySecond, ErrorSample, GeneratorSecond, OperationSecond, SeriesLine, SocketsSecond};
pub use status::Status;
pub use summary::*;

/// Version of every JSON document in a run folder, as written.
///
/// Version 2 renamed `weather` to `disruptions` and `lives` to `churn`, in the summary and in the series.
pub const SCHEMA_VERSION: u32 = 2;

/// The oldest version that is still read.
pub const OLDEST_SCHEMA_VERSION: u32 = 1;

/// Summary of one latency histogram, in microseconds. Percentiles are the highest value equivalent to the
/// bucket in which the quantile falls (`HdrHistogram` with three significant digits: at most 0.1 % too high).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Samples recorded.
    pub count: u64,
    /// Smallest sample.
    pub min: u64,
    /// Arithmetic mean of the bucketed samples.
    pub mean: f64,
    /// Median.
    pub p50: u64,
    /// 90th percentile.
    pub p90: u64,
    /// 95th percentile.
    pub p95: u64,
    /// 99th percentile.
    pub p99: u64,
    /// 99.9th percentile.
    pub p99_9: u64,
    /// 99.99th percentile.
    pub p99_99: u64,
    /// Largest sample.
    pub max: u64,
}

impl Latency {
    /// Summarises a histogram whose values are microseconds. An empty histogram gives all zeros.
    #[must_use]
    pub fn of(histogram: &Histogram<u64>) -> Self {
        if histogram.is_empty() {
            return Self::default();
        }
        let quantile = |q| histogram.value_at_quantile(q);
        Self {
            count: histogram.len(),
            min: histogram.min(),
            mean: (histogram.mean() * 10.0).round() / 10.0,
            p50: quantile(0.50),
            p90: quantile(0.90),
            p95: quantile(0.95),
            p99: quantile(0.99),
            p99_9: quantile(0.999),
            p99_99: quantile(0.9999),
            max: histogram.max(),
        }
    }

    /// How many of the samples lie beyond the quantile `q` (0 to 1). Fewer than ten makes the percentile weak.
    #[must_use]
    pub fn samples_beyond(&self, q: f64) -> u64 {
        // Rounded before the floor: 10,000 × (1 − 0.999) is 9.999… in binary.
        let beyond = self.count as f64 * (1.0 - q);
        (beyond + 1e-6).floor() as u64
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}
