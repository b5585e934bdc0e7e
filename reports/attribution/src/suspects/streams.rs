//! Streams that fall behind: lanes that are full, a record that fails again and again, a function that is too slow for its lanes.
//!
//! A stream calls its function with one batch at a time on each lane; lanes are open shards times `ParallelizationFactor`. Full lanes
//! have full batches, and as many executions as lanes. A poison record blocks its lane with batches that are halved down to the one
//! record, which fails without an `Error`. A throttled function has `Throttles` instead, and is no matter of lanes.

use reports::format::{Evidence, LimitKind, SuspectKind, SymptomKind};

use statrs::distribution::{DiscreteCDF, Poisson};

use super::backlog::{Flow, Rise, explained, rise};
use super::evidence;
use crate::candidate::{Candidate, HALF};
use crate::compare::Compared;
use crate::felt::Felt;
use crate::interval::Interval;
use crate::observed::{Metric, Player, Points, Run, Stage, Trigger};

/// Share of `BatchSize` from which batches count as full: the last of a shard's records that were read are fewer.
const FULL: f64 = 0.9;

/// A stream and what it calls.
pub(super) struct Line {
    /// Full name of the table; empty where it is not known.
    pub(super) table: String,
    /// Full name of the function.
    pub(super) function: String,
    /// The mapping; empty where it is not known.
    pub(super) uuid: String,
}

pub(super) fn candidates(run: &Run<'_>, felt: &[Felt]) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (position, one) in felt.iter().enumerate().filter(|(_, one)| one.is_delivery()) {
        for line in lines(run, &one.player) {
            found.extend(of_line(run, position, one, &line));
        }
    }
    found
}

/// The streams on a delivery's path; all that there are where the path is not known.
pub(super) fn lines(run: &Run<'_>, player: &Player) -> Vec<Line> {
    let path = run.path(player);
    let on_path = |full: &str| path.is_empty() || path.contains(&Stage::Function(full.to_owned()));
    let mut lines: Vec<Line> = Vec::new();
    for function in run.backend.functions.iter().filter(|function| on_path(&function.full)) {
        if let Trigger::Stream { table, uuid } = &function.trigger {
            let (table, uuid) = (table.clone(), uuid.clone());
            lines.push(Line { table, function: function.full.clone(), uuid });
        }
    }
    // A function that does everything reads the streams as well.
    for mapping in run.server.wiring().into_iter().flat_map(|wiring| &wiring.mappings) {
        if on_path(&mapping.function) && !lines.iter().any(|line| line.uuid == mapping.uuid) {
            let (table, uuid) = (mapping.table.clone(), mapping.uuid.clone());
            lines.push(Line { table, function: mapping.function.clone(), uuid });
        }
    }
    lines
}

/// What is seen of a line while its deliveries are late or lost.
struct Behind<'a> {
    line: &'a Line,
    ages: Points,
    /// `None`: the age does not rise for long.
    rise: Option<Rise>,
    /// The rise, or the symptom and what led to it.
    when: Interval,
    share: f64,
    /// Records an invocation.
    batch: Option<f64>,
    batch_size: Option<f64>,
    /// Records of failed attempts.
    failed: Option<f64>,
    /// The first period with one of those.
    failed_from: Option<Interval>,
    /// The first period with an error.
    errors_from: Option<Interval>,
    /// Records that were given up.
    dropped: Option<f64>,
    errors: Option<f64>,
    invocations: Option<f64>,
    /// After which a record is given up.
    retries: Option<f64>,
    lanes: Option<f64>,
    /// The most executions.
    executions: Option<f64>,
}

fn of_line(run: &Run<'_>, position: usize, felt: &Felt, line: &Line) -> Vec<Candidate> {
    let Some(behind) = behind(run, felt, line) else { return Vec::new() };
    if let Some(poison) = poison(run, position, felt, &behind) {
        return vec![poison];
    }
    let Some(rise) = behind.rise.filter(|_| behind.share >= HALF) else { return Vec::new() };
    let lanes = full_lanes(run, position, felt, &behind, &rise);
    let slow = lanes.as_ref().and_then(|_| slow_function(run, position, felt, &behind));
    lanes.into_iter().chain(slow).collect()
}

/// The first period of a counter above zero.
fn first_above_zero(points: &Points) -> Option<Interval> {
    let (at, _) = points.known().find(|(_, count)| *count > 0.0)?;
    Some(Interval { from_s: at, to_s: at + points.period_s })
}

/// `None` where the stream's age is not known, or its function is throttled.
fn behind<'a>(run: &Run<'_>, felt: &Felt, line: &'a Line) -> Option<Behind<'a>> {
    let function = line.function.as_str();
    let ages = run.server.gauge(Metric::lambda("IteratorAge", "Maximum"), function)?;
    let rise = rise(&ages, felt);
    let symptom = Interval { from_s: felt.symptom.from_s - felt.lag_s, to_s: felt.symptom.to_s };
    let when = rise.map_or(symptom, |rise| rise.when);
    // Of the symptom as a whole, but for what says how full the lanes are while the age rises.
    let total = |points: Points| points.within(symptom.from_s, symptom.to_s).sum();
    let rising = |points: Points| points.within(when.from_s, when.to_s).sum();
    let counter_points = |name| run.server.counter(Metric::lambda(name, "Sum"), function);
    let counter = |name| counter_points(name).and_then(total);
    if counter("Throttles").is_some_and(|throttles| throttles > 0.0) {
        return None;
    }
    let event_points = |name| run.server.events(name, &line.uuid);
    let events = |name| event_points(name).and_then(total);
    let limit = |kind| {
        let names = [line.uuid.as_str(), line.table.as_str(), function];
        let known = names.into_iter().filter(|name| !name.is_empty());
        known.filter_map(|name| run.server.limit(kind, name)).map(|limit| limit.value).next()
    };
    let invocations = counter("Invocations").filter(|count| *count > 0.0);
    let executions = run.server.gauge(Metric::lambda("ConcurrentExecutions", "Maximum"), function);
    let factor = limit(LimitKind::ParallelizationFactor).unwrap_or(1.0);
    Some(Behind {
        line,
        share: explained(run, felt, &ages),
        batch: event_points("InvokedEventCount")
            .and_then(rising)
            .zip(counter_points("Invocations").and_then(rising).filter(|count| *count > 0.0))
            .map(|(records, invoked)| records / invoked),
        batch_size: limit(LimitKind::BatchSize),
        failed: events("FailedInvokeEventCount"),
        failed_from: event_points("FailedInvokeEventCount")
            .and_then(|points| first_above_zero(&points.within(symptom.from_s, symptom.to_s))),
        errors_from: counter_points("Errors")
            .and_then(|points| first_above_zero(&points.within(symptom.from_s, symptom.to_s))),
        dropped: events("DroppedEventCount"),
        errors: counter("Errors"),
        invocations,
        retries: limit(LimitKind::MaxRetries).filter(|retries| *retries >= 0.0),
        lanes: limit(LimitKind::OpenShards).map(|shards| shards * factor),
        executions: executions
            .and_then(|points| points.within(when.from_s, when.to_s).peak())
            .map(|(_, most)| most),
        ages,
        rise,
        when,
    })
}

impl Behind<'_> {
    fn stage(&self) -> Stage {
        let table = &self.line.table;
        if table.is_empty() {
            Stage::Function(self.line.function.clone())
        } else {
            Stage::Stream(table.clone())
        }
    }

    fn candidate(&self, kind: SuspectKind, position: usize, share: f64) -> Candidate {
        let onset = self.rise.map_or_else(|| self.first(), |rise| rise.onset);
        let end_s = self.rise.map_or(self.when.to_s, |rise| rise.end_s);
        let mut candidate = Candidate::new(kind, self.stage(), onset, end_s);
        candidate.explains.push((position, share));
        candidate
    }

    /// The first period of the time that is looked at.
    fn first(&self) -> Interval {
        Interval { from_s: self.when.from_s, to_s: self.when.from_s + self.ages.period_s }
    }

    fn age(&self, run: &Run<'_>, says: &str) -> Evidence {
        let name = run.backend.resource(&Stage::Function(self.line.function.clone()));
        let rose = self.rise.map_or_else(
            || {
                let greatest = self.ages.greatest(self.when.from_s, self.when.to_s).unwrap_or(0.0);
                format!("records were up to {:.1} s old", greatest / 1e3)
            },
            |Rise { onset, slope, greatest_s, .. }| {
                format!(
                    "it rose by {:.2} s a second ({:.2} to {:.2}) from {:.0} s on, to {greatest_s:.1} s",
                    slope.value, slope.low, slope.high, onset.from_s
                )
            },
        );
        evidence::of(
            format!("IteratorAge (Maximum) of {name}"),
            format!("{rose}; {says}"),
            &self.ages,
            self.when.from_s - 5.0 * self.ages.period_s,
            self.rise.map_or(self.when.to_s, |rise| rise.end_s),
        )
    }

    /// Whether more records were given up than errors at random give up.
    fn gives_up_more_than_chance(&self, dropped: f64) -> bool {
        let (Some(errors), Some(invocations), Some(retries)) = (self.errors, self.invocations, self.retries)
        else {
            return false;
        };
        !is_chance(dropped, errors, invocations, retries)
    }

    /// Records an invocation over the most that a batch may have.
    fn fullness(&self) -> Option<f64> {
        self.batch.zip(self.batch_size).map(|(batch, size)| batch / size)
    }
}

/// Whether no more records were given up than errors at random give up: each attempt would fail with the function's error rate, so that
/// of those that fail once the rate to the power of the retries fails to the end (Poisson, one-sided at 0.05).
pub(super) fn is_chance(dropped: f64, errors: f64, invocations: f64, retries: f64) -> bool {
    let expected = errors * (errors / invocations.max(1.0)).min(1.0).powf(retries);
    let Ok(law) = Poisson::new(expected.max(1e-9)) else { return true };
    dropped < 1.0 || law.sf(dropped as u64 - 1) > 0.05
}

/// A record that fails again and again: its attempts fail, batches shrink, and either the age rises by a second a second at any load,
/// or the record is given up in the end. Under `ReportBatchItemFailures` none of it is an error; where there are errors, more has
/// to be given up than errors at random would.
fn poison(run: &Run<'_>, position: usize, felt: &Felt, behind: &Behind<'_>) -> Option<Candidate> {
    let failed = behind.failed.filter(|failed| *failed > 0.0)?;
    let dropped = behind.dropped.unwrap_or(0.0);
    let blocked = behind.rise.is_some_and(|rise| rise.slope.high >= HALF) || dropped > 0.0;
    let shrunk = behind.fullness().is_none_or(|fullness| fullness < HALF) || behind.batch_size == Some(1.0);
    let errors = behind.errors.unwrap_or(0.0);
    if !blocked || !shrunk || (errors > 0.0 && !behind.gives_up_more_than_chance(dropped)) {
        return None;
    }
    let given_up = match felt.symptom.what {
        SymptomKind::Losses => (dropped / felt.count().max(1.0)).min(1.0),
        _ => 0.0,
    };
    let mut candidate = behind.candidate(SuspectKind::PoisonRecord, position, behind.share.max(given_up));
    // Its attempts are what the errors are, if there are any: a point that lacks of one of both does not part them.
    let begins = [behind.failed_from, behind.errors_from].into_iter().flatten();
    let first = begins.min_by(|a, b| a.from_s.total_cmp(&b.from_s));
    candidate.onset = first.unwrap_or(candidate.onset);
    candidate.end_s = candidate.end_s.max(felt.symptom.to_s);
    let batch = behind.batch.map_or_else(String::new, |batch| format!(", {batch:.1} records an invocation"));
    let retries = behind.retries.map_or_else(String::new, |retries| format!(" after {retries:.0} retries"));
    candidate.evidence.push(behind.age(run, &format!(
        "{failed:.0} records failed with {errors:.0} errors of the function, {dropped:.0} were given up{retries}{batch}: a lane stands still meanwhile"
    )));
    Some(candidate)
}

/// Lanes that are full: by executions, or by batches. `None` where neither is known, or both say that there was room.
fn full_lanes(
    run: &Run<'_>,
    position: usize,
    felt: &Felt,
    behind: &Behind<'_>,
    rise: &Rise,
) -> Option<Candidate> {
    let all_busy = behind.executions.zip(behind.lanes).map(|(executions, lanes)| executions >= lanes);
    let all_full = behind.fullness().map(|fullness| fullness >= FULL);
    let flow = Flow::during(run, felt, rise);
    let is_full = match (all_busy, all_full) {
        (Some(busy), Some(full)) => busy || full,
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => false,
    };
    if !is_full || !flow.agrees {
        return None;
    }
    let mut candidate = behind.candidate(SuspectKind::StreamLanes, position, behind.share);
    candidate.limit = behind.lanes;
    candidate.observed = behind.executions;
    candidate.unit = "executions";
    let lanes = behind.lanes.map_or_else(String::new, |lanes| format!(" on {lanes:.0} lanes"));
    let batch = behind.batch.map_or_else(String::new, |batch| format!(", {batch:.0} records an invocation"));
    candidate.evidence.push(behind.age(
        run,
        &format!(
            "{:.0} came in and {:.0} went out a second{lanes}{batch}, which makes {:.2} s a second",
            flow.in_s,
            flow.out_s,
            flow.slope()
        ),
    ));
    Some(candidate)
}

/// The function as the cause of full lanes: it became slower at the same load, or one invocation alone takes at least half of what
/// players may wait.
fn slow_function(run: &Run<'_>, position: usize, felt: &Felt, behind: &Behind<'_>) -> Option<Candidate> {
    let function = behind.line.function.as_str();
    let durations = run.server.gauge(Metric::lambda("Duration", "Average"), function)?;
    let invocations = run.server.gauge(Metric::lambda("Invocations", "Sum"), function);
    let compared = Compared::around(run, felt, behind.when)?;
    let change = compared.change(&durations, invocations.as_ref())?;
    let promised_ms = promised_ms(run, felt);
    let slower = change.before.is_some_and(|before| change.shown && change.during >= 2.0 * before);
    let slow = promised_ms.is_some_and(|promised| change.during >= HALF * promised);
    if !slower && !slow {
        return None;
    }
    let stage = Stage::Function(function.to_owned());
    let name = run.backend.resource(&stage);
    let mut candidate =
        Candidate { stage, ..behind.candidate(SuspectKind::SlowFunction, position, behind.share) };
    candidate.observed = Some(change.during);
    candidate.unit = "ms";
    candidate.or.push(format!(
        "the @connections API or the clients that {name} pushes to, which have no latency series"
    ));
    let than = match (change.before, promised_ms) {
        (Some(before), _) if slower => format!("{before:.0} ms before"),
        (_, Some(promised)) => format!("and players may wait {promised:.0} ms"),
        _ => String::new(),
    };
    candidate.evidence.push(evidence::of(
        format!("Duration (Average) of {name}"),
        format!(
            "a batch took {:.0} ms on average, {than}; its lanes filled up because of it{}",
            change.during,
            behind.lanes.map_or_else(String::new, |lanes| format!(" ({lanes:.0} of them)"))
        ),
        &durations,
        f64::NEG_INFINITY,
        candidate.end_s,
    ));
    Some(candidate)
}

/// What players may wait for a delivery in milliseconds: a latency threshold of it, else the time after which it is lost.
fn promised_ms(run: &Run<'_>, felt: &Felt) -> Option<f64> {
    if felt.symptom.unit == "us" && !felt.symptom.threshold.is_empty() {
        return Some(felt.symptom.reference / 1e3);
    }
    run.summary.deliveries.get(felt.player.name())?.lost_after_s.map(|seconds| seconds * 1e3)
}
