//! Churn and disruptions in the summary, and in each second of the series.

use std::collections::BTreeMap;

use reports::format::{Churn, Disruption, Latency, Reconnects};
use scenarios::Plan;
use scenarios::disruptions::planned::{ClientFault, Policy};
use scenarios::threshold::ReconnectCount;

use crate::record::{ChurnTally, Classes, DisruptionsTally, Latencies, ReconnectTally};

/// Classes as the summary has them.
pub(crate) fn classes(classes: &Classes) -> BTreeMap<String, u64> {
    classes.iter().map(|(class, count)| (class.to_owned(), count)).collect()
}

/// Coming back, where players do.
pub(crate) fn reconnects(plan: &Plan, tally: &ReconnectTally, recovery: &Latencies) -> Option<Reconnects> {
    (plan.disruptions.reconnect.policy != Policy::None).then(|| Reconnects {
        wanted: tally.wanted,
        attempts: tally.attempts,
        succeeded: tally.succeeded,
        gave_up: tally.gave_up,
        unfinished: tally.unfinished,
        errors: classes(&tally.errors),
        recovery_us: Latency::of(recovery.histogram()),
    })
}

/// Leaving and coming back, where players do: `living` of them.
pub(crate) fn churn(plan: &Plan, living: u64, tally: &ChurnTally) -> Option<Churn> {
    plan.disruptions.churn.as_ref().map(|_| Churn {
        players: living,
        left: tally.left,
        returned: tally.returned,
        placed: tally.placed,
        unplaced: tally.unplaced,
        refused: classes(&tally.refused),
    })
}

/// Every kind of trouble that there was.
pub(crate) fn faults(tally: &DisruptionsTally) -> BTreeMap<String, Disruption> {
    let all = ClientFault::ALL.iter().zip(&tally.faults).map(|(kind, fault)| {
        let messages_read = if *kind == ClientFault::SlowReader { tally.slow_reads } else { 0 };
        let outcomes = classes(&fault.outcomes);
        (kind.to_string(), Disruption { made: fault.made, outcomes, messages_read })
    });
    all.filter(|(_, fault)| *fault != Disruption::default()).collect()
}

/// What a reader should know of the disruptions.
pub(super) fn warnings(plan: &Plan) -> Option<String> {
    let slow = plan.disruptions.slow.as_ref().map_or(0, |slow| slow.share.size());
    let silent = plan.disruptions.half_open.as_ref().map_or(0, |silent| silent.share.size());
    (slow + silent > 0).then(|| {
        format!(
            "{} players read slowly or not at all, as the scenario has it: what was sent to them is in no delivery's count \
             or time, and bytes that wait for them in the kernel are no fault",
            slow + silent
        )
    })
}

/// A count of coming back.
pub(super) fn observe(reconnects: &Reconnects, count: ReconnectCount) -> f64 {
    (match count {
        ReconnectCount::Wanted => reconnects.wanted,
        ReconnectCount::Attempts => reconnects.attempts,
        ReconnectCount::Succeeded => reconnects.succeeded,
        ReconnectCount::GaveUp => reconnects.gave_up,
        ReconnectCount::Unfinished => reconnects.unfinished,
    }) as f64
}
