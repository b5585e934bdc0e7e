//! Calls of GameLift that are refused: placements started stay at the documented rate.

use reports::format::{LimitKind, SuspectKind};

use super::evidence::{self, number};
use super::matching;
use super::plateau::{self, Plateau, Second};
use crate::candidate::Candidate;
use crate::felt::Felt;
use crate::interval::Interval;
use crate::observed::{Metric, Points, Run, Stage, classes};

pub(super) fn candidates(run: &Run<'_>, felt: &[Felt]) -> Vec<Candidate> {
    let queues = felt.iter().enumerate().filter(|(_, felt)| felt.is_failures()).filter_map(|(n, felt)| {
        let queue = run.path(&felt.player).iter().find_map(|stage| match stage {
            Stage::Queue(queue) => Some(queue.clone()),
            _ => None,
        })?;
        candidate(run, n, felt, &queue)
    });
    queues.collect()
}

fn candidate(run: &Run<'_>, n: usize, felt: &Felt, queue: &str) -> Option<Candidate> {
    let within = |(at, _): &(f64, f64)| *at >= felt.symptom.from_s && *at < felt.symptom.to_s;
    let refused: Vec<(f64, f64)> =
        felt.player.failures(run, classes::is_too_many).into_iter().filter(within).collect();
    let (first, last) = refused.first().zip(refused.last()).map(|(first, last)| (first.0, last.0))?;
    let Plateau { level, limit } = plateau::of(
        &seconds(run, felt, &refused),
        run.server.limit(LimitKind::GameliftRequestsPerSecond, ""),
    )?;
    let onset = Interval { from_s: first, to_s: first + 1.0 };
    let mut candidate =
        Candidate::new(SuspectKind::GameliftRate, Stage::Queue(queue.to_owned()), onset, last + 1.0);
    (candidate.limit, candidate.observed, candidate.unit) = (limit, Some(level), "per second");
    let count: f64 = refused.iter().map(|(_, count)| count).sum();
    let of_limit = limit.map_or_else(String::new, |limit| format!(" of {}", number(limit)));
    let says = format!(
        "{} requests were refused, while {} placements a second{of_limit} went through.",
        number(count),
        number(level)
    );
    candidate.evidence.push(evidence::of_seconds(format!("429 of {}", felt.player.name()), says, &refused));
    if let Some(started) = started(run, queue) {
        let most = started.within(first, last + 1.0).peak().map_or(0.0, |(_, sum)| sum);
        let says = format!("At most {} in a period of {} s.", number(most), number(started.period_s));
        let series = format!("PlacementsStarted (Sum) of {}", run.backend.resource(&candidate.stage));
        candidate.evidence.push(evidence::of(series, says, &started, first, last + 1.0));
    }
    let part = Felt { affected: refused, ..felt.clone() };
    // Whatever else was refused at the same time has other counters.
    let elsewhere =
        throttles(run, felt).map_or(0.0, |throttles| matching::one_by_one(&part, &throttles, 1.0, 1.0));
    let share = (count / felt.count().max(1.0)).min(1.0) * (1.0 - elsewhere);
    (share > 0.0).then(|| {
        candidate.explains.push((n, share));
        candidate
    })
}

/// What went through and what was refused, second by second.
fn seconds(run: &Run<'_>, felt: &Felt, refused: &[(f64, f64)]) -> Vec<Second> {
    let of_line = |(at, refused): &(f64, f64)| {
        let line = run.lines().find(|line| line.t as f64 == *at)?;
        let accepted = line.operations.get(felt.player.name())?.completed as f64;
        Some(Second { at_s: *at, accepted, refused: *refused })
    };
    refused.iter().filter_map(of_line).collect()
}

/// Placements that were started, period by period. Namespace and dimension differ between accounts.
fn started(run: &Run<'_>, queue: &str) -> Option<Points> {
    let series = run.server.all().find(|series| {
        series.metric == "PlacementsStarted"
            && series.statistic == "Sum"
            && series.dimensions.values().any(|value| value == queue)
    })?;
    Some(run.server.spread_of(series))
}

/// Throttles of the first function of a path that has any.
fn throttles(run: &Run<'_>, felt: &Felt) -> Option<Points> {
    run.path(&felt.player).iter().find_map(|stage| match stage {
        Stage::Function(full) => {
            let points = run.server.counter(Metric::lambda("Throttles", "Sum"), full)?;
            points.sum().filter(|sum| *sum > 0.0).map(|_| points)
        }
        _ => None,
    })
}
