//! When and how points are delivered.
//!
//! On AWS a point is visible at once and grows: those who report are late, each by another time, so the newest minutes are
//! too low and converge. Here what a series recorded in a second arrives after a delay that seed, series and second
//! determine. Asking twice at the same moment gives the same answer, and no point ever shrinks.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use super::{CloudWatchProfile, DeliveryMode};
use crate::metrics::{MetricId, Metrics, Statistic};

/// Metrics that are only sent when they are not zero.
const ONLY_WHEN_NOT_ZERO: [&str; 1] = ["Throttles"];

/// Delivers points as the profile says.
pub(super) struct Delivery {
    profile: CloudWatchProfile,
    seed: u64,
    rate: Option<DefaultDirectRateLimiter>,
    /// Answers so far, so that what was partial once is not so for ever.
    answers: AtomicU64,
}

/// A question for one series; start and end are epoch seconds.
pub(super) struct Question<'a> {
    pub(super) metric: &'a MetricId,
    pub(super) statistic: Statistic,
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) period: u64,
}

/// The points of one series, oldest first.
#[derive(Debug, PartialEq)]
pub(super) struct Delivered {
    pub(super) points: Vec<(u64, f64)>,
    pub(super) status: Status,
}

/// `StatusCode` of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Complete,
    PartialData,
    Forbidden,
}

impl Status {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Complete => "Complete",
            Self::PartialData => "PartialData",
            Self::Forbidden => "Forbidden",
        }
    }

    /// `Code` and `Value` of the message that goes with it; AWS documents neither text.
    pub(super) const fn message(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Complete => None,
            Self::PartialData => {
                Some(("PartialData", "Some of the datapoints could not be retrieved; ask for them again."))
            }
            Self::Forbidden => Some(("Forbidden", "Access to this metric is denied.")),
        }
    }
}

impl Delivery {
    pub(super) fn new(profile: CloudWatchProfile, seed: u64) -> Self {
        let rate = NonZeroU32::new(profile.calls_per_second)
            .map(|per_second| RateLimiter::direct(Quota::per_second(per_second)));
        Self { profile, seed, rate, answers: AtomicU64::new(0) }
    }

    /// Whether one more call is within the rate.
    pub(super) fn admits(&self) -> bool {
        self.rate.as_ref().is_none_or(|rate| rate.check().is_ok())
    }

    /// What of a series can be read at `now`, the time since the epoch.
    pub(super) fn points(&self, metrics: &Metrics, asked: &Question<'_>, now: Duration) -> Delivered {
        let profile = &self.profile;
        if profile
            .forbidden
            .iter()
            .any(|name| *name == asked.metric.namespace || *name == asked.metric.metric)
        {
            return Delivered { points: Vec::new(), status: Status::Forbidden };
        }
        let series = self.hash(asked.metric);
        let mut points = match profile.delivery {
            DeliveryMode::Immediate => {
                metrics.query(asked.metric, asked.statistic, asked.start, asked.end, asked.period)
            }
            DeliveryMode::Aws => self.arrived(metrics, asked, series, now),
        };
        points.retain(|(at, _)| !profile.gap_rate.covers(self.hash((series, "gap", at))));
        let answer = self.answers.fetch_add(1, Relaxed);
        if points.is_empty() || !profile.partial_rate.covers(self.hash((series, "partial", answer))) {
            return Delivered { points, status: Status::Complete };
        }
        points.truncate(points.len() / 2);
        Delivered { points, status: Status::PartialData }
    }

    /// The points of what has arrived. A point that begins before the end is whole, however early the end is.
    fn arrived(
        &self,
        metrics: &Metrics,
        asked: &Question<'_>,
        series: u64,
        now: Duration,
    ) -> Vec<(u64, f64)> {
        let period = asked.period.max(self.profile.period_s);
        let end = asked.end.div_ceil(period).saturating_mul(period);
        let arrived =
            |second: u64| Duration::from_secs(second).saturating_add(self.delay(series, second)) <= now;
        let mut points = metrics.query_some(asked.metric, asked.statistic, asked.start, end, period, arrived);
        if ONLY_WHEN_NOT_ZERO.contains(&asked.metric.metric.as_str()) {
            points.retain(|(_, value)| *value != 0.0);
        }
        points
    }

    /// How long what a second recorded is on its way.
    fn delay(&self, series: u64, second: u64) -> Duration {
        let CloudWatchProfile { arrival, settled_after_s, time_scale, .. } = &self.profile;
        let z = normal(self.hash((series, "arrival", second)));
        arrival.at(z).min(Duration::from_secs_f64(*settled_after_s)).mul_f64(*time_scale)
    }

    fn hash(&self, of: impl std::hash::Hash) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.seed, of).hash(&mut hasher);
        hasher.finish()
    }
}

/// A sample of the standard normal distribution from a hash, by Box and Muller.
fn normal(hash: u64) -> f64 {
    let uniform = |bits: u64| ((bits & 0xffff_ffff) as f64 + 0.5) / 4_294_967_296.0;
    let radius = (-2.0 * uniform(hash >> 32).ln()).sqrt();
    radius * (std::f64::consts::TAU * uniform(hash)).cos()
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::metrics::Unit;

    /// Ten minutes with one sample of 1 each second, from the epoch's first hour on.
    fn ten_minutes(metric: &str) -> (Metrics, MetricId) {
        let metrics = Metrics::default();
        let series = metrics.series("AWS/Lambda", metric, Unit::Count, &[]);
        for second in 0..600 {
            series.record(UNIX_EPOCH + Duration::from_secs(3_600 + second), 1.0);
        }
        (metrics, MetricId::new("AWS/Lambda", metric, &[]))
    }

    fn delivery(profile: &str) -> Delivery {
        Delivery::new(toml::from_str(profile).expect("a profile"), 1)
    }

    fn asked(metric: &MetricId, period: u64) -> Question<'_> {
        Question { metric, statistic: Statistic::Sum, start: 3_600, end: 4_190, period }
    }

    fn values(delivered: &Delivered) -> Vec<f64> {
        delivered.points.iter().map(|(_, value)| *value).collect()
    }

    #[test]
    fn the_newest_minutes_are_too_low_and_grow_until_they_have_settled() {
        let (metrics, metric) = ten_minutes("Invocations");
        let aws = delivery("delivery = \"aws\"");
        let at = |second| aws.points(&metrics, &asked(&metric, 1), Duration::from_secs(second));
        let first = at(4_200);
        assert_eq!(first.points[0].0, 3_600, "a second is answered with a minute");
        assert_eq!(first, at(4_200), "the same moment gives the same answer");
        let newest = values(&first);
        assert!(newest[9] < 60.0 && newest[8] < 60.0, "{newest:?}");
        assert!(newest[9] < newest[0] && newest[0] > 54.0, "{newest:?}");
        let mut before = newest;
        for later in [4_260, 4_320, 4_500, 4_800] {
            let now = values(&at(later));
            assert!(before.iter().zip(&now).all(|(before, now)| before <= now), "no point shrinks");
            before = now;
        }
        assert_eq!(before, [60.0; 10], "the last one, too, which begins before the end");
        let fast = delivery("delivery = \"aws\"\ntime_scale = 0.0");
        assert_eq!(
            values(&fast.points(&metrics, &asked(&metric, 60), Duration::from_secs(4_200))),
            [60.0; 10]
        );
    }

    #[test]
    fn zeros_of_throttles_are_left_out() {
        let (metrics, metric) = ten_minutes("Throttles");
        let series = metrics.series("AWS/Lambda", "Throttles", Unit::Count, &[]);
        series.record(UNIX_EPOCH + Duration::from_secs(3_000), 0.0);
        let late = Duration::from_secs(9_000);
        let question = Question { start: 2_940, ..asked(&metric, 60) };
        let aws = delivery("delivery = \"aws\"").points(&metrics, &question, late);
        assert_eq!(aws.points.first(), Some(&(3_600, 60.0)));
        let immediate = delivery("").points(&metrics, &question, late);
        assert_eq!(immediate.points.first(), Some(&(3_000, 0.0)));
    }

    #[test]
    fn gaps_stay_and_partial_answers_do_not() {
        let (metrics, metric) = ten_minutes("Invocations");
        let late = Duration::from_secs(9_000);
        let gaps = delivery("delivery = \"aws\"\ngap_rate = 0.3");
        let first = gaps.points(&metrics, &asked(&metric, 60), late);
        assert!((1..10).contains(&first.points.len()), "{first:?}");
        assert_eq!(first, gaps.points(&metrics, &asked(&metric, 60), late));
        let partial = delivery("partial_rate = 0.5");
        let answers: Vec<_> = (0..40).map(|_| partial.points(&metrics, &asked(&metric, 60), late)).collect();
        for answer in &answers {
            let expected = if answer.status == Status::PartialData { 5 } else { 10 };
            assert_eq!(answer.points.len(), expected);
        }
        let count = answers.iter().filter(|answer| answer.status == Status::PartialData).count();
        assert!((5..36).contains(&count), "{count}");
    }

    #[test]
    fn some_series_may_not_be_read_and_calls_have_a_rate() {
        let (metrics, metric) = ten_minutes("Invocations");
        for name in ["AWS/Lambda", "Invocations"] {
            let forbidden = delivery(&format!("forbidden = [\"{name}\"]"));
            let answer = forbidden.points(&metrics, &asked(&metric, 60), Duration::ZERO);
            assert_eq!(answer, Delivered { points: Vec::new(), status: Status::Forbidden });
        }
        let limited = delivery("calls_per_second = 2");
        let admitted = (0..10).filter(|_| limited.admits()).count();
        assert!((2..=3).contains(&admitted), "{admitted}");
    }

    #[test]
    fn a_hash_gives_the_normal_distribution() {
        let samples: Vec<f64> = (0..10_000).map(|number| normal(delivery("").hash(number))).collect();
        let mean = samples.iter().sum::<f64>() / 10_000.0;
        let variance = samples.iter().map(|sample| (sample - mean).powi(2)).sum::<f64>() / 10_000.0;
        assert!(mean.abs() < 0.05 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
    }
}
