//! Figures with names, in the shape that Prometheus and OpenTelemetry share.

use hdrhistogram::Histogram;

/// Upper bounds of the buckets in microseconds, three to a decade from 100 µs to a minute.
pub(super) const BOUNDS_US: [u64; 18] = [
    100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000,
    2_000_000, 5_000_000, 10_000_000, 20_000_000, 60_000_000,
];

/// A figure with all its points.
#[derive(Debug)]
pub(super) struct Metric {
    /// Without prefix, unit or suffix.
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) unit: Unit,
    pub(super) points: Points,
}

/// What a value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    None,
    Seconds,
    Bytes,
}

/// What distinguishes a point from the others of its metric.
pub(super) type Labels = Vec<(&'static str, String)>;

/// The points of a metric.
#[derive(Debug)]
pub(super) enum Points {
    /// Since the run's start; never falls.
    Counter(Vec<(Labels, u64)>),
    /// Now.
    Gauge(Vec<(Labels, f64)>),
    /// Since the run's start.
    Histogram(Vec<(Labels, Buckets)>),
}

/// A histogram in buckets.
#[derive(Debug, PartialEq)]
pub(super) struct Buckets {
    /// Of all samples, in seconds.
    pub(super) sum: f64,
    pub(super) count: u64,
    /// Samples in each bucket of [`BOUNDS_US`], and last those beyond.
    pub(super) counts: Vec<u64>,
}

impl Buckets {
    /// Counts a histogram of microseconds; a sample within 0.1 % of a bound may count on either side of it.
    pub(super) fn of(histogram: &Histogram<u64>) -> Self {
        let mut counts = Vec::with_capacity(BOUNDS_US.len() + 1);
        let mut below = 0;
        for bound in BOUNDS_US {
            let upto = histogram.count_between(0, bound);
            counts.push(upto - below);
            below = upto;
        }
        counts.push(histogram.len() - below);
        let sum = if histogram.is_empty() { 0.0 } else { histogram.mean() * histogram.len() as f64 / 1e6 };
        Self { sum, count: histogram.len(), counts }
    }
}

/// Upper bounds in seconds.
pub(super) fn bounds_s() -> impl Iterator<Item = f64> {
    BOUNDS_US.iter().map(|us| *us as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_in_one_bucket() {
        let mut histogram = Histogram::<u64>::new(3).unwrap();
        assert_eq!(Buckets::of(&histogram).counts.iter().sum::<u64>(), 0);
        for us in [1, 100, 150, 700, 1_500_000, 3_600_000_000] {
            histogram.record(us).unwrap();
        }
        let Buckets { sum, count, counts } = Buckets::of(&histogram);
        assert_eq!((count, counts.iter().sum()), (6, 6_u64));
        assert_eq!((counts[0], counts[1], counts[3], counts[13], counts[18]), (2, 1, 1, 1, 1));
        assert!((sum - 3_601.500_951).abs() < 3.7, "{sum}");
    }
}
