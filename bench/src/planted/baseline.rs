//! The trivial baseline: whichever server series changed most is what gave way.
//!
//! If it scored near attribution, the cases would be too easy (arXiv 2510.04711 on earlier sets of faults).

use reports::folder::RunFolder;
use reports::format::{CloudWatchSeries, SuspectKind};

/// Standard deviations by which the mean has to change.
const LEAST_Z: f64 = 3.0;

/// The kind and the resource of the most anomalous series, if any is.
pub(super) fn most_anomalous(folder: &RunFolder) -> Option<(SuspectKind, String)> {
    let phases = &folder.manifest.phases;
    let quiet = phases.iter().find(|phase| phase.name == "quiet")?;
    let end = phases.last()?.end_s;
    let series = folder.cloudwatch.as_ref()?.series.iter();
    let scored = series.filter_map(|series| {
        let kind = kind(series)?;
        let z = z_score(series, (quiet.start_s, quiet.end_s), (quiet.end_s, end))?;
        Some((z, kind, resource(series)))
    });
    let (z, kind, resource) = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (z >= LEAST_Z).then_some((kind, resource))
}

/// By how many standard deviations of the quiet phase the mean changed. A series that never varied there has one hundredth of its
/// highest value instead.
fn z_score(series: &CloudWatchSeries, quiet: (f64, f64), loaded: (f64, f64)) -> Option<f64> {
    let within = |(from, to): (f64, f64)| {
        let known: Vec<f64> =
            series.points.iter().filter(|(at, _)| (from..to).contains(at)).map(|(_, value)| *value).collect();
        // A counter that is not there counted nothing, as far as a trivial method is concerned.
        let missing =
            if series.statistic == "Sum" { (to - from) as usize } else { 0 }.saturating_sub(known.len());
        known.into_iter().chain(std::iter::repeat_n(0.0, missing)).collect::<Vec<f64>>()
    };
    let (before, after) = (within(quiet), within(loaded));
    if before.len() < 2 || after.is_empty() {
        return None;
    }
    let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
    let centre = mean(&before);
    let variance =
        before.iter().map(|value| (value - centre).powi(2)).sum::<f64>() / (before.len() - 1) as f64;
    let highest = before.iter().chain(&after).fold(0.0_f64, |high, value| high.max(value.abs()));
    let deviation = variance.sqrt().max(highest / 100.0);
    (deviation > 0.0).then(|| (mean(&after) - centre).abs() / deviation)
}

/// What a series stands for; `None`: for the load.
fn kind(series: &CloudWatchSeries) -> Option<SuspectKind> {
    Some(match series.metric.as_str() {
        "Throttles" | "ConcurrentExecutions" | "UnreservedConcurrentExecutions" => {
            if series.dimensions.is_empty() {
                SuspectKind::AccountConcurrency
            } else {
                SuspectKind::ReservedConcurrency
            }
        }
        "Errors" => SuspectKind::FunctionErrors,
        "Duration" => SuspectKind::SlowFunction,
        "IteratorAge" => SuspectKind::StreamLanes,
        "AsyncEventAge" => SuspectKind::SnsDelivery,
        "SuccessfulRequestLatency" => SuspectKind::SlowDependency,
        "ClientError" => SuspectKind::ConnectRate,
        "init_duration" => SuspectKind::ColdStarts,
        "QueueDepth" | "AverageWaitTime" | "PlacementsTimedOut" => SuspectKind::PlacementCapacity,
        "FailedInvokeEventCount" | "DroppedEventCount" => SuspectKind::PoisonRecord,
        metric if metric.contains("KeyRangeThroughputThrottle") => SuspectKind::HotPartition,
        metric if metric.contains("Throttle") => SuspectKind::TableThroughput,
        _ => return None,
    })
}

/// Short name of a series' resource.
fn resource(series: &CloudWatchSeries) -> String {
    let named =
        ["FunctionName", "function_name", "TableName"].iter().find_map(|name| series.dimensions.get(*name));
    named.map(|name| name.rsplit('-').next().unwrap_or(name).to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_held_against_what_varied_before() {
        let points: Vec<(f64, f64)> =
            [10.0, 12.0, 11.0, 20.0, 22.0].into_iter().enumerate().map(|(n, v)| (n as f64, v)).collect();
        let series = CloudWatchSeries { statistic: "Maximum".into(), points, ..CloudWatchSeries::default() };
        // Mean 11, deviation 1; then 21.
        assert_eq!(z_score(&series, (0.0, 3.0), (3.0, 5.0)), Some(10.0));
        assert_eq!(z_score(&CloudWatchSeries::default(), (0.0, 3.0), (3.0, 5.0)), None);
    }
}
