//! What CloudWatch has of the made-up run.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use reports::format::{CloudWatch, CloudWatchSeries, SCHEMA_VERSION};

use super::dice::Dice;
use super::seconds::load;
use super::{Shape, started_at};

pub(super) fn cloudwatch(dice: &mut Dice, shape: &Shape, period: u64) -> CloudWatch {
    let mut series = Vec::new();
    let functions = [
        ("Connect", 0.14, 32.0),
        ("SendMessage", 1.0, 9.0),
        ("RequestPlacement", 0.05, 24.0),
        ("PlacementEvents", 0.04, 12.0),
    ];
    for (function, share, duration) in functions {
        let mut points: BTreeMap<_, Vec<(f64, f64)>> = BTreeMap::new();
        let mut t = 0.0;
        while t < shape.seconds as f64 {
            let (rate, strain) = load((t + period as f64 / 2.0) / shape.seconds as f64);
            let idle = function == "Connect" && t >= 0.2 * shape.seconds as f64;
            let invocations = if idle { 0.0 } else { (shape.rate * rate * share * period as f64).round() };
            let average = duration * (1.0 + 30.0 * strain) * (1.0 + 0.03 * dice.normal());
            let concurrency = (invocations / period as f64 * average / 1000.0 * 2.2 + 1.0).ceil().min(100.0);
            let throttles = if concurrency >= 40.0 { (invocations * 0.004).round() } else { 0.0 };
            for (key, value) in [
                (("ConcurrentExecutions", "Maximum", "Count"), concurrency),
                (("Invocations", "Sum", "Count"), invocations),
                (("Errors", "Sum", "Count"), 0.0),
                (("Throttles", "Sum", "Count"), throttles),
                (("Duration", "Average", "Milliseconds"), (average * 100.0).round() / 100.0),
                (("Duration", "Maximum", "Milliseconds"), (average * 640.0).round() / 100.0),
            ] {
                points.entry(key).or_default().push((t, value));
            }
            if function == "PlacementEvents" {
                points
                    .entry(("IteratorAge", "Maximum", "Milliseconds"))
                    .or_default()
                    .push((t, (200.0 + 9000.0 * strain).round()));
            }
            t += period as f64;
        }
        for ((metric, statistic, unit), points) in points {
            series.push(CloudWatchSeries {
                namespace: "AWS/Lambda".into(),
                metric: metric.into(),
                statistic: statistic.into(),
                dimensions: [("FunctionName".to_owned(), format!("reference-Development-{function}"))].into(),
                unit: unit.into(),
                points,
                ..CloudWatchSeries::default()
            });
        }
    }
    let end = started_at() + SignedDuration::from_secs(shape.seconds as i64);
    CloudWatch {
        schema_version: SCHEMA_VERSION,
        fetched_at: end + SignedDuration::from_mins(5),
        window_start: started_at(),
        window_end: end,
        period_s: period,
        region: if period == 60 { "eu-central-1" } else { "local" }.into(),
        series,
        problems: Vec::new(),
        notes: Vec::new(),
        ..CloudWatch::default()
    }
}
