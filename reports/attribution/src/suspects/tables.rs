//! Throttled tables and indexes: throughput as a whole, or one partition's.

use std::collections::BTreeMap;

use reports::format::{LimitKind, SuspectKind, SymptomKind};

use super::evidence::{self, number};
use super::matching;
use crate::candidate::Candidate;
use crate::compare::seconds;
use crate::felt::Felt;
use crate::interval::Interval;
use crate::observed::{Player, Point, Points, Run, Stage, classes};

/// Write units per second of one partition, as documented; reads have three times as many.
const PARTITION_WRITES: f64 = 1_000.0;
const PARTITION_READS: f64 = 3_000.0;
/// Partitions of a new table on demand, by its documented throughput of 4,000 write units.
const PARTITIONS: f64 = 4.0;
/// How long the SDK tries again before a request fails, in seconds.
const RETRY_S: f64 = 5.0;

/// Whether writes or reads are throttled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Direction {
    Write,
    Read,
}

impl Direction {
    /// What metrics of it begin with.
    const fn word(self) -> &'static str {
        match self {
            Self::Write => "Write",
            Self::Read => "Read",
        }
    }
}

/// The throttle events of a table or an index in one direction.
struct Throttled {
    resource: String,
    direction: Direction,
    events: Points,
    /// The cause that most of them name: `KeyRangeThroughput` and the like; empty where no series tells it.
    cause: String,
}

pub(super) fn candidates(run: &Run<'_>, felt: &[Felt]) -> Vec<Candidate> {
    throttled(run).iter().filter_map(|throttled| candidate(run, throttled, felt)).collect()
}

/// All throttle events by resource and direction.
fn throttled(run: &Run<'_>) -> Vec<Throttled> {
    let mut all: BTreeMap<(String, Direction), BTreeMap<String, Points>> = BTreeMap::new();
    for series in run.server.all().filter(|s| s.namespace == "AWS/DynamoDB" && s.statistic == "Sum") {
        let Some(kind) = series.metric.strip_suffix("ThrottleEvents") else { continue };
        let split =
            |direction: Direction| kind.strip_prefix(direction.word()).map(|cause| (direction, cause));
        let Some((direction, cause)) = split(Direction::Write).or_else(|| split(Direction::Read)) else {
            continue;
        };
        let Some(table) = series.dimensions.get("TableName") else { continue };
        let resource = match series.dimensions.get("GlobalSecondaryIndexName") {
            Some(index) => format!("{table}/{index}"),
            None => table.clone(),
        };
        // Absent points of these series are none, not unknown.
        let mut points = run.server.spread_of(series);
        points.points.iter_mut().for_each(|point| point.value = point.value.or(Some(0.0)));
        all.entry((resource, direction)).or_default().insert(cause.to_owned(), points);
    }
    all.into_iter()
        .filter_map(|((resource, direction), causes)| of_causes(resource, direction, causes))
        .collect()
}

fn of_causes(
    resource: String,
    direction: Direction,
    mut causes: BTreeMap<String, Points>,
) -> Option<Throttled> {
    let whole = causes.remove("");
    let sum = |points: &Points| points.sum().unwrap_or(0.0);
    let named =
        causes.iter().filter(|(_, points)| sum(points) > 0.0).max_by(|a, b| sum(a.1).total_cmp(&sum(b.1)));
    let cause = named.map(|(cause, _)| cause.clone()).unwrap_or_default();
    // Each event is in both, as long as no point lacks.
    let events = match (whole, added(causes.into_values())) {
        (Some(whole), Some(causes)) => greater(whole, &causes),
        (whole, causes) => whole.or(causes)?,
    };
    (sum(&events) > 0.0).then_some(Throttled { resource, direction, events, cause })
}

/// The greater of two series of the same, period by period.
fn greater(mut one: Points, other: &Points) -> Points {
    for (at, value) in other.known() {
        match one.points.iter_mut().find(|point| (point.at_s - at).abs() < other.period_s / 2.0) {
            Some(point) => point.value = Some(point.value.map_or(value, |known| known.max(value))),
            None => one.points.push(Point { at_s: at, value: Some(value) }),
        }
    }
    one
}

/// The sum of series on one grid.
fn added(mut series: impl Iterator<Item = Points>) -> Option<Points> {
    let mut sum = series.next()?;
    for points in series {
        for (at, value) in points.known() {
            match sum.points.iter_mut().find(|point| (point.at_s - at).abs() < points.period_s / 2.0) {
                Some(point) => point.value = Some(point.value.unwrap_or(0.0) + value),
                None => sum.points.push(Point { at_s: at, value: Some(value) }),
            }
        }
    }
    Some(sum)
}

fn candidate(run: &Run<'_>, throttled: &Throttled, felt: &[Felt]) -> Option<Candidate> {
    let Throttled { resource, direction, events, cause } = throttled;
    let stage = Stage::Table(resource.clone());
    let mut explains = Vec::new();
    let mut when: Option<(Interval, f64)> = None;
    for (n, felt) in felt.iter().enumerate().filter(|(_, felt)| run.is_on_path(&felt.player, &stage)) {
        let (share, lag_s) = explained(run, felt, events);
        let Some((onset, end_s)) = matching::shows(felt, events, lag_s).filter(|_| share > 0.0) else {
            continue;
        };
        explains.push((n, share));
        let known = when.get_or_insert((onset, end_s));
        if onset.from_s < known.0.from_s {
            known.0 = onset;
        }
        known.1 = known.1.max(end_s);
    }
    let (onset, end_s) = when?;
    let use_ = usage(run, throttled, onset.from_s, end_s);
    let is_whole = use_.as_ref().is_some_and(|use_| use_.is_whole);
    let kind = match cause.as_str() {
        "MaxOnDemandThroughput" | "ProvisionedThroughput" | "AccountLimit" => SuspectKind::TableThroughput,
        _ if is_whole => SuspectKind::TableThroughput,
        _ => SuspectKind::HotPartition,
    };
    let mut candidate = Candidate::new(kind, stage, onset, end_s);
    let name = run.backend.tables.short(resource);
    let count = events.within(onset.from_s, end_s).sum().unwrap_or(0.0);
    let because = if cause.is_empty() { String::new() } else { format!(", by their cause {cause}") };
    let says =
        format!("{} {} requests were throttled{because}.", number(count), direction.word().to_lowercase());
    let series = format!("{}{cause}ThrottleEvents (Sum) of {name}", direction.word());
    candidate.evidence.push(evidence::of(series, says, events, onset.from_s, end_s));
    if kind == SuspectKind::HotPartition && use_.as_ref().is_none_or(|use_| use_.may_be_whole) {
        candidate.or.push(format!("the throughput of {name} as a whole"));
    }
    if !run.backend.declared {
        candidate.or.push(format!("what does not use {name}: whose work does is not declared"));
    }
    if let Some(use_) = use_ {
        candidate.limit =
            Some(if kind == SuspectKind::TableThroughput { use_.limit } else { use_.partition });
        candidate.observed = Some(use_.consumed);
        candidate.unit = "units per second";
        let says = format!(
            "At most {} units a second of {}; one partition takes {}.",
            number(use_.consumed),
            number(use_.limit),
            number(use_.partition)
        );
        let series = format!("Consumed{}CapacityUnits (Sum) of {name}", direction.word());
        candidate.evidence.push(evidence::of(series, says, &use_.points, onset.from_s, end_s));
    }
    candidate.explains = explains;
    Some(candidate)
}

/// How much of a symptom throttle events explain, and how long after them it shows.
fn explained(run: &Run<'_>, felt: &Felt, events: &Points) -> (f64, f64) {
    match (&felt.player, felt.symptom.what) {
        (Player::Operation(_), SymptomKind::Failures) => {
            let within = |(at, _): &(f64, f64)| *at >= felt.symptom.from_s && *at < felt.symptom.to_s;
            let of_class = felt.player.failures(run, classes::is_of_function);
            let part = Felt { affected: of_class.into_iter().filter(within).collect(), ..felt.clone() };
            let share =
                matching::one_by_one(&part, events, RETRY_S, 1.0) * part.count() / felt.count().max(1.0);
            (share, RETRY_S)
        }
        _ => {
            let lag_s = felt.lag_s.max(RETRY_S);
            let within = events.within(felt.symptom.from_s - lag_s, felt.symptom.to_s);
            let enough = (within.sum().unwrap_or(0.0) / felt.count().max(1.0)).min(1.0);
            (matching::in_its_periods(felt, events, lag_s, run.window()) * enough, lag_s)
        }
    }
}

/// The use of a table's units.
struct Usage {
    points: Points,
    consumed: f64,
    limit: f64,
    partition: f64,
    /// Whether less than half of what one partition takes was left.
    is_whole: bool,
    /// Whether the points are too coarse to say that it was not: its busiest second may have reached half of the limit.
    may_be_whole: bool,
}

/// The most that a second may have used of a table in periods that are longer: units follow what players ask for, and are spread
/// more evenly than that where some of it is refused. `None` where nobody asked.
fn busiest_second(run: &Run<'_>, points: &Points, stage: &Stage) -> Option<f64> {
    let operations = run.summary.operations.keys().map(|name| Player::Operation(name.clone()));
    let mut asked: BTreeMap<u64, f64> = BTreeMap::new();
    for user in operations.filter(|player| run.is_on_path(player, stage)) {
        for second in seconds(run, &user) {
            *asked.entry(second.at_s as u64).or_default() += second.offered;
        }
    }
    let of_period = |(at, rate): (f64, f64)| {
        let within = |second: u64| (at..at + points.period_s).contains(&(second as f64 + 0.5));
        let counts = asked.iter().filter(|(second, _)| within(**second)).map(|(_, count)| *count);
        let (all, most) = counts.fold((0.0, 0.0_f64), |(all, most), one| (all + one, most.max(one)));
        (all > 0.0).then(|| rate * points.period_s * most / all)
    };
    points.known().filter_map(of_period).max_by(f64::total_cmp)
}

/// Whether what was used is known of every period with throttle events: neither absent, nor the newest of what may still grow.
fn is_known(run: &Run<'_>, events: &Points, used: &Points) -> bool {
    let may_grow = run.server.document().is_some_and(|document| document.settled == Some(false));
    let newest = used.known().last().map(|(at, _)| at).filter(|_| may_grow);
    let mut refusing = events.known().filter(|(_, count)| *count > 0.0);
    refusing.all(|(at, _)| {
        used.at(at).is_some() && newest.is_none_or(|newest| at + events.period_s / 2.0 < newest)
    })
}

fn usage(run: &Run<'_>, throttled: &Throttled, from_s: f64, to_s: f64) -> Option<Usage> {
    let (units, per_partition, documented) = match throttled.direction {
        Direction::Write => (LimitKind::WriteUnits, LimitKind::PartitionWriteUnits, PARTITION_WRITES),
        Direction::Read => (LimitKind::ReadUnits, LimitKind::PartitionReadUnits, PARTITION_READS),
    };
    let of_all = |kind| run.server.limit(kind, &throttled.resource).or_else(|| run.server.limit(kind, ""));
    let partition = of_all(per_partition).map_or(documented, |limit| limit.value);
    let limit = run.server.limit(units, &throttled.resource)?.value;
    let partition = partition.min(limit / PARTITIONS);
    let metric = format!("Consumed{}CapacityUnits", throttled.direction.word());
    let (table, index) = match throttled.resource.split_once('/') {
        Some((table, index)) => (table, Some(index)),
        None => (throttled.resource.as_str(), None),
    };
    let series = run.server.all().find(|series| {
        series.metric == metric
            && series.statistic == "Sum"
            && series.dimensions.get("TableName").is_some_and(|name| name == table)
            && series.dimensions.get("GlobalSecondaryIndexName").map(String::as_str) == index
    })?;
    let mut points = run.server.spread_of(series);
    let period_s = points.period_s;
    points.points.iter_mut().for_each(|point| point.value = point.value.map(|sum| sum / period_s));
    let throttled_meanwhile = points.within(from_s, to_s);
    let (_, consumed) = throttled_meanwhile.peak()?;
    let stage = Stage::Table(throttled.resource.clone());
    let is_coarse = period_s > 1.0;
    let busiest = || busiest_second(run, &throttled_meanwhile, &stage);
    let may_be_peak = is_coarse && busiest().is_none_or(|most| most >= limit / 2.0);
    let may_be_whole = may_be_peak || !is_known(run, &throttled.events.within(from_s, to_s), &points);
    let is_whole = consumed >= limit - partition / 2.0;
    Some(Usage { points, consumed, limit, partition, is_whole, may_be_whole })
}
