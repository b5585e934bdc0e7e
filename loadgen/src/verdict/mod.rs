//! The verdict: first whether the figures may be believed, then whether they satisfy the scenario.

pub mod validity;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use reports::format::{
    Delivery, Generator, GeneratorWorker, Latency, Operation as OperationSummary, Sockets, Status, Summary,
    Threshold as Judged, Verdict,
};
use scenarios::Plan;
use scenarios::threshold::{Kind, Operation, Threshold};

use self::validity::Validity;
use crate::early::{Early, Ending};
use crate::health::machine;
use crate::health::sample::Watched;
use crate::record::{Measures, ThreadTally};
use crate::workers::Worker;

pub(crate) mod disruptions;
mod observe;

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
                errors: disruptions::classes(&tally.errors),
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
                lost_after_s: Some(plan.lost_after(kind).as_secs_f64()),
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
    /// How it came to its end.
    pub ending: &'r Ending,
}

/// Puts the totals and the verdicts together; `summary` brings the run's identity.
#[must_use]
pub fn judge(plan: &Plan, summary: Summary, totals: &Totals<'_>) -> Summary {
    let Totals { tally: total, peak_open, watched, workers, ending } = *totals;
    let limit = machine::descriptor_limit();
    let Validity { invalid_reasons, warnings } = if workers.is_empty() {
        validity::judge(total, watched, limit)
    } else {
        validity::judge_workers(total, watched, workers.iter(), limit)
    };
    let unchecked = plan.way.trust.insecure.then(|| "certificates were not checked (--insecure)".to_owned());
    let warnings = warnings.into_iter().chain(disruptions::warnings(plan)).chain(unchecked).collect();
    let measured = figures(plan, total, &total.measured, peak_open);
    let mut summary = Summary {
        sockets: measured.sockets,
        reconnects: measured.reconnects,
        operations: measured.operations,
        deliveries: measured.deliveries,
        churn: disruptions::churn(plan, plan.disruptions.churning(), &total.disruptions.churn),
        disruptions: disruptions::faults(&total.disruptions),
        generator: Generator { saturated: !invalid_reasons.is_empty(), ..generator(totals) },
        ..summary
    };
    summary.thresholds = thresholds(plan, &summary, totals);
    let metrics: Vec<_> = plan.thresholds.iter().map(|threshold| &threshold.metric).collect();
    let length = summary.run.ended_at.duration_since(summary.run.started_at).as_secs_f64();
    summary.verdict = Verdict {
        status: None,
        valid: invalid_reasons.is_empty(),
        invalid_reasons,
        warnings,
        thresholds_passed: summary.thresholds.iter().all(|threshold| threshold.passed),
        not_judged: observe::not_judged(&metrics, &summary),
        ended_early: ending.told(plan, length),
    };
    summary.verdict.status = Some(Status::of_run(ending.state(), &summary));
    summary
}

/// Each threshold with what it saw: of the whole run, or of its phase; the one that ended the run, at that instant.
fn thresholds(plan: &Plan, summary: &Summary, totals: &Totals<'_>) -> Vec<Judged> {
    let judged = |(place, threshold): (usize, &Threshold)| match totals.ending {
        Ending::Early(Early { threshold: Some((by, judged)), .. }) if *by == place => judged.clone(),
        _ if threshold.phase.is_some() => evaluate_now(threshold, plan, totals.tally, totals.peak_open),
        _ => evaluate(threshold, summary),
    };
    plan.thresholds.iter().enumerate().map(judged).collect()
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

/// Judges a threshold by what has been recorded so far.
#[must_use]
pub(crate) fn evaluate_now(
    threshold: &Threshold,
    plan: &Plan,
    total: &ThreadTally,
    peak_open: u64,
) -> Judged {
    let measures = threshold.ledger.phase().map_or(&total.measured, |nth| of_phase(total, nth));
    evaluate(threshold, &figures(plan, total, measures, peak_open))
}

/// What a phase's arrivals came to; the tally has no more phases than have had an arrival.
fn of_phase(total: &ThreadTally, nth: usize) -> &Measures {
    static NONE: LazyLock<Measures> = LazyLock::new(Measures::default);
    total.phases.get(nth).unwrap_or(&NONE)
}

/// What thresholds look at, of some measures.
fn figures(plan: &Plan, total: &ThreadTally, measures: &Measures, peak_open: u64) -> Summary {
    Summary {
        sockets: Sockets {
            attempted: total.sockets.attempted,
            opened: total.sockets.opened,
            rejected: total.sockets.rejected,
            dropped: total.sockets.dropped,
            peak_open,
            ends: disruptions::classes(&total.disruptions.ends),
        },
        reconnects: disruptions::reconnects(plan, &total.disruptions.reconnects, &measures.recovery),
        operations: operations(plan, measures),
        deliveries: deliveries(plan, measures),
        ..Summary::default()
    }
}

fn evaluate(threshold: &Threshold, summary: &Summary) -> Judged {
    let observed = observe::observe(&threshold.metric, summary);
    Judged {
        expression: threshold.expression.clone(),
        phase: threshold.phase.clone(),
        observed: observed.ok().map(|value| value / threshold.unit),
        passed: observed.is_ok_and(|value| threshold.comparison.holds(value, threshold.bound)),
        not_judged: observed.err().map(str::to_owned),
        aborted: false,
    }
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
    fn what_could_not_go_wrong_has_not_gone_right() {
        let mut summary = Summary::default();
        summary.deliveries.insert("message".into(), Delivery::default());
        summary.operations.insert("send_message".into(), OperationSummary::default());
        for (expression, reason) in [
            ("message.lost == 0", "nothing was expected"),
            ("message.lost_rate < 1%", "nothing was expected"),
            ("message.out_of_order == 0", "nothing was expected"),
            ("send_message.failed == 0", "nothing was sent"),
            ("send_message.unsent == 0", "nothing was called for"),
            ("sockets.dropped == 0", "no socket was opened"),
            ("sockets.dropped_rate < 1%", "no socket was opened"),
        ] {
            let judged = judged(expression, &summary);
            assert_eq!((judged.observed, judged.passed), (None, false), "{expression}");
            assert_eq!(judged.not_judged.as_deref(), Some(reason), "{expression}");
        }
        assert!(judged("message.unexpected == 0", &summary).passed, "whatever comes would be unexpected");
        summary.deliveries.insert("message".into(), Delivery { expected: 1, ..Delivery::default() });
        assert!(judged("message.lost == 0", &summary).passed);
    }

    #[test]
    fn what_no_threshold_looks_at_is_said() {
        let mut summary = Summary::default();
        (summary.sockets.opened, summary.sockets.dropped) = (20, 20);
        let delivery = Delivery { expected: 160, lost: 65, ..Delivery::default() };
        summary.deliveries.insert("message".into(), delivery);
        let operation = OperationSummary { offered: 16, sent: 16, failed: 2, ..OperationSummary::default() };
        summary.operations.insert("send_message".into(), operation);
        let told = |expressions: &[&str]| {
            let rules: Vec<Threshold> = expressions.iter().map(|rule| rule.parse().unwrap()).collect();
            observe::not_judged(&rules.iter().map(|rule| &rule.metric).collect::<Vec<_>>(), &summary)
        };
        let all = told(&[]);
        assert_eq!(all.len(), 3, "{all:?}");
        for (told, said) in all.iter().zip(["2 of 16 arrivals", "20 of 20 sockets", "65 of 160 message"]) {
            assert!(told.starts_with(said), "{told}");
        }
        assert_eq!(told(&["error_rate < 50%", "sockets.dropped_rate < 1%", "message.lost <= 99"]), [""; 0]);
    }
}
