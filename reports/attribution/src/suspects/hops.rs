//! Hops of a symptom's path: each function's time, and the share of the symptom that it accounts for. Where players saw the hops
//! themselves ([`traced`]), it is theirs; else it is that of the metrics.

use reports::format::{LimitKind, SymptomKind};

use super::took::Took;
use super::traced;
use crate::compare::{Change, Compared};
use crate::felt::Felt;
use crate::observed::{Metric, Player, Points, Run, Stage, Trigger};
use statistics::waiting::erlang_b;

/// Quantiles of `Duration` that are fetched, and the share of invocations beyond each.
const BEYOND: [(&str, f64); 3] = [("p50", 0.5), ("p90", 0.1), ("p99", 0.01)];
/// Class of requests that were not answered in time.
const TIMED_OUT: &str = "timeout";
/// Executions that a function may have at most.
const MOST_EXECUTIONS: f64 = 1e6;

/// A function's time on the path of a symptom.
pub(super) struct Hop {
    /// Its full name.
    pub(super) function: String,
    /// Its mean in milliseconds.
    pub(super) change: Change,
    /// Its means by period.
    pub(super) means: Points,
    /// What those are of.
    pub(super) series: String,
    /// Share of the symptom that it accounts for.
    pub(super) share: f64,
    /// How that was found, in a sentence.
    pub(super) says: String,
    /// What it was found by.
    pub(super) compared: Compared,
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
    let took = traced::took(run, felt, compared, full).or_else(|| by_metrics(run, compared, full))?;
    let name = run.backend.resource(&Stage::Function(full.to_owned()));
    let compared = &took.compared;
    let (share, says) = match felt.symptom.what {
        SymptomKind::Slower => slower(run, felt, compared, &took, full, &name)?,
        SymptomKind::Failures => timed_out(run, felt, compared, full, &name)
            .or_else(|| filled(run, compared, took.change, full, &name))?,
        SymptomKind::Losses | SymptomKind::Unknown => return None,
    };
    let Took { change, means, series, compared, .. } = took;
    let share = share.clamp(0.0, 1.0);
    Some(Hop { function: full.to_owned(), change, means, series, share, says, compared })
}

/// What CloudWatch says of a function's time.
fn by_metrics(run: &Run<'_>, compared: &Compared, full: &str) -> Option<Took> {
    let means = run.server.gauge(Metric::lambda("Duration", "Average"), full)?;
    let invocations = run.server.gauge(Metric::lambda("Invocations", "Sum"), full);
    let own_ms = compared.mean_in_seconds(&means, invocations.as_ref());
    let compared = own_ms.map_or_else(|| compared.clone(), |own_ms| compared.led_by(own_ms / 1e3));
    let change = compared.change(&means, invocations.as_ref())?;
    let waited = waited(run, &compared, full, change, &means).unwrap_or(0.0);
    let series = format!("Duration (Average) of {}", run.backend.resource(&Stage::Function(full.to_owned())));
    Some(Took { change, means, series, waited, compared })
}

/// How much longer records of a stream waited for the batch before theirs, at equal load.
///
/// AWS's pages disagree whether `IteratorAge` ends when a batch is handed over or when it is done. A period in which the oldest
/// record was younger than the mean invocation took shows that it ends before; else the function's own rise is taken out of it.
fn waited(run: &Run<'_>, compared: &Compared, full: &str, own: Change, means: &Points) -> Option<f64> {
    let function = run.backend.function(full)?;
    if !compared.equal || !matches!(function.trigger, Trigger::Stream { .. }) {
        return None;
    }
    let ages = run.server.gauge(Metric::lambda("IteratorAge", "Maximum"), full)?;
    let wait = compared.change(&ages, None)?;
    let ends_before = ages.known().any(|(at, age)| means.at(at).is_some_and(|took| age < took));
    let within = if ends_before { 0.0 } else { own.rise() };
    Some(Took::waits(own, Change { during: wait.during - within, ..wait }))
}

/// The share of a slowness, by means where they tell, else by what lies beyond the bound.
fn slower(
    run: &Run<'_>,
    felt: &Felt,
    compared: &Compared,
    took: &Took,
    full: &str,
    name: &str,
) -> Option<(f64, String)> {
    let (bound_us, change) = (felt.symptom.reference, took.change);
    if let Some(before) = change.before {
        let share = if change.shown { took.rise() * 1e3 / compared.rise_us() } else { 0.0 };
        let waited = if took.waited > 0.0 {
            format!(", and records waited {:.1} ms longer for the batch before theirs", took.waited)
        } else {
            String::new()
        };
        let says = format!(
            "{name} took {:.1} ms on average, {before:.1} ms before{waited}: {:.0} % of the rise; the rest of it, {:.1} ms, lies elsewhere ({})",
            change.during,
            100.0 * share.clamp(0.0, 1.0),
            (compared.rise_us() / 1e3 - took.rise()).max(0.0),
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
    let failures = felt.player.failures(run, |class| class == TIMED_OUT);
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
