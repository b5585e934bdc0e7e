//! The metrics of the emulated services, stored per second and read by the CloudWatch endpoint.
//!
//! AWS stores minutes. A load test may last half a minute, so the store has one bucket per second for three hours (the
//! retention of CloudWatch's high-resolution data) and merges buckets into the period of the query. Series in
//! milliseconds also store their distribution, as the sparse counts of an HDR histogram with two significant digits: a
//! full histogram per second and series would need gigabytes.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, LazyLock};
use std::time::{SystemTime, UNIX_EPOCH};

use hdrhistogram::Histogram;
use parking_lot::{Mutex, RwLock};

/// Retention of a bucket in seconds.
const RETENTION_SECONDS: u64 = 3 * 3_600;
/// The bucket boundaries of the histograms, shared by all series.
static LAYOUT: LazyLock<Histogram<u64>> = LazyLock::new(empty_histogram);

/// All series of the stack. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    series: Arc<RwLock<HashMap<MetricId, Arc<Series>>>>,
}

/// The identity of a series.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MetricId {
    /// `AWS/Lambda`, `AWS/ApiGateway`, ...
    pub namespace: String,
    /// `Invocations`, ...
    pub metric: String,
    /// Names and values, sorted.
    pub dimensions: Vec<(String, String)>,
}

impl MetricId {
    /// The id of a metric; the order of the dimensions does not matter.
    #[must_use]
    pub fn new(namespace: &str, metric: &str, dimensions: &[(&str, &str)]) -> Self {
        let mut dimensions: Vec<_> =
            dimensions.iter().map(|&(name, value)| (name.into(), value.into())).collect();
        dimensions.sort();
        Self { namespace: namespace.into(), metric: metric.into(), dimensions }
    }
}

/// Unit of a metric, spelled as CloudWatch spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A count.
    Count,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Percent.
    Percent,
    /// No unit.
    None,
}

/// One series, registered once and recorded into often.
#[derive(Debug)]
pub struct Series {
    unit: Unit,
    /// Sorted by second.
    buckets: Mutex<VecDeque<Bucket>>,
}

/// The samples of one second.
#[derive(Debug, Clone)]
struct Bucket {
    second: u64,
    sum: f64,
    count: u64,
    min: f64,
    max: f64,
    /// HDR bucket (its lowest value, in microseconds) and count, sorted; empty unless the unit is milliseconds.
    distribution: Vec<(u64, u32)>,
}

/// A statistic of CloudWatch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Statistic {
    /// Total of the values.
    Sum,
    /// Mean of the values.
    Average,
    /// Least value.
    Minimum,
    /// Greatest value.
    Maximum,
    /// How many values.
    SampleCount,
    /// `pNN`: the percentile, 0 to 100.
    Percentile(f64),
}

/// The name of a statistic is unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the statistic {0} is unknown; use Sum, Average, Minimum, Maximum, SampleCount or a percentile such as p99"
)]
pub struct UnknownStatistic(String);

impl std::str::FromStr for Statistic {
    type Err = UnknownStatistic;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let percentile = || text.strip_prefix('p')?.parse().ok().filter(|p| (0.0..=100.0).contains(p));
        match text {
            "Sum" => Ok(Self::Sum),
            "Average" => Ok(Self::Average),
            "Minimum" => Ok(Self::Minimum),
            "Maximum" => Ok(Self::Maximum),
            "SampleCount" => Ok(Self::SampleCount),
            _ => percentile().map(Self::Percentile).ok_or_else(|| UnknownStatistic(text.into())),
        }
    }
}

impl Metrics {
    /// Registers (or finds) the series of a metric with its dimensions.
    pub fn series(
        &self,
        namespace: &str,
        metric: &str,
        unit: Unit,
        dimensions: &[(&str, &str)],
    ) -> Arc<Series> {
        let id = MetricId::new(namespace, metric, dimensions);
        let mut series = self.series.write();
        Arc::clone(series.entry(id).or_insert_with(|| Arc::new(Series { unit, buckets: Mutex::default() })))
    }

    /// The ids of all series that hold data, sorted.
    #[must_use]
    pub fn ids(&self) -> Vec<MetricId> {
        let series = self.series.read();
        let mut ids: Vec<_> = series
            .iter()
            .filter(|(_, series)| !series.buckets.lock().is_empty())
            .map(|(id, _)| id.clone())
            .collect();
        ids.sort();
        ids
    }

    /// The datapoints of a series in `start..end` (epoch seconds), oldest first: each period's start and its value.
    ///
    /// Periods are aligned to the epoch and one without data has no point, as on AWS. Empty for an unknown series.
    #[must_use]
    pub fn query(
        &self,
        id: &MetricId,
        statistic: Statistic,
        start: u64,
        end: u64,
        period: u64,
    ) -> Vec<(u64, f64)> {
        self.query_some(id, statistic, start, end, period, |_| true)
    }

    /// As [`query`](Self::query), of the seconds that `wanted` accepts.
    pub(crate) fn query_some(
        &self,
        id: &MetricId,
        statistic: Statistic,
        start: u64,
        end: u64,
        period: u64,
        wanted: impl Fn(u64) -> bool,
    ) -> Vec<(u64, f64)> {
        let series = self.series.read().get(id).cloned();
        series.map_or_else(Vec::new, |series| series.query(statistic, start, end, period.max(1), wanted))
    }
}

impl Series {
    /// Records one sample at `at` (the invocation's start, for Lambda metrics).
    pub fn record(&self, at: SystemTime, value: f64) {
        self.record_many(at, value, 1);
    }

    /// Records the same sample several times.
    pub fn record_many(&self, at: SystemTime, value: f64, times: u64) {
        let second = at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let mut buckets = self.buckets.lock();
        let place = buckets.iter().rposition(|bucket| bucket.second <= second);
        let index = match place {
            Some(index) if buckets[index].second == second => index,
            _ => {
                let index = place.map_or(0, |before| before + 1);
                buckets.insert(index, Bucket::new(second));
                index
            }
        };
        buckets[index].record(value, times, self.unit);
        let newest = buckets.back().map_or(0, |bucket| bucket.second);
        while buckets.front().is_some_and(|oldest| oldest.second + RETENTION_SECONDS < newest) {
            buckets.pop_front();
        }
    }

    fn query(
        &self,
        statistic: Statistic,
        start: u64,
        end: u64,
        period: u64,
        wanted: impl Fn(u64) -> bool,
    ) -> Vec<(u64, f64)> {
        let start = start - start % period;
        let within = |bucket: &&Bucket| (start..end).contains(&bucket.second) && wanted(bucket.second);
        let mut periods: Vec<Bucket> = Vec::new();
        for bucket in self.buckets.lock().iter().filter(within) {
            let second = bucket.second - bucket.second % period;
            match periods.last_mut() {
                Some(last) if last.second == second => last.merge(bucket),
                _ => periods.push(Bucket { second, ..bucket.clone() }),
            }
        }
        periods.iter().filter_map(|bucket| Some((bucket.second, bucket.value(statistic)?))).collect()
    }
}

impl Bucket {
    const fn new(second: u64) -> Self {
        Self {
            second,
            sum: 0.0,
            count: 0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            distribution: Vec::new(),
        }
    }

    fn record(&mut self, value: f64, times: u64, unit: Unit) {
        self.sum += value * times as f64;
        self.count += times;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        if unit == Unit::Milliseconds {
            self.count_in(
                LAYOUT.lowest_equivalent(microseconds(value)),
                u32::try_from(times).unwrap_or(u32::MAX),
            );
        }
    }

    fn merge(&mut self, other: &Self) {
        self.sum += other.sum;
        self.count += other.count;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        for &(value, count) in &other.distribution {
            self.count_in(value, count);
        }
    }

    fn count_in(&mut self, value: u64, count: u32) {
        match self.distribution.binary_search_by_key(&value, |&(value, _)| value) {
            Ok(index) => self.distribution[index].1 += count,
            Err(index) => self.distribution.insert(index, (value, count)),
        }
    }

    fn value(&self, statistic: Statistic) -> Option<f64> {
        match statistic {
            Statistic::Sum => Some(self.sum),
            Statistic::Average => Some(self.sum / self.count as f64),
            Statistic::Minimum => Some(self.min),
            Statistic::Maximum => Some(self.max),
            Statistic::SampleCount => Some(self.count as f64),
            Statistic::Percentile(percentile) => self.percentile(percentile),
        }
    }

    fn percentile(&self, percentile: f64) -> Option<f64> {
        if self.distribution.is_empty() {
            return None;
        }
        let mut histogram = empty_histogram();
        for &(value, count) in &self.distribution {
            histogram.saturating_record_n(value, u64::from(count));
        }
        let value = histogram.value_at_quantile(percentile / 100.0) as f64 / 1_000.0;
        Some(value.clamp(self.min, self.max))
    }
}

/// Two significant digits up to a day.
fn empty_histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 86_400_000_000, 2).expect("the bounds are valid")
}

/// A value in milliseconds in the histogram's unit.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, which is meant")]
fn microseconds(milliseconds: f64) -> u64 {
    (milliseconds * 1_000.0).round() as u64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(second: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(second)
    }

    #[test]
    fn merges_seconds_into_periods_whatever_the_order_of_arrival() {
        let metrics = Metrics::default();
        let series = metrics.series("AWS/Lambda", "Invocations", Unit::Count, &[("b", "2"), ("a", "1")]);
        for (second, value) in [(125, 4.0), (60, 1.0), (119, 2.0), (60, 3.0)] {
            series.record(at(second), value);
        }
        let id = MetricId::new("AWS/Lambda", "Invocations", &[("a", "1"), ("b", "2")]);
        assert_eq!(metrics.ids(), std::slice::from_ref(&id));
        assert_eq!(metrics.query(&id, Statistic::Sum, 0, 200, 60), [(60, 6.0), (120, 4.0)]);
        assert_eq!(metrics.query(&id, Statistic::Maximum, 61, 119, 1), []);
        assert_eq!(metrics.query(&id, Statistic::Average, 60, 61, 1), [(60, 2.0)]);
        assert_eq!(
            metrics.query(&id, Statistic::SampleCount, 70, 120, 60),
            [(60, 3.0)],
            "the start is rounded down"
        );
        assert_eq!(
            metrics.query(&id, Statistic::Percentile(50.0), 0, 200, 60),
            [],
            "counts have no distribution"
        );
    }

    #[test]
    fn percentiles_stay_within_one_percent() {
        let metrics = Metrics::default();
        let series = metrics.series("n", "Duration", Unit::Milliseconds, &[]);
        for value in 1..=1_000 {
            series.record(at(u64::from(value % 7_u32)), f64::from(value));
        }
        let id = MetricId::new("n", "Duration", &[]);
        for (percentile, expected) in [(50.0, 500.0), (99.0, 990.0), (100.0, 1_000.0)] {
            let points = metrics.query(&id, Statistic::Percentile(percentile), 0, 60, 60);
            assert!((points[0].1 / expected - 1.0).abs() < 0.01, "p{percentile}: {points:?}");
        }
    }

    #[test]
    fn forgets_after_three_hours() {
        let metrics = Metrics::default();
        let series = metrics.series("n", "m", Unit::None, &[]);
        series.record(at(0), 1.0);
        series.record(at(RETENTION_SECONDS + 1), 2.0);
        let id = MetricId::new("n", "m", &[]);
        assert_eq!(metrics.query(&id, Statistic::Sum, 0, u64::MAX, 1), [(RETENTION_SECONDS + 1, 2.0)]);
    }

    #[test]
    fn statistics_parse_as_on_aws() {
        assert_eq!("p99.9".parse(), Ok(Statistic::Percentile(99.9)));
        assert_eq!("Sum".parse(), Ok(Statistic::Sum));
        assert!("p101".parse::<Statistic>().is_err());
        assert!("Median".parse::<Statistic>().is_err());
    }
}
