//! The CloudWatch metrics of each Lambda function over the run's window.

mod merge;

use std::collections::BTreeSet;

use crate::format::{CloudWatch, CloudWatchSeries, FunctionSummary, Run};

pub use merge::merge;

/// The namespace of Lambda's metrics.
const LAMBDA: &str = "AWS/Lambda";
/// The dimension that names a function.
const FUNCTION_NAME: &str = "FunctionName";

/// The last second of a run, in which nothing is awaited any more, and what follows it are not the run's: players leave.
const QUIET_S: f64 = 1.0;

/// Summarises every function that has a point, in the order of the names: the minutes after the run are in it.
#[must_use]
pub fn functions(cloudwatch: &CloudWatch) -> Vec<FunctionSummary> {
    let own = cloudwatch.series.iter().filter(|series| !series.points.is_empty());
    let names: BTreeSet<&str> = own.filter_map(function_name).collect();
    names.into_iter().map(|name| summarise(cloudwatch, name)).collect()
}

/// The same without the minutes after the run.
#[must_use]
pub fn functions_within(cloudwatch: &CloudWatch, run: &Run) -> Vec<FunctionSummary> {
    let lasted_s = run.ended_at.duration_since(run.started_at).as_secs_f64();
    // A run that was killed has no end.
    if lasted_s <= 0.0 {
        return functions(cloudwatch);
    }
    let own = cloudwatch.series.iter().filter(|series| function_name(series).is_some());
    let within = own.map(|series| {
        let points = series.points.iter().copied().filter(|(at, _)| *at < lasted_s - QUIET_S);
        CloudWatchSeries { points: points.collect(), ..series.clone() }
    });
    functions(&CloudWatch { series: within.collect(), ..CloudWatch::default() })
}

/// The series of one metric and statistic, each with its function.
pub fn metric<'a>(
    cloudwatch: &'a CloudWatch,
    metric: &str,
    statistic: &str,
) -> impl Iterator<Item = (&'a str, &'a CloudWatchSeries)> {
    cloudwatch
        .series
        .iter()
        .filter(move |series| series.metric == metric && series.statistic == statistic)
        .filter_map(|series| function_name(series).map(|name| (name, series)))
}

fn function_name(series: &CloudWatchSeries) -> Option<&str> {
    // With further dimensions (version, alias) a series repeats part of the function's own.
    (series.namespace == LAMBDA && series.dimensions.len() == 1)
        .then(|| series.dimensions.get(FUNCTION_NAME).map(String::as_str))
        .flatten()
}

fn summarise(cloudwatch: &CloudWatch, name: &str) -> FunctionSummary {
    let series = |wanted: &'static str, statistic: &'static str| series(cloudwatch, name, wanted, statistic);
    let points =
        |wanted: &'static str, statistic: &'static str| Some(series(wanted, statistic)?.points.as_slice());
    let sum = |wanted: &'static str| {
        points(wanted, "Sum").map(|points| points.iter().map(|(_, value)| value).sum())
    };
    let peak = |wanted: &'static str| {
        points(wanted, "Maximum").and_then(|points| points.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1)))
    };
    let concurrency = peak("ConcurrentExecutions");
    FunctionSummary {
        function: name.to_owned(),
        peak_concurrency: concurrency.map(|(_, value)| value),
        peak_at_s: concurrency.map(|(at, _)| at),
        invocations: sum("Invocations"),
        errors: sum("Errors"),
        throttles: sum("Throttles"),
        duration_avg_ms: weighted_mean(series("Duration", "Average"), series("Invocations", "Sum")),
        duration_max_ms: peak("Duration").map(|(_, value)| value),
        iterator_age_max_ms: peak("IteratorAge").map(|(_, value)| value),
    }
}

/// One series of a function; `None` when there is no such series or it is empty.
fn series<'a>(
    cloudwatch: &'a CloudWatch,
    name: &str,
    wanted: &str,
    statistic: &str,
) -> Option<&'a CloudWatchSeries> {
    metric(cloudwatch, wanted, statistic)
        .find(|(function, series)| *function == name && !series.points.is_empty())
        .map(|(_, series)| series)
}

/// The mean of `values`, each weighted by the weight of the same period; `None` where the periods are not of one length.
fn weighted_mean(values: Option<&CloudWatchSeries>, weights: Option<&CloudWatchSeries>) -> Option<f64> {
    let (values, weights) = (values?, weights?);
    if values.period_s != weights.period_s {
        return None;
    }
    let (mut total, mut weight_sum) = (0.0, 0.0);
    for (at, value) in &values.points {
        if let Some((_, weight)) = weights.points.iter().find(|(other, _)| other == at) {
            total += value * weight;
            weight_sum += weight;
        }
    }
    (weight_sum > 0.0).then(|| total / weight_sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(metric: &str, statistic: &str, points: &[(f64, f64)]) -> CloudWatchSeries {
        CloudWatchSeries {
            namespace: LAMBDA.into(),
            metric: metric.into(),
            statistic: statistic.into(),
            dimensions: [(FUNCTION_NAME.to_owned(), "SendMessage".to_owned())].into(),
            unit: String::new(),
            points: points.to_vec(),
            ..CloudWatchSeries::default()
        }
    }

    #[test]
    fn means_are_weighted_by_invocations_and_peaks_keep_their_instant() {
        let cloudwatch = CloudWatch {
            series: vec![
                series("ConcurrentExecutions", "Maximum", &[(0.0, 3.0), (60.0, 9.0)]),
                series("Invocations", "Sum", &[(0.0, 300.0), (60.0, 100.0)]),
                series("Duration", "Average", &[(0.0, 10.0), (60.0, 30.0)]),
                series("Duration", "Maximum", &[(0.0, 40.0), (60.0, 35.0)]),
            ],
            ..CloudWatch::default()
        };
        let functions = functions_within(&cloudwatch, &Run::default());
        assert_eq!(functions.len(), 1);
        let function = &functions[0];
        assert_eq!((function.peak_concurrency, function.peak_at_s), (Some(9.0), Some(60.0)));
        assert_eq!(function.invocations, Some(400.0));
        assert_eq!(function.duration_avg_ms, Some(15.0));
        assert_eq!(function.duration_max_ms, Some(40.0));
        assert_eq!(function.throttles, None, "no data is not zero");
    }

    #[test]
    fn what_follows_the_run_is_not_the_run_s() {
        let run = Run { ended_at: jiff::Timestamp::from_second(10).unwrap(), ..Run::default() };
        let sum = |points: &[(f64, f64)]| {
            let cloudwatch =
                CloudWatch { series: vec![series("Invocations", "Sum", points)], ..CloudWatch::default() };
            functions_within(&cloudwatch, &run).first().and_then(|function| function.invocations)
        };
        assert_eq!(sum(&[(-0.4, 1.0), (8.6, 2.0), (9.6, 500.0), (70.0, 3.0)]), Some(3.0));
        assert_eq!(sum(&[(70.0, 3.0)]), None);
        assert_eq!(sum(&[]), None, "a function without a point is none that ran");
    }
}
