//! The verdict: first whether the figures may be believed, then whether they satisfy the scenario.

use std::collections::BTreeMap;

use reports::format::{
    Delivery, Generator, GeneratorWorker, Latency, Operation as OperationSummary, Sockets, Summary,
    Threshold as Judged, Verdict,
};
use scenarios::Plan;
use scenarios::threshold::{
    DeliveryCount, DeliveryTime, Kind, Metric, Operation, OperationCount, OperationTime, SocketCount, Stat,
    Threshold,
};

use crate::exit::Exit;
use crate::machine;
use crate::record::{Measures, ThreadTally};
use crate::validity::{self, Validity};
use crate::watch::Watched;
use crate::workers::Worker;

pub(crate) mod weather;

/// Operations of the summary, from the measured arrivals.
#[must_use]
pub fn operations(plan: &Plan, measures: &Measures) -> BTreeMap<String, OperationSummary> {
    plan.operations
        .iter()
        .map(|planned| {
            let tally = measures.operation(planned.operation);
            let summary = OperationSummary {
                model: if planned.think().is_some() { "closed" } else { "open" }.into(),
                offered: tally.offered,
                sent: tally.sent,
                unsent: tally.unsent,
                completed: tally.completed,
                failed: tally.failed,
                timed_out: tally.timed_out,
                errors: weather::classes(&tally.errors),
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
                expected: tally.due(),
                received: tally.received,
                late: tally.late,
                lost: tally.lost,
                away: tally.away,
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

/// What a run came to.
#[derive(Debug, Clone, Copy)]
pub struct Totals<'r> {
    /// Everything recorded.
    pub tally: &'r ThreadTally,
    /// Highest number of sockets open at once.
    pub peak_open: u64,
    /// What the generator's process(es) were like.
    pub watched: &'r Watched,
    /// What each worker did; empty where there were none.
    pub workers: &'r [Worker],
}

/// Puts the totals and the verdicts together; `summary` brings the run's identity.
#[must_use]
pub fn judge(plan: &Plan, summary: Summary, totals: &Totals<'_>) -> Summary {
    let Totals { tally: total, peak_open, watched, workers } = *totals;
    let measures = &total.measured;
    let limit = machine::descriptor_limit();
    let Validity { invalid_reasons, warnings } = if workers.is_empty() {
        validity::judge(total, watched, limit)
    } else {
        validity::judge_workers(total, watched, workers.iter(), limit)
    };
    let unchecked = plan.way.trust.insecure.then(|| "certificates were not checked (--insecure)".to_owned());
    let warnings = warnings.into_iter().chain(weather::warnings(plan)).chain(unchecked).collect();
    let mut summary = Summary {
        sockets: Sockets {
            attempted: total.sockets.attempted,
            opened: total.sockets.opened,
            rejected: total.sockets.rejected,
            dropped: total.sockets.dropped,
            peak_open,
            ends: weather::classes(&total.weather.ends),
        },
        reconnects: weather::reconnects(plan, &total.weather.reconnects, &measures.recovery),
        lives: weather::lives(plan, plan.weather.living(), &total.weather.lives),
        weather: weather::troubles(&total.weather),
        operations: operations(plan, measures),
        deliveries: deliveries(plan, measures),
        generator: Generator { saturated: !invalid_reasons.is_empty(), ..generator(totals) },
        ..summary
    };
    summary.thresholds = plan.thresholds.iter().map(|threshold| evaluate(threshold, &summary)).collect();
    summary.verdict = Verdict {
        valid: invalid_reasons.is_empty(),
        invalid_reasons,
        warnings,
        thresholds_passed: summary.thresholds.iter().all(|threshold| threshold.passed),
    };
    summary
}

/// The generator of the summary; whether it was saturated is the judge's.
fn generator(totals: &Totals<'_>) -> Generator {
    let Totals { tally, watched, workers, .. } = *totals;
    let measures = &tally.measured;
    let worst = &watched.worst;
    Generator {
        dispatch_delay_us: Latency::of(measures.dispatch_delay.histogram()),
        cpu_seconds: rounded(watched.cpu_seconds, 3),
        peak_rss_bytes: watched.peak_rss_bytes,
        saturated: false,
        event_loop_lag_us: Latency::of(measures.event_loop_lag.histogram()),
        cores: watched.cores,
        busy_seconds: watched.busy_seconds,
        busiest_thread_percent: rounded(worst.busiest_thread_percent, 1),
        run_delay_percent: rounded(worst.run_delay_percent, 1),
        steal_percent: rounded(worst.steal_percent, 1),
        peak_descriptors: worst.descriptors,
        peak_receive_queue_bytes: worst.receive_queue_bytes,
        peak_send_queue_bytes: worst.send_queue_bytes,
        clock_step_ms: rounded(worst.clock_step_ms, 1),
        relay_lag_us: Latency::of(tally.relay_lag.histogram()),
        workers: workers.iter().map(worker).collect(),
    }
}

fn worker(worker: &Worker) -> GeneratorWorker {
    let micros = |nanos: i64| rounded(nanos as f64 / 1e3, 1);
    GeneratorWorker {
        index: worker.index,
        pid: worker.pid,
        players: u64::from(worker.players),
        opened: worker.total.sockets.opened,
        cpu_seconds: rounded(worker.watched.cpu_seconds, 3),
        peak_rss_bytes: worker.watched.peak_rss_bytes,
        clock_offset_us: worker.offset.map(|offset| micros(offset.ahead_ns)),
        clock_error_us: worker.offset.map(|offset| micros(offset.error_ns)),
        receipts_passed: worker.passed,
        lost: worker.lost.is_some(),
    }
}

/// A number with so many decimals.
pub(crate) fn rounded(number: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (number * scale).round() / scale
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
                DeliveryCount::Late => delivery.late,
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
        Metric::Reconnects(count) => weather::observe(summary.reconnects.as_ref()?, *count),
        Metric::Recovery(stat) => statistic(&summary.reconnects.as_ref()?.recovery_us, *stat),
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
