//! How some latencies are distributed, in few buckets and with the exact extremes.

use super::buckets::{highest, index, lowest};
use crate::format::Latency;

/// Latencies in microseconds, as counts of the buckets that are not empty. Quantiles are those of the bucket's largest value, at most
/// [`RESOLUTION`](super::RESOLUTION) too high; smallest and largest are as in the log. Counts saturate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Distribution {
    /// Bucket and count, ascending.
    buckets: Vec<(u16, u64)>,
    min: u64,
    max: u64,
}

impl Distribution {
    pub(super) const EMPTY: Self = Self { buckets: Vec::new(), min: 0, max: 0 };

    /// Number of latencies.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// The smallest; 0 when there are none.
    #[must_use]
    pub const fn min(&self) -> u64 {
        self.min
    }

    /// The largest; 0 when there are none.
    #[must_use]
    pub const fn max(&self) -> u64 {
        self.max
    }

    /// The value that a share of `q` (0 to 1) does not exceed; 0 when there are none.
    #[must_use]
    pub fn quantile(&self, q: f64) -> u64 {
        self.quantiles([q])[0]
    }

    /// Several quantiles in one pass; the shares ascend.
    #[must_use]
    pub fn quantiles<const N: usize>(&self, shares: [f64; N]) -> [u64; N] {
        let count = self.count();
        let mut buckets = self.buckets.iter();
        let (mut seen, mut value) = (0_u64, 0);
        shares.map(|q| {
            // As HdrHistogram does: part of a sample is the whole of it.
            let wanted = ((q.clamp(0.0, 1.0) * count as f64).ceil() as u64).clamp(1, count.max(1));
            while seen < wanted {
                let Some((bucket, count)) = buckets.next() else { break };
                seen = seen.saturating_add(*count);
                value = highest(*bucket).clamp(self.min, self.max);
            }
            value
        })
    }

    /// The mean of the buckets' middles; 0 when there are none.
    #[must_use]
    pub fn mean(&self) -> f64 {
        let sum: f64 = self
            .buckets()
            .map(|(low, high, count)| f64::midpoint(low as f64, high as f64) * count as f64)
            .sum();
        sum / (self.count().max(1) as f64)
    }

    /// The buckets that are not empty, ascending: smallest and largest value, count.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64, u64)> {
        self.buckets.iter().map(|(bucket, count)| (lowest(*bucket), highest(*bucket), *count))
    }

    /// In the numbers of a second; those of no latency when there are none.
    #[must_use]
    pub fn latency(&self) -> Latency {
        let [p50, p90, p95, p99, p99_9, p99_99] = self.quantiles([0.5, 0.9, 0.95, 0.99, 0.999, 0.9999]);
        let mean = (self.mean() * 10.0).round() / 10.0;
        Latency { count: self.count(), min: self.min, mean, p50, p90, p95, p99, p99_9, p99_99, max: self.max }
    }

    /// Adds those of another one.
    pub fn add(&mut self, other: &Self) {
        if other.is_empty() {
            return;
        }
        (self.min, self.max) = match self.is_empty() {
            true => (other.min, other.max),
            false => (self.min.min(other.min), self.max.max(other.max)),
        };
        let mut merged = Vec::with_capacity(self.buckets.len().max(other.buckets.len()));
        let mut others = other.buckets.iter().copied().peekable();
        for (bucket, count) in self.buckets.drain(..) {
            merged.extend(std::iter::from_fn(|| others.next_if(|(other, _)| *other < bucket)));
            let same = others.next_if(|(other, _)| *other == bucket).map_or(0, |(_, count)| count);
            merged.push((bucket, count.saturating_add(same)));
        }
        merged.extend(others);
        self.buckets = merged;
    }
}

/// Where the latencies of a bin are counted while it lasts.
#[derive(Debug, Default)]
pub(super) struct Tally {
    counts: Vec<u64>,
    min: u64,
    max: u64,
}

impl Tally {
    /// Counts `count` latencies between two equivalent values; `count` is not 0.
    pub(super) fn record(&mut self, low: u64, high: u64, count: u64) {
        if self.counts.is_empty() {
            (self.min, self.max) = (low, high);
        }
        (self.min, self.max) = (self.min.min(low), self.max.max(high));
        let bucket = usize::from(index(low));
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] = self.counts[bucket].saturating_add(count);
    }

    /// What was counted; nothing is afterwards.
    pub(super) fn take(&mut self) -> Distribution {
        let counted = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        let buckets = counted.map(|(bucket, count)| (bucket as u16, *count)).collect();
        let taken = Distribution { buckets, min: self.min, max: self.max };
        self.counts.clear();
        taken
    }
}

impl FromIterator<u64> for Distribution {
    fn from_iter<I: IntoIterator<Item = u64>>(values: I) -> Self {
        let mut tally = Tally::default();
        values.into_iter().for_each(|value| tally.record(value, value, 1));
        tally.take()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::digest::RESOLUTION;

    #[test]
    fn figures_of_a_hundred_latencies() {
        let all: Distribution = (1..=100).map(|value| value * 10).collect();
        assert_eq!((all.count(), all.min(), all.max()), (100, 10, 1_000));
        // 500 lies in 500 to 503, 990 in 984 to 991.
        assert_eq!(all.quantiles([0.0, 0.5, 0.99, 1.0]), [10, 503, 991, 1_000]);
        assert!((all.mean() - 505.0).abs() <= 505.0 * RESOLUTION, "{}", all.mean());
        assert_eq!(all.latency().p50, 503);
    }

    #[test]
    fn nothing_is_no_latency() {
        let none = Distribution::default();
        assert_eq!((none.count(), none.quantile(0.99), none.max()), (0, 0, 0));
        assert_eq!(none.latency(), Latency::default());
    }

    proptest! {
        #[test]
        fn quantiles_are_those_of_the_values(
            mut values in prop::collection::vec(0_u64..100_000_000, 1..200),
            q in 0.0_f64..=1.0,
        ) {
            let all: Distribution = values.iter().copied().collect();
            values.sort_unstable();
            let rank = ((q * values.len() as f64).ceil() as usize).clamp(1, values.len());
            let (exact, said) = (values[rank - 1] as f64, all.quantile(q) as f64);
            prop_assert!(exact <= said && said <= exact * (1.0 + RESOLUTION), "{exact} {said}");
        }

        #[test]
        fn a_sum_is_that_of_all_values(
            one in prop::collection::vec(0_u64..10_000_000, 0..60),
            other in prop::collection::vec(0_u64..10_000_000, 0..60),
        ) {
            let mut sum: Distribution = one.iter().copied().collect();
            sum.add(&other.iter().copied().collect());
            prop_assert_eq!(sum, one.into_iter().chain(other).collect::<Distribution>());
        }
    }
}
