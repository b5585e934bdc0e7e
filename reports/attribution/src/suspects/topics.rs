//! From a topic to its function: events that wait to be handed over, or are tried again later.
//!
//! Lambda tries an event again one and two minutes after an error, and after a throttle from one second up to five minutes. So what
//! such an event brings is late in clusters. The function's own errors or throttles are then the cause.

use reports::format::SuspectKind;

use super::backlog::explained;
use super::evidence;
use crate::candidate::{Candidate, HALF};
use crate::felt::Felt;
use crate::interval::Interval;
use crate::observed::{Metric, Run, Stage, Trigger};

pub(super) fn candidates(run: &Run<'_>, felt: &[Felt]) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (position, one) in felt.iter().enumerate().filter(|(_, one)| one.is_delivery()) {
        for stage in run.path(&one.player) {
            if let Stage::Function(full) = stage
                && let Some(function) = run.backend.function(full)
                && matches!(function.trigger, Trigger::Topic(_))
            {
                found.extend(of_topic(run, position, one, full));
            }
        }
    }
    found
}

fn of_topic(run: &Run<'_>, position: usize, felt: &Felt, full: &str) -> Option<Candidate> {
    let ages = run.server.gauge(Metric::lambda("AsyncEventAge", "Maximum"), full)?;
    let share = explained(run, felt, &ages);
    let (from_s, to_s) = (felt.symptom.from_s - felt.lag_s - ages.period_s, felt.symptom.to_s);
    let (peak_at, peak) = ages.within(from_s, to_s).peak().filter(|_| share >= HALF)?;
    let function = Stage::Function(full.to_owned());
    let name = run.backend.resource(&function);
    let first =
        ages.within(from_s, to_s).known().find(|(_, age)| *age >= HALF * peak).map_or(peak_at, |(at, _)| at);
    let from_s = first.min(felt.symptom.from_s);
    let onset = Interval { from_s, to_s: from_s + ages.period_s };
    let mut late = Candidate::new(SuspectKind::SnsDelivery, function, onset, to_s);
    late.observed = Some(peak);
    late.unit = "ms";
    late.explains.push((position, share));
    let total = |metric| {
        let points = run.server.counter(Metric::lambda(metric, "Sum"), full)?;
        points.within(from_s, to_s).sum()
    };
    let said = |count: Option<f64>| count.map_or_else(|| "an unknown number of".to_owned(), evidence::number);
    let (errors, throttles) = (said(total("Errors")), said(total("Throttles")));
    late.evidence.push(evidence::of(
        format!("AsyncEventAge (Maximum) of {name}"),
        format!(
            "events were up to {:.1} s old when {name} got them; it had {errors} errors and {throttles} throttles meanwhile",
            peak / 1e3
        ),
        &ages,
        f64::NEG_INFINITY,
        to_s,
    ));
    Some(late)
}
