//! A latency histogram in a few numbers.

use hdrhistogram::Histogram;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Summary of one latency histogram, in microseconds. Percentiles are the highest value equivalent to the
/// bucket in which the quantile falls (`HdrHistogram` with three significant digits: at most 0.1 % too high).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
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
