//! Whether the thresholds of the scenario hold, of the whole run or of what has been recorded so far.

use std::sync::LazyLock;

use reports::format::{Summary, Threshold as Judged};
use scenarios::Plan;
use scenarios::plan::threshold::Threshold;

use super::ending::{EarlyEnd, Ending};
use super::figures;
use super::observe;
use super::totals::Totals;
use crate::record::{Measures, ThreadTally};

/// Each threshold with what it observed: of the whole run, or of its phase; the one that ended the run, at that instant.
pub(super) fn evaluate_all(plan: &Plan, summary: &Summary, totals: &Totals<'_>) -> Vec<Judged> {
    let judged = |(position, threshold): (usize, &Threshold)| match totals.ending {
        Ending::Early(EarlyEnd { threshold: Some((by, judged)), .. }) if *by == position => judged.clone(),
        _ if threshold.phase.is_some() => evaluate_so_far(threshold, plan, totals.tally, totals.peak_open),
        _ => evaluate(threshold, summary),
    };
    plan.thresholds.iter().enumerate().map(judged).collect()
}

/// Evaluates a threshold on what has been recorded so far.
#[must_use]
pub(crate) fn evaluate_so_far(
    threshold: &Threshold,
    plan: &Plan,
    total: &ThreadTally,
    peak_open: u64,
) -> Judged {
    let measures = threshold.ledger.phase().map_or(&total.measured, |nth| of_phase(total, nth));
    evaluate(threshold, &figures::for_thresholds(plan, total, measures, peak_open))
}

/// What a phase's arrivals came to; the tally has no more phases than have had an arrival.
fn of_phase(total: &ThreadTally, nth: usize) -> &Measures {
    static NONE: LazyLock<Measures> = LazyLock::new(Measures::default);
    total.phases.get(nth).unwrap_or(&NONE)
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
    use reports::format::{Delivery, Frames, Latency, Operation as OperationSummary};

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
        let told_of = |expressions: &[&str], summary: &Summary| {
            let rules: Vec<Threshold> = expressions.iter().map(|rule| rule.parse().unwrap()).collect();
            observe::not_judged(&rules.iter().map(|rule| &rule.metric).collect::<Vec<_>>(), summary)
        };
        let told = |expressions: &[&str]| told_of(expressions, &summary);
        let all = told(&[]);
        assert_eq!(all.len(), 3, "{all:?}");
        for (told, said) in all.iter().zip(["2 of 16 arrivals", "20 of 20 sockets", "65 of 160 message"]) {
            assert!(told.starts_with(said), "{told}");
        }
        assert_eq!(told(&["error_rate < 50%", "sockets.dropped_rate < 1%", "message.lost <= 99"]), [""; 0]);
        // Where frames were not understood nothing is called lost.
        summary.frames = Some(Frames { received: 99, unclassified: 65, ..Frames::default() });
        let all = told_of(&[], &summary);
        assert_eq!(all[2..], ["deliveries of message: too many frames were not understood"], "{all:?}");
    }
}
