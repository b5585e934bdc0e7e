//! The figures of a run that a history keeps, in the words of thresholds.

use reports::format::{Delivery, Latency, Operation, Summary};
use reports::history::Unit;

use crate::entry::Measure;

/// A percentile is kept where at least so many samples lie beyond it: a weaker one is mostly its own noise.
const BEYOND: u64 = 10;

/// Where a percentile stands.
type Place = fn(&Latency) -> u64;

/// Percentiles of a time: name, quantile, where it stands.
const PERCENTILES: [(&str, f64, Place); 4] = [
    ("p50", 0.5, |latency| latency.p50),
    ("p90", 0.9, |latency| latency.p90),
    ("p99", 0.99, |latency| latency.p99),
    ("p99.9", 0.999, |latency| latency.p99_9),
];

/// Everything that a run measured in `measured_s` seconds. What has no samples is absent, not zero.
pub(crate) fn of_run(summary: &Summary, measured_s: f64) -> Vec<Measure> {
    let mut all = Vec::new();
    for (name, operation) in &summary.operations {
        of_operation(name, operation, measured_s, &mut all);
    }
    // Where the protocol does not fit the target, what counts as lost may have come.
    if summary.frames.as_ref().is_none_or(reports::format::Frames::fit) {
        for (name, delivery) in &summary.deliveries {
            of_delivery(name, delivery, &mut all);
        }
    }
    let generator = &summary.generator;
    percentiles("generator.dispatch_delay", &generator.dispatch_delay_us, &mut all);
    if generator.cpu_seconds > 0.0 {
        all.push(Measure::new("generator.cpu_seconds", Unit::CpuSeconds, generator.cpu_seconds));
    }
    if generator.peak_rss_bytes > 0 {
        all.push(Measure::new("generator.peak_rss", Unit::Bytes, generator.peak_rss_bytes as f64));
    }
    let functions = summary.correlation.iter().flat_map(|correlation| &correlation.functions);
    for function in functions {
        if let Some(mean_ms) = function.duration_avg_ms {
            let name = format!("function.{}.duration.mean", function.function);
            all.push(Measure::new(name, Unit::Us, mean_ms * 1e3));
        }
    }
    all
}

fn of_operation(name: &str, operation: &Operation, measured_s: f64, all: &mut Vec<Measure>) {
    percentiles(&format!("{name}.response_time"), &operation.response_time_us, all);
    if operation.completed > 0 && measured_s > 0.0 {
        let rate = operation.completed as f64 / measured_s;
        all.push(Measure::new(format!("{name}.completed"), Unit::PerSecond, rate));
    }
    if operation.judged() > 0 {
        let share = operation.errors() as f64 / operation.judged() as f64;
        all.push(Measure::new(format!("{name}.error_rate"), Unit::Share, share));
    }
}

fn of_delivery(name: &str, delivery: &Delivery, all: &mut Vec<Measure>) {
    percentiles(&format!("{name}.each"), &delivery.each_us, all);
    if delivery.expected > 0 {
        let share = delivery.lost as f64 / delivery.expected as f64;
        all.push(Measure::new(format!("{name}.lost_rate"), Unit::Share, share));
    }
}

fn percentiles(name: &str, latency: &Latency, all: &mut Vec<Measure>) {
    let carried = PERCENTILES.iter().filter(|(_, quantile, _)| latency.samples_beyond(*quantile) >= BEYOND);
    all.extend(carried.map(|(percentile, _, of)| {
        Measure::new(format!("{name}.{percentile}"), Unit::Us, of(latency) as f64)
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_measured_is_there() {
        let latency = Latency { count: 1_500, p50: 10, p90: 20, p99: 30, p99_9: 40, ..Latency::default() };
        let operation = Operation {
            offered: 1_510,
            sent: 1_505,
            unsent: 5,
            completed: 1_500,
            timed_out: 5,
            response_time_us: latency,
            ..Operation::default()
        };
        let summary = Summary {
            operations: [("send".to_owned(), operation), ("idle".to_owned(), Operation::default())].into(),
            ..Summary::default()
        };
        let measures = of_run(&summary, 30.0);
        let figures: Vec<_> = measures.iter().map(|m| (m.name.as_str(), m.unit, m.value)).collect();
        assert_eq!(
            figures,
            [
                ("send.response_time.p50", Unit::Us, 10.0),
                ("send.response_time.p90", Unit::Us, 20.0),
                ("send.response_time.p99", Unit::Us, 30.0),
                ("send.completed", Unit::PerSecond, 50.0),
                ("send.error_rate", Unit::Share, 10.0 / 1_510.0),
            ]
        );
    }
}
