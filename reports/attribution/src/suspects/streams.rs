//! Streams that fall behind: lanes that are full, a record that fails again and again, a function that is too slow for its lanes.
//!
//! A stream calls its function with one batch at a time on each lane; lanes are open shards times `ParallelizationFactor`. Full lanes
//! have full batches, and as many executions as lanes. A poison record blocks its lane with batches that are halved down to the one
//! record, which fails without an `Error`. A throttled function has `Throttles` instead, and is no matter of lanes.

use reports::format::{LimitKind, SuspectKind};

use super::backlog::{Flow, Rise, explained, rise};
use super::durations::HALF;
use super::evidence;
use crate::candidate::Candidate;
use crate::compare::Compared;
use crate::felt::Felt;
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

/// What is seen of a line while it falls behind.
struct Behind<'a> {
    line: &'a Line,
    ages: Points,
    rise: Rise,
    share: f64,
    /// Records an invocation.
    batch: Option<f64>,
    batch_size: Option<f64>,
    /// Records of failed attempts.
    failed: Option<f64>,
    errors: Option<f64>,
    lanes: Option<f64>,
    /// The most executions.
    executions: Option<f64>,
}

fn of_line(run: &Run<'_>, position: usize, felt: &Felt, line: &Line) -> Vec<Candidate> {
    let Some(behind) = behind(run, felt, line) else { return Vec::new() };
    if behind.share < HALF {
        return Vec::new();
    }
    if let Some(poison) = poison(run, position, &behind) {
        return vec![poison];
    }
    let Some(lanes) = full_lanes(run, position, felt, &behind) else { return Vec::new() };
    std::iter::once(lanes).chain(slow_function(run, position, felt, &behind)).collect()
}

/// `None` where the age does not rise for long, or the function is throttled.
fn behind<'a>(run: &Run<'_>, felt: &Felt, line: &'a Line) -> Option<Behind<'a>> {
    let function = line.function.as_str();
    let ages = run.server.gauge(Metric::lambda("IteratorAge", "Maximum"), function)?;
    let rise = rise(&ages, felt)?;
    let total = |points: Points| points.within(rise.when.from_s, rise.when.to_s).sum();
    let counter = |name| run.server.counter(Metric::lambda(name, "Sum"), function).and_then(total);
    if counter("Throttles").is_some_and(|throttles| throttles > 0.0) {
        return None;
    }
    let events = |name| {
        let metric =
            Metric { namespace: "AWS/Lambda", name, statistic: "Sum", dimension: "EventSourceMappingUUID" };
        run.server.gauge(metric, &line.uuid).and_then(total)
    };
    let limit = |kind| {
        let names = [line.uuid.as_str(), line.table.as_str(), function];
        names
            .into_iter()
            .filter(|name| !name.is_empty())
            .find_map(|name| run.server.limit(kind, name))
            .map(|l| l.value)
    };
    let invocations = counter("Invocations").filter(|count| *count > 0.0);
    let executions = run.server.gauge(Metric::lambda("ConcurrentExecutions", "Maximum"), function);
    let executions = executions.and_then(|points| points.within(rise.when.from_s, rise.when.to_s).peak());
    Some(Behind {
        line,
        share: explained(run, felt, &ages),
        batch: events("InvokedEventCount").zip(invocations).map(|(records, invoked)| records / invoked),
        batch_size: limit(LimitKind::BatchSize),
        failed: events("FailedInvokeEventCount").or_else(|| events("DroppedEventCount")),
        errors: counter("Errors"),
        lanes: limit(LimitKind::OpenShards)
            .map(|shards| shards * limit(LimitKind::ParallelizationFactor).unwrap_or(1.0)),
        executions: executions.map(|(_, most)| most),
        ages,
        rise,
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

    fn candidate(&self, kind: SuspectKind, position: usize) -> Candidate {
        let mut candidate = Candidate::new(kind, self.stage(), self.rise.onset, self.rise.end_s);
        candidate.explains.push((position, self.share));
        candidate
    }

    fn age(&self, run: &Run<'_>, says: &str) -> reports::format::Evidence {
        let name = run.backend.resource(&Stage::Function(self.line.function.clone()));
        let Rise { when, slope, greatest_s, .. } = self.rise;
        evidence::of(
            format!("IteratorAge (Maximum) of {name}"),
            format!(
                "it rose by {:.2} s a second ({:.2} to {:.2}) from {:.0} s on, to {greatest_s:.1} s; {says}",
                slope.value, slope.low, slope.high, when.from_s
            ),
            &self.ages,
            when.from_s - 5.0 * self.ages.period_s,
            self.rise.end_s,
        )
    }

    /// Records an invocation over the most that a batch may have.
    fn fullness(&self) -> Option<f64> {
        self.batch.zip(self.batch_size).map(|(batch, size)| batch / size)
    }
}

/// A record that fails again and again: the age rises by a second a second at any load, batches shrink, nothing is an error.
fn poison(run: &Run<'_>, position: usize, behind: &Behind<'_>) -> Option<Candidate> {
    let failed = behind.failed.filter(|failed| *failed > 0.0)?;
    let blocked = behind.rise.slope.high >= HALF;
    let shrunk = behind.fullness().is_none_or(|fullness| fullness < HALF);
    if !blocked || !shrunk || behind.errors.is_some_and(|errors| errors > 0.0) {
        return None;
    }
    let mut candidate = behind.candidate(SuspectKind::PoisonRecord, position);
    let batch = behind.batch.map_or_else(String::new, |batch| format!(", {batch:.1} records an invocation"));
    candidate.evidence.push(behind.age(run, &format!(
        "a lane that nothing leaves rises by 1; {failed:.0} records failed without an error of the function{batch}"
    )));
    Some(candidate)
}

/// Lanes that are full: by executions, or by batches. `None` where neither is known, or both say that there was room.
fn full_lanes(run: &Run<'_>, position: usize, felt: &Felt, behind: &Behind<'_>) -> Option<Candidate> {
    let all_busy = behind.executions.zip(behind.lanes).map(|(executions, lanes)| executions >= lanes);
    let all_full = behind.fullness().map(|fullness| fullness >= FULL);
    let flow = Flow::during(run, felt, behind.rise.when);
    let is_full = match (all_busy, all_full) {
        (Some(busy), Some(full)) => busy || full,
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => false,
    };
    if !is_full || !flow.less {
        return None;
    }
    let mut candidate = behind.candidate(SuspectKind::StreamLanes, position);
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
    let change = Compared::of(run, felt)?.change(&durations, invocations.as_ref())?;
    let promised_ms = promised_ms(run, felt);
    let slower = change.before.is_some_and(|before| change.shown && change.during >= 2.0 * before);
    let slow = promised_ms.is_some_and(|promised| change.during >= HALF * promised);
    if !slower && !slow {
        return None;
    }
    let stage = Stage::Function(function.to_owned());
    let name = run.backend.resource(&stage);
    let mut candidate =
        Candidate::new(SuspectKind::SlowFunction, stage, behind.rise.onset, behind.rise.end_s);
    candidate.observed = Some(change.during);
    candidate.unit = "ms";
    candidate.explains.push((position, behind.share));
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
        behind.rise.end_s,
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
