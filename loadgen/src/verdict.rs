//! The verdict: first whether the figures may be believed, then whether they satisfy the scenario.

use std::collections::BTreeMap;

use reports::format::{
    Delivery, Generator, Latency, Operation as OperationSummary, Sockets, Summary, Threshold as Judged,
    Verdict,
};
use scenarios::Plan;
use scenarios::threshold::{
    DeliveryCount, DeliveryTime, Kind, Metric, Operation, OperationCount, OperationTime, SocketCount, Stat,
    Threshold,
};

use crate::exit::Exit;
use crate::machine::Usage;
use crate::record::{Measures, ThreadTally};

/// A run whose p99 of the dispatch delay lies above this did not keep its plan: 50 ms.
const MAX_DISPATCH_DELAY_P99_US: u64 = 50_000;
/// A run in which more than this share of the arrivals found their player too busy did not keep its plan.
const MAX_BACKLOG_SHARE: f64 = 0.001;
/// Error classes that are the generator's machine's fault.
const MACHINE_CLASSES: [(&str, &str); 2] = [
    ("no_descriptors", "raise `ulimit -n` or lower `players`"),
    ("no_ports", "give more `sockets.source_addresses` or lower `players`"),
];

/// Operations of the summary, from the measured arrivals.
#[must_use]
pub fn operations(plan: &Plan, measures: &Measures) -> BTreeMap<String, OperationSummary> {
    plan.operations
        .iter()
        .map(|planned| {
            let tally = measures.operation(planned.operation);
            let summary = OperationSummary {
                offered: tally.offered,
                sent: tally.sent,
                unsent: tally.unsent,
                completed: tally.completed,
                failed: tally.failed,
                timed_out: tally.timed_out,
                errors: tally.errors.iter().map(|(class, count)| (class.to_owned(), count)).collect(),
                response_time_us: Latency::of(tally.response.histogram()),
                service_time_us: Latency::of(tally.service.histogram()),
            };
            (planned.operation.to_string(), summary)
        })
        .collect()
}

/// Deliveries of the summary, for the operations that the plan has.
#[must_use]
pub fn deliveries(plan: &Plan, measures: &Measures) -> BTreeMap<String, Delivery> {
    [(Kind::Message, Operation::SendMessage), (Kind::Placement, Operation::PlacementRequest)]
        .into_iter()
        .filter(|(_, operation)| plan.operation(*operation).is_some())
        .map(|(kind, _)| {
            let tally = measures.delivery(kind);
            let summary = Delivery {
                expected: tally.expected.saturating_sub(tally.withdrawn),
                received: tally.received,
                lost: tally.lost,
                duplicated: tally.duplicated,
                out_of_order: tally.out_of_order,
                unexpected: tally.unexpected,
                each_us: Latency::of(tally.each.histogram()),
                first_us: Latency::of(tally.first.histogram()),
                last_us: Latency::of(tally.last.histogram()),
            };
            (kind.to_string(), summary)
        })
        .collect()
}

/// Puts the totals and the verdicts together; `summary` brings the run's identity.
#[must_use]
pub fn judge(plan: &Plan, summary: Summary, total: &ThreadTally, peak_open: u64, used: Usage) -> Summary {
    let measures = &total.measured;
    let invalid_reasons = invalid_reasons(measures);
    let mut summary = Summary {
        sockets: Sockets {
            attempted: total.sockets.attempted,
            opened: total.sockets.opened,
            rejected: total.sockets.rejected,
            dropped: total.sockets.dropped,
            peak_open,
        },
        operations: operations(plan, measures),
        deliveries: deliveries(plan, measures),
        generator: Generator {
            dispatch_delay_us: Latency::of(measures.dispatch_delay.histogram()),
            cpu_seconds: (used.cpu_seconds * 1_000.0).round() / 1_000.0,
            peak_rss_bytes: used.peak_rss_bytes,
            saturated: !invalid_reasons.is_empty(),
        },
        ..summary
    };
    summary.thresholds = plan.thresholds.iter().map(|threshold| evaluate(threshold, &summary)).collect();
    summary.verdict = Verdict {
        valid: invalid_reasons.is_empty(),
        invalid_reasons,
        thresholds_passed: summary.thresholds.iter().all(|threshold| threshold.passed),
    };
    summary
}

/// The exit code of a run that went to its end.
#[must_use]
pub const fn exit(summary: &Summary) -> Exit {
    if summary.sockets.attempted > 0 && summary.sockets.opened == 0 {
        Exit::Failure
    } else if !summary.verdict.valid {
        Exit::Invalid
    } else if !summary.verdict.thresholds_passed {
        Exit::ThresholdFailed
    } else {
        Exit::Fine
    }
}

/// Why the generator did not keep its promise; empty when it did.
fn invalid_reasons(measures: &Measures) -> Vec<String> {
    let mut reasons = Vec::new();
    let delay = Latency::of(measures.dispatch_delay.histogram());
    if delay.p99 > MAX_DISPATCH_DELAY_P99_US {
        reasons.push(format!(
            "1 % of the operations left more than {} ms after their intended instant (p99 {:.1} ms): the generator \
             was too slow; lower the rates, or give it more CPU",
            MAX_DISPATCH_DELAY_P99_US / 1_000,
            delay.p99 as f64 / 1_000.0
        ));
    }
    let count = |wanted: &str| -> u64 {
        let of = |operation: &Operation| {
            let errors = &measures.operation(*operation).errors;
            errors.iter().filter(|(class, _)| *class == wanted).map(|(_, count)| count).sum::<u64>()
        };
        Operation::ALL.iter().map(of).sum()
    };
    let offered: u64 = Operation::ALL.iter().map(|operation| measures.operation(*operation).offered).sum();
    let backlog = count("unsent_backlog");
    if backlog as f64 > offered as f64 * MAX_BACKLOG_SHARE {
        reasons.push(format!(
            "{backlog} of {offered} arrivals found their player too busy to take them; lower the rates, or give the \
             generator more CPU"
        ));
    }
    for (class, remedy) in MACHINE_CLASSES {
        let seen = count(class);
        if seen > 0 {
            reasons.push(format!(
                "{seen} handshakes failed for lack of the machine's resources ({class}); {remedy}"
            ));
        }
    }
    reasons
}

fn evaluate(threshold: &Threshold, summary: &Summary) -> Judged {
    let observed = observe(&threshold.metric, summary);
    Judged {
        expression: threshold.expression.clone(),
        observed: observed.map(|value| value / threshold.unit),
        passed: observed.is_some_and(|value| threshold.comparison.holds(value, threshold.bound)),
    }
}

/// The metric's value in its own unit; `None` when nothing was measured.
fn observe(metric: &Metric, summary: &Summary) -> Option<f64> {
    let operation = |operation: &Operation| summary.operations.get(operation.word());
    let delivery = |kind: &Kind| summary.deliveries.get(kind.word());
    match metric {
        Metric::OperationTime { operation: of, time, stat } => {
            let operation = operation(of)?;
            let latency = match time {
                OperationTime::Response => &operation.response_time_us,
                OperationTime::Service => &operation.service_time_us,
            };
            statistic(latency, *stat)
        }
        Metric::OperationCount(of, count) => {
            let operation = operation(of)?;
            Some(match count {
                OperationCount::Offered => operation.offered,
                OperationCount::Sent => operation.sent,
                OperationCount::Unsent => operation.unsent,
                OperationCount::Completed => operation.completed,
                OperationCount::Failed => operation.failed,
                OperationCount::TimedOut => operation.timed_out,
            } as f64)
        }
        Metric::ErrorRate(of) => {
            let wanted = |word: &str| of.is_none_or(|of| of.word() == word);
            let (errors, offered) = summary
                .operations
                .iter()
                .filter(|(word, _)| wanted(word))
                .map(|(_, operation)| {
                    (operation.failed + operation.timed_out + operation.unsent, operation.offered)
                })
                .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
            (offered > 0).then(|| errors as f64 / offered as f64)
        }
        Metric::DeliveryTime { kind, time, stat } => {
            let delivery = delivery(kind)?;
            let latency = match time {
                DeliveryTime::Each => &delivery.each_us,
                DeliveryTime::First => &delivery.first_us,
                DeliveryTime::Last => &delivery.last_us,
            };
            statistic(latency, *stat)
        }
        Metric::DeliveryCount(kind, count) => {
            let delivery = delivery(kind)?;
            Some(match count {
                DeliveryCount::Expected => delivery.expected,
                DeliveryCount::Received => delivery.received,
                DeliveryCount::Lost => delivery.lost,
                DeliveryCount::Duplicated => delivery.duplicated,
                DeliveryCount::OutOfOrder => delivery.out_of_order,
                DeliveryCount::Unexpected => delivery.unexpected,
            } as f64)
        }
        Metric::LostRate(kind) => {
            let delivery = delivery(kind)?;
            (delivery.expected > 0).then(|| delivery.lost as f64 / delivery.expected as f64)
        }
        Metric::Sockets(count) => Some(match count {
            SocketCount::Attempted => summary.sockets.attempted,
            SocketCount::Opened => summary.sockets.opened,
            SocketCount::Rejected => summary.sockets.rejected,
            SocketCount::Dropped => summary.sockets.dropped,
            SocketCount::PeakOpen => summary.sockets.peak_open,
        } as f64),
    }
}

fn statistic(latency: &Latency, stat: Stat) -> Option<f64> {
    (latency.count > 0).then_some(match stat {
        Stat::Min => latency.min as f64,
        Stat::Mean => latency.mean,
        Stat::P50 => latency.p50 as f64,
        Stat::P90 => latency.p90 as f64,
        Stat::P95 => latency.p95 as f64,
        Stat::P99 => latency.p99 as f64,
        Stat::P999 => latency.p99_9 as f64,
        Stat::P9999 => latency.p99_99 as f64,
        Stat::Max => latency.max as f64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(expression: &str, summary: &Summary) -> Judged {
        evaluate(&expression.parse().unwrap(), summary)
    }

    #[test]
    fn thresholds_are_judged_in_their_own_unit() {
        let mut summary = Summary::default();
        let operation = OperationSummary {
            offered: 200,
            failed: 1,
            unsent: 1,
            response_time_us: Latency { count: 198, p99: 120_000, ..Latency::default() },
            ..OperationSummary::default()
        };
        summary.operations.insert("send_message".into(), operation);
        let p99 = judged("send_message.response_time.p99 < 100ms", &summary);
        assert_eq!((p99.observed, p99.passed), (Some(120.0), false));
        let rate = judged("error_rate <= 1%", &summary);
        assert!(rate.passed && (rate.observed.unwrap() - 1.0).abs() < 1e-9);
        let nothing = judged("message.each.p99 < 1s", &summary);
        assert_eq!((nothing.observed, nothing.passed), (None, false), "what was not measured has not passed");
    }

    #[test]
    fn invalidity_is_about_the_generator_only() {
        let mut measures = Measures::default();
        let slow_target = measures.operation_mut(Operation::SendMessage);
        slow_target.offered = 1_000;
        slow_target.timed_out = 900;
        slow_target.response.record(9_000_000);
        (0..1_000).for_each(|_| measures.dispatch_delay.record(300));
        assert_eq!(invalid_reasons(&measures), Vec::<String>::new());
        (0..50).for_each(|_| measures.dispatch_delay.record(200_000));
        assert_eq!(invalid_reasons(&measures).len(), 1);
        measures.operation_mut(Operation::Connect).errors.count("no_ports".into());
        assert_eq!(invalid_reasons(&measures).len(), 2);
    }

    #[test]
    fn invalid_comes_before_a_failed_threshold() {
        let mut summary = Summary::default();
        summary.sockets.attempted = 1;
        assert_eq!(exit(&summary), Exit::Failure, "nobody got in");
        summary.sockets.opened = 1;
        assert_eq!(exit(&summary), Exit::Invalid);
        summary.verdict.valid = true;
        assert_eq!(exit(&summary), Exit::ThresholdFailed);
        summary.verdict.thresholds_passed = true;
        assert_eq!(exit(&summary), Exit::Fine);
    }
}
