//! Durations as changed hops: only means add up.
//!
//! A function on the path of what became slow is held against what the player felt: the rise of its mean `Duration` over the rise
//! of the player's mean, at the same offered load ([`crate::compare`]). Where the fault was there from the start, its share of
//! the mean counts if the mean itself is beyond the bound; else the share of invocations that took longer than the bound on
//! their own, over the share of answers that did.
//!
//! Whose fault the function's time is: a table whose own latency accounts for half of it, the identity provider where the
//! function authorises connections, else the function or what it calls that has no series.

use reports::format::{LimitKind, SuspectKind};

use super::hops::{Hop, hops};
use super::{cold_starts, dependencies, evidence, holders, network, slow_clients};
use crate::candidate::Candidate;
use crate::compare::{Change, Compared, Stretch};
use crate::felt::Felt;
use crate::interval::Interval;
use crate::observed::{Metric, Points, Run, Stage, Trigger};

/// A hop that accounts for less is not mentioned.
const LEAST: f64 = 0.1;
/// Share of the longest from which times count as the same: Lambda ends an invocation within some milliseconds of its time-out.
const SAME: f64 = 0.99;

pub(super) fn candidates(run: &Run<'_>, felt: &[Felt]) -> Vec<Candidate> {
    let families = [
        slow_hops,
        cold_starts::candidates,
        network::candidates,
        holders::candidates,
        slow_clients::candidates,
    ];
    Candidate::merged(families.into_iter().flat_map(|find| find(run, felt)))
}

/// Functions that take longer, or what they call. A table may do so by several functions: their shares add up.
fn slow_hops(run: &Run<'_>, felt: &[Felt]) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (position, one) in felt.iter().enumerate() {
        let Some(compared) = Compared::of(run, one) else { continue };
        for hop in hops(run, one, &compared) {
            if hop.share >= LEAST && !times_out(run, &hop.function, &compared) {
                found.push(candidate(run, position, one, hop));
            }
        }
    }
    // Means add up: what several functions wait for a table are parts of what players wait.
    Candidate::added(found, |_| true)
}

/// Whether the function was ended by its own time-out: then that is the finding, and not that it took long. Where the time-out is not
/// known, failed invocations of which the longest took the same time in every period may have been ended by one, too.
fn times_out(run: &Run<'_>, full: &str, compared: &Compared) -> bool {
    let Some(greatest) = run.server.gauge(Metric::lambda("Duration", "Maximum"), full) else { return false };
    if let Some(limit) = run.server.limit(LimitKind::TimeoutS, full) {
        return compared.during.of(&greatest).iter().any(|(_, ms)| *ms >= limit.value * 1e3 * 0.999);
    }
    let Some(errors) = run.server.counter(Metric::lambda("Errors", "Sum"), full) else { return false };
    let failing = compared.during.of(&errors).into_iter().filter(|(_, count)| *count > 0.0);
    let longest: Vec<f64> = failing.filter_map(|(at, _)| greatest.at(at)).collect();
    let (least, most) = longest.iter().fold((f64::INFINITY, 0.0_f64), |(l, m), ms| (l.min(*ms), m.max(*ms)));
    !longest.is_empty() && least >= SAME * most
}

fn candidate(run: &Run<'_>, position: usize, felt: &Felt, hop: Hop) -> Candidate {
    let compared = &hop.compared;
    let stage = Stage::Function(hop.function.clone());
    let name = run.backend.resource(&stage);
    let (onset, end_s) = onset(felt, compared, hop.change, &hop.means);
    let function = run.backend.function(&hop.function);
    let authorizes = function.is_some_and(|function| function.authorizes);
    let does_nothing_else = function.is_some_and(|function| function.trigger == Trigger::Authorizer);
    let slow_table = dependencies::table(run, felt, compared, &hop);
    let mut candidate = match &slow_table {
        Some(table) => {
            let stage = Stage::Table(table.table.clone());
            Candidate::new(SuspectKind::SlowDependency, stage, onset, end_s)
        }
        None if authorizes && does_nothing_else => {
            let mut candidate = Candidate::new(SuspectKind::IdentityProvider, stage, onset, end_s);
            candidate.or.push(format!("{name}'s own work"));
            candidate
        }
        None => {
            let mut candidate = Candidate::new(SuspectKind::SlowFunction, stage, onset, end_s);
            candidate.or.extend(dependencies::unseen(run, felt, compared, &hop));
            let asks = || format!("the identity provider, which {name} asks at connect");
            candidate.or.extend(authorizes.then(asks));
            candidate
        }
    };
    candidate.observed = Some(slow_table.as_ref().map_or(hop.change.during, |table| table.during_ms));
    candidate.unit = "ms";
    candidate.explains.push((position, hop.share));
    candidate.evidence.push(evidence::of(
        hop.series,
        hop.says,
        &hop.means,
        shown_from(compared, onset),
        end_s,
    ));
    candidate.evidence.extend(slow_table.map(|table| table.evidence));
    candidate
}

/// From where on a series is shown: so that its rise is seen.
fn shown_from(compared: &Compared, onset: Interval) -> f64 {
    compared.before.0.first().map_or(onset.from_s, |first| first.from_s.min(onset.from_s))
}

/// The period in which the rise shows first, and when it was over.
pub(super) fn onset(felt: &Felt, compared: &Compared, change: Change, points: &Points) -> (Interval, f64) {
    let symptom = &felt.symptom;
    let middle = change.before.map_or(0.0, |before| f64::midpoint(before, change.during));
    let earliest = match compared.before.0.last() {
        Some(_) => symptom.from_s - felt.lag_s - points.period_s,
        None => 0.0,
    };
    let high = |(at, value): &(f64, f64)| *value >= middle && at + points.period_s > earliest;
    let first = points.known().find(high).map_or(symptom.from_s, |(at, _)| at);
    let last =
        Stretch::one(earliest, symptom.to_s).of(points).into_iter().rfind(|(_, value)| *value >= middle);
    let end_s = last.map_or(symptom.to_s, |(at, _)| (at + points.period_s).min(symptom.to_s));
    (Interval { from_s: first.min(symptom.from_s), to_s: first.min(symptom.from_s) + points.period_s }, end_s)
}
