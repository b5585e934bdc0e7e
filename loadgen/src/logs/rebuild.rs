//! From the lines of a function to series of one second.

use std::collections::BTreeMap;

use reports::format::CloudWatchSeries;

use super::report::{Invocation, Line};

/// The namespace of the series.
const NAMESPACE: &str = "Lambda/Reports";

/// Statistics of one metric by second.
type Points = BTreeMap<i64, f64>;

/// The series of a function: `lines` with the seconds of the run's axis at which they were written.
///
/// Between the first second of an invocation and the last every second has a value, for the lines are complete; before and
/// after there is none.
pub(super) fn series(function: &str, lines: &[(f64, Line)]) -> Vec<CloudWatchSeries> {
    let invocations: Vec<(f64, f64, Invocation)> = lines
        .iter()
        .filter_map(|(end, line)| match line {
            Line::Invocation(one) => {
                let busy_ms = one.duration_ms + one.init_ms.unwrap_or_default();
                Some((end - busy_ms / 1e3, *end, *one))
            }
            Line::FailedInit => None,
        })
        .collect();
    let failed = lines.iter().filter(|(_, line)| *line == Line::FailedInit).map(|(at, _)| second(*at));
    let intervals: Vec<(f64, f64)> = invocations.iter().map(|(start, end, _)| (*start, *end)).collect();
    let busy = concurrency(&intervals);
    let all = || busy.keys().copied();
    let starts = || invocations.iter().map(|(start, _, one)| (second(*start), one));
    let ends = || invocations.iter().map(|(_, end, one)| (second(*end), one));
    let inits = || starts().filter_map(|(at, one)| Some((at, one.init_ms?)));
    let points = |of: fn(&Busy) -> f64| busy.iter().map(|(at, busy)| (*at, of(busy))).collect();
    let made = [
        ("ConcurrentExecutions", "Average", "Count", points(|busy| busy.mean)),
        ("ConcurrentExecutions", "Maximum", "Count", points(|busy| f64::from(busy.max))),
        ("Invocations", "Sum", "Count", sums(all(), starts().map(|(at, _)| (at, 1.0)))),
        ("ColdStarts", "Sum", "Count", sums(all(), inits().map(|(at, _)| (at, 1.0)))),
        ("FailedInits", "Sum", "Count", sums(all(), failed.map(|at| (at, 1.0)))),
        ("InitDuration", "Average", "Milliseconds", means(inits())),
        ("InitDuration", "Maximum", "Milliseconds", maxima(inits())),
        ("Duration", "Average", "Milliseconds", means(starts().map(|(at, one)| (at, one.duration_ms)))),
        ("Duration", "Maximum", "Milliseconds", maxima(starts().map(|(at, one)| (at, one.duration_ms)))),
        (
            "BilledDuration",
            "Sum",
            "Milliseconds",
            sums([], ends().filter_map(|(at, one)| Some((at, one.billed_ms?)))),
        ),
        (
            "MaxMemoryUsed",
            "Maximum",
            "Megabytes",
            maxima(ends().filter_map(|(at, one)| Some((at, one.used_mb?)))),
        ),
        (
            "MemorySize",
            "Maximum",
            "Megabytes",
            maxima(ends().filter_map(|(at, one)| Some((at, one.memory_mb?)))),
        ),
    ];
    let dimensions = BTreeMap::from([("FunctionName".to_owned(), function.to_owned())]);
    made.into_iter()
        .map(|(metric, statistic, unit, points)| CloudWatchSeries {
            namespace: NAMESPACE.into(),
            metric: metric.into(),
            statistic: statistic.into(),
            dimensions: dimensions.clone(),
            unit: unit.into(),
            points: points.into_iter().map(|(at, value)| (at as f64, value)).collect(),
            period_s: Some(1),
            ..CloudWatchSeries::default()
        })
        .collect()
}

/// How many invocations ran in a second.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Busy {
    /// On the average of its time.
    mean: f64,
    /// At the same time.
    max: u32,
}

/// Concurrency by second, from the intervals `[start, end)` of the invocations.
fn concurrency(intervals: &[(f64, f64)]) -> BTreeMap<i64, Busy> {
    let mut changes: Vec<(f64, i32)> =
        intervals.iter().flat_map(|(start, end)| [(*start, 1), (*end, -1)]).collect();
    // At the same instant one ends before the next begins.
    changes.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let (Some(first), Some(last)) = (changes.first(), changes.last()) else { return BTreeMap::new() };
    let mut busy: BTreeMap<i64, Busy> =
        (second(first.0)..=second(last.0)).map(|at| (at, Busy::default())).collect();
    let (mut running, mut since) = (0_i32, first.0);
    for (at, change) in changes {
        if running > 0 && at > since {
            hold(&mut busy, since, at, running.unsigned_abs());
        }
        running += change;
        since = at;
    }
    busy
}

/// So many ran from `since` to `until`.
fn hold(busy: &mut BTreeMap<i64, Busy>, since: f64, until: f64, running: u32) {
    for at in second(since)..=second(until) {
        let within = until.min(at as f64 + 1.0) - since.max(at as f64);
        if within > 0.0
            && let Some(busy) = busy.get_mut(&at)
        {
            busy.mean += within * f64::from(running);
            busy.max = busy.max.max(running);
        }
    }
}

fn second(at: f64) -> i64 {
    at.floor() as i64
}

/// Sums by second; `all` have one, if of nothing.
fn sums(all: impl IntoIterator<Item = i64>, values: impl Iterator<Item = (i64, f64)>) -> Points {
    let mut sums: Points = all.into_iter().map(|at| (at, 0.0)).collect();
    values.for_each(|(at, value)| *sums.entry(at).or_default() += value);
    sums
}

fn means(values: impl Iterator<Item = (i64, f64)>) -> Points {
    let mut sums: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
    for (at, value) in values {
        let (sum, count) = sums.entry(at).or_default();
        *sum += value;
        *count += 1.0;
    }
    sums.into_iter().map(|(at, (sum, count))| (at, sum / count)).collect()
}

fn maxima(values: impl Iterator<Item = (i64, f64)>) -> Points {
    let mut maxima = Points::new();
    for (at, value) in values {
        let most = maxima.entry(at).or_insert(value);
        *most = most.max(value);
    }
    maxima
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn report(end: f64, duration_ms: f64, init_ms: Option<f64>) -> (f64, Line) {
        let one = Invocation {
            duration_ms,
            init_ms,
            used_mb: Some(90.0),
            memory_mb: Some(128.0),
            billed_ms: Some(1.0),
        };
        (end, Line::Invocation(one))
    }

    fn points<'s>(all: &'s [CloudWatchSeries], metric: &str, statistic: &str) -> &'s [(f64, f64)] {
        &all.iter().find(|one| one.metric == metric && one.statistic == statistic).unwrap().points
    }

    #[test]
    fn a_hand_made_case() {
        // One from 0.5 to 2.5 with its start from 0.5 to 1.5; two more from 2.0 to 2.5 and from 4.0 to 4.25.
        let lines = [
            report(2.5, 1_000.0, Some(1_000.0)),
            report(2.5, 500.0, None),
            report(4.25, 250.0, None),
            (3.5, Line::FailedInit),
        ];
        let all = series("Send", &lines);
        assert_eq!(
            points(&all, "ConcurrentExecutions", "Maximum"),
            [(0.0, 1.0), (1.0, 1.0), (2.0, 2.0), (3.0, 0.0), (4.0, 1.0)]
        );
        assert_eq!(
            points(&all, "ConcurrentExecutions", "Average"),
            [(0.0, 0.5), (1.0, 1.0), (2.0, 1.0), (3.0, 0.0), (4.0, 0.25)]
        );
        assert_eq!(
            points(&all, "Invocations", "Sum"),
            [(0.0, 1.0), (1.0, 0.0), (2.0, 1.0), (3.0, 0.0), (4.0, 1.0)]
        );
        assert_eq!(points(&all, "ColdStarts", "Sum")[0], (0.0, 1.0));
        assert_eq!(points(&all, "InitDuration", "Maximum"), [(0.0, 1_000.0)], "no start is no start of 0 ms");
        assert_eq!(points(&all, "FailedInits", "Sum")[3], (3.0, 1.0));
        assert_eq!(points(&all, "MaxMemoryUsed", "Maximum"), [(2.0, 90.0), (4.0, 90.0)]);
        assert_eq!(points(&all, "BilledDuration", "Sum"), [(2.0, 2.0), (4.0, 1.0)]);
        assert!(all.iter().all(|one| one.period_s == Some(1)));
        assert!(series("Send", &[]).iter().all(|one| one.points.is_empty()));
    }

    proptest! {
        /// In steps of an eighth of a second, which floats hold exactly: count who runs in each step.
        #[test]
        fn concurrency_is_what_counting_gives(
            raw in prop::collection::vec((0_i64..200, 1_i64..60), 1..40),
        ) {
            let intervals: Vec<(f64, f64)> = raw
                .iter()
                .map(|(start, length)| (*start as f64 / 8.0, (start + length) as f64 / 8.0))
                .collect();
            let busy = concurrency(&intervals);
            for at in 0..40_i64 {
                let running = |step: i64| raw.iter().filter(|(s, l)| (*s..s + l).contains(&step)).count() as u32;
                let steps: Vec<u32> = (at * 8..at * 8 + 8).map(running).collect();
                let expected = Busy {
                    mean: f64::from(steps.iter().sum::<u32>()) / 8.0,
                    max: steps.into_iter().max().unwrap_or_default(),
                };
                let found = busy.get(&at).copied().unwrap_or_default();
                prop_assert!((found.mean - expected.mean).abs() < 1e-9, "{at}: {found:?} {expected:?}");
                prop_assert_eq!(found.max, expected.max);
            }
        }
    }
}
