//! The same run folder with what CloudWatch may lack: fewer answers are fine, wrong ones are not.

use std::collections::BTreeMap;

use reports::folder::RunFolder;
use reports::format::{CloudWatch, CloudWatchSeries, SeriesStatus, Topology, Wiring};

/// A way to look at a run folder.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    strum::EnumIter,
    strum::IntoStaticStr,
    serde::Serialize,
)]
#[strum(serialize_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// As it is: seconds, all there.
    AsIs,
    /// Periods of five seconds.
    FiveSeconds,
    /// Periods of a minute: of a run of seconds, one or two points.
    Minutes,
    /// The newest period is not there yet, and that before it is too low.
    Late,
    /// Every sixth point is missing.
    Missing,
    /// The last third is missing, and CloudWatch says so.
    Partial,
    /// Periods of five seconds, late, with points missing.
    Poor,
    /// No limit could be read.
    NoLimits,
    /// Nothing from the functions' logs.
    NoLogs,
    /// No stamps of the backend in the pushes.
    NoTrace,
    /// Nobody declared what does the work of which operation, and no API told.
    NoTopology,
    /// No figure of the server at all.
    NoCloudWatch,
}

impl View {
    /// What is seen of it, for people.
    #[must_use]
    pub fn what(self) -> &'static str {
        match self {
            Self::AsIs => "as it is: seconds",
            Self::FiveSeconds => "periods of 5 s",
            Self::Minutes => "periods of 60 s",
            Self::Late => "newest period missing, the one before too low",
            Self::Missing => "every sixth point missing",
            Self::Partial => "the last third missing, `PartialData`",
            Self::Poor => "periods of 5 s, late, points missing",
            Self::NoLimits => "no limits",
            Self::NoLogs => "no logs",
            Self::NoTrace => "no trace, of the runs that have one",
            Self::NoTopology => "no topology",
            Self::NoCloudWatch => "no CloudWatch",
        }
    }

    /// Takes away what this view lacks; whether there was any of it: a view that takes nothing away shows nothing.
    pub(super) fn apply(self, folder: &mut RunFolder) -> bool {
        if self == Self::NoCloudWatch {
            folder.cloudwatch = None;
        }
        if self == Self::NoTopology {
            folder.manifest.topology = Topology::default();
        }
        // Summaries of functions that the run itself made of the whole series are of no view.
        if let Some(summary) = &mut folder.summary {
            summary.correlation = None;
        }
        if self == Self::NoTrace {
            return without_trace(folder);
        }
        let began = folder.manifest.run.started_at.as_nanosecond() as f64 / 1e9;
        let Some(cloudwatch) = &mut folder.cloudwatch else { return true };
        match self {
            Self::AsIs | Self::NoCloudWatch | Self::NoTrace => {}
            Self::FiveSeconds => coarser(cloudwatch, 5, began),
            Self::Minutes => coarser(cloudwatch, 60, began),
            Self::Late => late(cloudwatch),
            Self::Missing => missing(cloudwatch),
            Self::Partial => partial(cloudwatch),
            Self::Poor => {
                coarser(cloudwatch, 5, began);
                missing(cloudwatch);
                late(cloudwatch);
            }
            Self::NoLimits => cloudwatch.limits.clear(),
            Self::NoLogs => {
                let before = cloudwatch.series.len();
                cloudwatch.series.retain(|series| !is_of_logs(series));
                return cloudwatch.series.len() < before;
            }
            Self::NoTopology => cloudwatch.wiring = Wiring::default(),
        }
        true
    }
}

/// Forgets the hops of the deliveries; whether there were any.
fn without_trace(folder: &mut RunFolder) -> bool {
    let of_all = folder.summary.as_mut().and_then(|summary| summary.hops.take()).is_some();
    let seconds = folder.series.iter_mut().flat_map(|second| second.deliveries.values_mut());
    let of_seconds = seconds.fold(false, |any, second| {
        let had = !second.hops.is_empty();
        second.hops.clear();
        any || had
    });
    of_all || of_seconds
}

/// Whether a series was made of the functions' logs or of metrics that an extension writes.
fn is_of_logs(series: &CloudWatchSeries) -> bool {
    !series.namespace.starts_with("AWS/")
}

/// Merges periods, on the epoch's grid.
fn coarser(cloudwatch: &mut CloudWatch, period_s: u64, began: f64) {
    // How many there were of a function in each fine period: the weight of an average.
    let weights: BTreeMap<String, BTreeMap<i64, f64>> = cloudwatch
        .series
        .iter()
        .filter(|series| series.metric == "Invocations")
        .filter_map(|series| {
            let points =
                series.points.iter().map(|(at, value)| ((at * 1e3).round() as i64, *value)).collect();
            Some((series.dimensions.get("FunctionName")?.clone(), points))
        })
        .collect();
    for series in &mut cloudwatch.series {
        let weights = series.dimensions.get("FunctionName").and_then(|name| weights.get(name));
        series.points = merged(series, period_s as f64, began, weights);
        series.period_s = None;
    }
    cloudwatch.period_s = period_s;
}

fn merged(
    series: &CloudWatchSeries,
    period_s: f64,
    began: f64,
    weights: Option<&BTreeMap<i64, f64>>,
) -> Vec<(f64, f64)> {
    let mut bins: BTreeMap<i64, Vec<(f64, f64)>> = BTreeMap::new();
    for (at, value) in &series.points {
        let weight =
            weights.and_then(|weights| weights.get(&((at * 1e3).round() as i64))).copied().unwrap_or(1.0);
        let bin = ((began + at) / period_s + 1e-6).floor() as i64;
        bins.entry(bin).or_default().push((*value, weight.max(1e-9)));
    }
    let value = |of: &[(f64, f64)]| match series.statistic.as_str() {
        "Sum" | "SampleCount" => of.iter().map(|(value, _)| value).sum(),
        "Minimum" => of.iter().map(|(value, _)| *value).fold(f64::INFINITY, f64::min),
        "Average" | "p50" => {
            let weight: f64 = of.iter().map(|(_, weight)| weight).sum();
            of.iter().map(|(value, weight)| value * weight).sum::<f64>() / weight
        }
        // Of a high percentile no more is known than that it is no higher than the highest.
        _ => of.iter().map(|(value, _)| *value).fold(f64::NEG_INFINITY, f64::max),
    };
    bins.iter().map(|(bin, of)| (*bin as f64 * period_s - began, value(of))).collect()
}

/// What is read at once after a run: the newest period is not there, and counters of the one before are too low.
fn late(cloudwatch: &mut CloudWatch) {
    let starts = || cloudwatch.series.iter().flat_map(|series| &series.points).map(|(at, _)| *at);
    let newest = starts().fold(f64::NEG_INFINITY, f64::max);
    let period_s = cloudwatch.period_s as f64;
    for series in &mut cloudwatch.series {
        series.points.retain(|(at, _)| *at < newest - 0.5 * period_s);
        let low = series.points.iter_mut().filter(|(at, _)| *at > newest - 1.5 * period_s);
        if matches!(series.statistic.as_str(), "Sum" | "SampleCount") {
            low.for_each(|(_, value)| *value = (*value * 0.4).floor());
        }
    }
    cloudwatch.settled = Some(false);
}

/// Another sixth of each series.
fn missing(cloudwatch: &mut CloudWatch) {
    for (offset, series) in cloudwatch.series.iter_mut().enumerate() {
        let mut n = offset * 7;
        series.points.retain(|_| {
            n += 1;
            !n.is_multiple_of(6)
        });
    }
}

fn partial(cloudwatch: &mut CloudWatch) {
    for series in &mut cloudwatch.series {
        series.points.truncate(series.points.len() * 2 / 3);
        series.status = SeriesStatus::PartialData;
    }
    cloudwatch.settled = Some(false);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(statistic: &str, points: &[(f64, f64)]) -> CloudWatchSeries {
        CloudWatchSeries {
            namespace: "AWS/Lambda".into(),
            metric: "Invocations".into(),
            statistic: statistic.into(),
            points: points.to_vec(),
            ..CloudWatchSeries::default()
        }
    }

    #[test]
    fn periods_merge_on_the_grid_of_the_epoch() {
        // The run began 2 s after a full five seconds: the first bin has three seconds.
        let points: Vec<(f64, f64)> = (0..8).map(|n| (f64::from(n), f64::from(n))).collect();
        assert_eq!(merged(&series("Sum", &points), 5.0, 1_002.0, None), [(-2.0, 3.0), (3.0, 25.0)]);
        assert_eq!(merged(&series("Maximum", &points), 5.0, 1_002.0, None), [(-2.0, 2.0), (3.0, 7.0)]);
        let weights = BTreeMap::from([(0, 3.0), (1_000, 1.0)]);
        assert_eq!(merged(&series("Average", &points[..2]), 5.0, 1_000.0, Some(&weights)), [(0.0, 0.25)]);
    }

    #[test]
    fn late_points_are_missing_or_too_low() {
        let points = [(0.0, 10.0), (1.0, 10.0), (2.0, 10.0)];
        let mut cloudwatch =
            CloudWatch { period_s: 1, series: vec![series("Sum", &points)], ..CloudWatch::default() };
        late(&mut cloudwatch);
        assert_eq!(cloudwatch.series[0].points, [(0.0, 10.0), (1.0, 4.0)]);
        missing(&mut cloudwatch);
        assert_eq!(cloudwatch.series[0].points.len(), 2, "every sixth, and there are two");
    }
}
