//! Durations as changed hops: only means add up.
//!
//! A function on the path of what became slow is held against what the player felt: the rise of its mean `Duration` over the rise
//! of the player's mean, at the same offered load ([`crate::compare`]). Where the fault was there from the start, its share of
//! the mean counts if the mean itself is beyond the bound; else the share of invocations that took longer than the bound on
//! their own, over the share of answers that did.
//!
//! Whose fault the function's time is: a table whose own latency accounts for half of it, the identity provider where the
//! function authorises connections, else the function or what it calls that has no series.

use reports::format::{LimitKind, SuspectKind, SymptomKind};

use super::{cold_starts, dependencies, evidence, holders, network, slow_clients};
use crate::candidate::Candidate;
use crate::compare::{Change, Compared, Stretch};
use crate::felt::Felt;
use crate::interval::Interval;
use crate::observed::{Metric, Player, Points, Run, Stage};
use crate::statistics::waiting::erlang_b;

/// What a candidate has to explain of a symptom: more than anything else can.
pub(super) const HALF: f64 = 0.5;
/// Quantiles of `Duration` that are fetched, and the share of invocations beyond each.
const BEYOND: [(&str, f64); 3] = [("p50", 0.5), ("p90", 0.1), ("p99", 0.01)];
/// Class of requests that were not answered in time.
const TIMED_OUT: &str = "timeout";

/// A function's time on the path of a symptom.
pub(super) struct Hop {
    /// Its full name.
    pub(super) function: String,
    /// Its mean in milliseconds.
    pub(super) change: Change,
    /// Its means by period.
    pub(super) means: Points,
    /// Share of the symptom that it accounts for.
    pub(super) share: f64,
    /// How that was found, in a sentence.
    pub(super) says: String,
}

/// Executions that a function may have at most.
const MOST_EXECUTIONS: f64 = 1e6;
/// A hop that accounts for less is not mentioned.
const LEAST: f64 = 0.1;

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
                found.push(candidate(run, position, one, &compared, hop));
            }
        }
    }
    found
}

/// The functions on a symptom's path, each with its share.
pub(super) fn hops(run: &Run<'_>, felt: &Felt, compared: &Compared) -> Vec<Hop> {
    functions_of(run, &felt.player).into_iter().filter_map(|full| hop(run, felt, compared, &full)).collect()
}

/// The functions on a player's path, each once.
pub(super) fn functions_of(run: &Run<'_>, player: &Player) -> Vec<String> {
    let mut functions = Vec::new();
    for stage in run.path(player) {
        if let Stage::Function(full) = stage
            && !functions.contains(full)
        {
            functions.push(full.clone());
        }
    }
    functions
}

fn hop(run: &Run<'_>, felt: &Felt, compared: &Compared, full: &str) -> Option<Hop> {
    let means = run.server.gauge(Metric::lambda("Duration", "Average"), full)?;
    let invocations = run.server.gauge(Metric::lambda("Invocations", "Sum"), full);
    let change = compared.change(&means, invocations.as_ref())?;
    let name = run.backend.resource(&Stage::Function(full.to_owned()));
    let (share, says) = match felt.symptom.what {
        SymptomKind::Slower => slower(run, felt, compared, change, full, &name)?,
        SymptomKind::Failures => timed_out(run, felt, compared, full, &name)
            .or_else(|| filled(run, compared, change, full, &name))?,
        SymptomKind::Losses | SymptomKind::Unknown => return None,
    };
    Some(Hop { function: full.to_owned(), change, means, share: share.clamp(0.0, 1.0), says })
}

/// The share of a slowness, by means where they tell, else by what lies beyond the bound.
fn slower(
    run: &Run<'_>,
    felt: &Felt,
    compared: &Compared,
    change: Change,
    full: &str,
    name: &str,
) -> Option<(f64, String)> {
    let bound_us = felt.symptom.reference;
    if let Some(before) = change.before {
        let share = if change.shown { change.rise() * 1e3 / compared.rise_us() } else { 0.0 };
        let says = format!(
            "{name} took {:.1} ms on average, {before:.1} ms before: {:.0} % of the rise; the rest of it, {:.1} ms, lies elsewhere ({})",
            change.during,
            100.0 * share.clamp(0.0, 1.0),
            (compared.rise_us() / 1e3 - change.rise()).max(0.0),
            compared.words()
        );
        return Some((share, says));
    }
    // Without a promise only an earlier time says what is slow, and load alone accuses nobody.
    if felt.symptom.threshold.is_empty() {
        return None;
    }
    if compared.mean_us > bound_us {
        let share = change.during * 1e3 / compared.mean_us;
        let says = format!(
            "{name} took {:.1} ms on average: {:.0} % of the mean, which is beyond {:.1} ms itself; the rest, {:.1} ms, lies elsewhere ({})",
            change.during,
            100.0 * share.clamp(0.0, 1.0),
            bound_us / 1e3,
            (compared.mean_us / 1e3 - change.during).max(0.0),
            compared.words()
        );
        return Some((share, says));
    }
    let of_answers = felt.count() / compared.count;
    let of_invocations = beyond(run, compared, full, bound_us / 1e3)?;
    let says = format!(
        "at least {:.2} % of the invocations of {name} took longer than {:.1} ms on their own, {:.2} % of the answers did",
        100.0 * of_invocations,
        bound_us / 1e3,
        100.0 * of_answers
    );
    (of_answers > 0.0).then(|| (of_invocations / of_answers, says))
}

/// The share of failures that are time-outs of the player which the function's own time makes: it took longer than any
/// answer that came.
fn timed_out(
    run: &Run<'_>,
    felt: &Felt,
    compared: &Compared,
    full: &str,
    name: &str,
) -> Option<(f64, String)> {
    let Player::Operation(operation) = &felt.player else { return None };
    let longest_ms = run.summary.operations.get(operation)?.response_time_us.max as f64 / 1e3;
    let within = |(at, _): &(f64, f64)| compared.during.takes(*at, 1.0);
    let failures = felt.player.failures(run.folder, |class| class == TIMED_OUT);
    let timed_out: f64 = failures.iter().filter(|second| within(second)).map(|(_, count)| count).sum();
    if timed_out == 0.0 || longest_ms == 0.0 {
        return None;
    }
    let slow = beyond(run, compared, full, longest_ms)? * (compared.count + timed_out);
    let says = format!(
        "{timed_out:.0} requests were not answered in time; at least {slow:.0} invocations of {name} took longer than any answer that came ({longest_ms:.0} ms)"
    );
    Some((slow.min(timed_out) / felt.count().max(1.0), says))
}

/// The share of throttles that come of the function's taking longer than before: what Erlang's loss formula refuses at its
/// reserved concurrency, less what it would at the former duration and the same rate.
fn filled(
    run: &Run<'_>,
    compared: &Compared,
    change: Change,
    full: &str,
    name: &str,
) -> Option<(f64, String)> {
    let before_ms = change.before.filter(|_| change.shown)?;
    let reserved = run.server.limit(LimitKind::ReservedConcurrency, full)?.value;
    // No account has more, and the formula goes through each of them.
    let reserved = (0.0..=MOST_EXECUTIONS).contains(&reserved).then_some(reserved)?;
    let total = |metric| {
        let points = run.server.counter(Metric::lambda(metric, "Sum"), full)?;
        let during = compared.during.of(&points);
        let length = during.len() as f64 * points.period_s;
        Some(during.iter().map(|(_, count)| count).sum::<f64>() / length.max(1.0))
    };
    let (accepted, refused) = (total("Invocations")?, total("Throttles").filter(|refused| *refused > 0.0)?);
    let lost = |ms: f64| erlang_b((accepted + refused) * ms / 1e3, reserved as u64);
    let (now, formerly) = (lost(change.during), lost(before_ms));
    let says = format!(
        "{name} took {:.1} ms on average, {before_ms:.1} ms before: at {:.0} a second {reserved:.0} executions refuse {:.0} % of them by Erlang's formula, and {:.0} % formerly",
        change.during,
        accepted + refused,
        100.0 * now,
        100.0 * formerly
    );
    (now > 0.0).then(|| (1.0 - formerly / now, says))
}

/// At least which share of a function's invocations during the symptom took longer than a bound, by the quantiles of `Duration`.
fn beyond(run: &Run<'_>, compared: &Compared, full: &str, bound_ms: f64) -> Option<f64> {
    let invocations = run.server.gauge(Metric::lambda("Invocations", "Sum"), full)?;
    let quantiles: Vec<(Points, f64)> = BEYOND
        .iter()
        .filter_map(|(statistic, share)| {
            let series = run.server.gauge(Metric::lambda("Duration", statistic), full)?;
            Some((series, *share))
        })
        .collect();
    if quantiles.is_empty() {
        return None;
    }
    let share_at = |at: f64| {
        let reached =
            quantiles.iter().filter(|(points, _)| points.at(at).is_some_and(|value| value > bound_ms));
        reached.map(|(_, share)| *share).fold(0.0, f64::max)
    };
    let (mut slow, mut all) = (0.0, 0.0);
    for (at, count) in compared.during.of(&invocations) {
        slow += count * share_at(at);
        all += count;
    }
    (all > 0.0).then(|| slow / all)
}

/// Whether the function was ended by its own time-out: then that is the finding, and not that it took long.
fn times_out(run: &Run<'_>, full: &str, compared: &Compared) -> bool {
    let Some(limit) = run.server.limit(LimitKind::TimeoutS, full) else { return false };
    let Some(greatest) = run.server.gauge(Metric::lambda("Duration", "Maximum"), full) else { return false };
    compared.during.of(&greatest).iter().any(|(_, ms)| *ms >= limit.value * 1e3 * 0.999)
}

fn candidate(run: &Run<'_>, position: usize, felt: &Felt, compared: &Compared, hop: Hop) -> Candidate {
    let stage = Stage::Function(hop.function.clone());
    let name = run.backend.resource(&stage);
    let (onset, end_s) = onset(felt, compared, hop.change, &hop.means);
    let authorizes = run.backend.function(&hop.function).is_some_and(|function| function.authorizes);
    let slow_table = dependencies::table(run, felt, compared, &hop);
    let mut candidate = match &slow_table {
        Some(table) => {
            let stage = Stage::Table(table.table.clone());
            Candidate::new(SuspectKind::SlowDependency, stage, onset, end_s)
        }
        None if authorizes => {
            let mut candidate = Candidate::new(SuspectKind::IdentityProvider, stage, onset, end_s);
            candidate.or.push(format!("{name}'s own work"));
            candidate
        }
        None => {
            let mut candidate = Candidate::new(SuspectKind::SlowFunction, stage, onset, end_s);
            candidate.or.extend(dependencies::unseen(run, felt, compared, &hop));
            candidate
        }
    };
    candidate.observed = Some(slow_table.as_ref().map_or(hop.change.during, |table| table.during_ms));
    candidate.unit = "ms";
    candidate.explains.push((position, hop.share));
    let series = format!("Duration (Average) of {name}");
    candidate.evidence.push(evidence::of(series, hop.says, &hop.means, shown_from(compared, onset), end_s));
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
