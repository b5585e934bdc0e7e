//! Players that do not read: pushes to them are refused with 429, and tried again while others wait.
//!
//! No series of the server counts such refusals. The generator knows which players it lets read slowly, and sees what lies unread in
//! their sockets. They are named where there are such players, and either the pushing function became slow, or pushes were lost
//! although the stream handed them over in time, without an error, a throttle or a record that was given up.

use reports::format::{SuspectKind, SymptomKind};

use super::evidence;
use super::hops::hops;
use super::streams::{Line, lines};
use crate::candidate::Candidate;
use crate::compare::Compared;
use crate::felt::Felt;
use crate::interval::Interval;
use crate::observed::{Metric, Run, Stage};

/// What the scenario calls them.
const SLOW_READER: &str = "slow_reader";

pub(super) fn candidates(run: &Run<'_>, felt: &[Felt]) -> Vec<Candidate> {
    let made = run.summary.disruptions.get(SLOW_READER).map_or(0, |disruption| disruption.made);
    if made == 0 {
        return Vec::new();
    }
    let deliveries = felt.iter().enumerate().filter(|(_, one)| one.is_delivery());
    deliveries.filter_map(|(position, one)| of_delivery(run, position, one, made)).collect()
}

fn of_delivery(run: &Run<'_>, position: usize, felt: &Felt, made: u64) -> Option<Candidate> {
    let lines = lines(run, &felt.player);
    let share = match felt.symptom.what {
        SymptomKind::Slower => {
            let compared = Compared::of(run, felt)?;
            let pushes = |full: &str| lines.iter().any(|line| line.function == full);
            let hops = hops(run, felt, &compared);
            hops.into_iter().filter(|hop| pushes(&hop.function)).map(|hop| hop.share).fold(0.0, f64::max)
        }
        _ if !lines.is_empty() && lines.iter().all(|line| handed_over(run, felt, line)) => 1.0,
        _ => 0.0,
    };
    let unread: Vec<(f64, f64)> = run
        .lines()
        .map(|line| (line.t as f64, line.generator.receive_queue_bytes as f64))
        .filter(|(at, bytes)| {
            *bytes > 0.0 && *at + felt.lag_s >= felt.symptom.from_s && *at < felt.symptom.to_s
        })
        .collect();
    let first = unread.first().map(|(at, _)| *at)?;
    // What is affected long after anything lay unread has another reason.
    let near = |at: f64| unread.iter().any(|(start, _)| *start <= at + 1.0 && at <= start + felt.lag_s + 1.0);
    let covered: f64 = felt.affected.iter().filter(|(at, _)| near(*at)).map(|(_, count)| count).sum();
    let share = share * covered / felt.count().max(1.0);
    let from_s = first.min(felt.symptom.from_s);
    let onset = Interval { from_s, to_s: from_s + 1.0 };
    let mut candidate = Candidate::new(SuspectKind::SlowClient, Stage::Gateway, onset, felt.symptom.to_s);
    candidate.explains.push((position, share));
    let most = unread.iter().map(|(_, bytes)| *bytes).fold(0.0, f64::max);
    candidate.evidence.push(evidence::of_seconds(
        "bytes unread in the players' sockets",
        format!(
            "{made} players read slowly by the scenario; up to {most:.0} bytes lay unread in the sockets, while the stream handed \
             over in time and nothing was refused"
        ),
        &unread,
    ));
    (share > 0.0).then_some(candidate)
}

/// Whether a stream's records came to their function in time, and it neither failed nor was refused.
fn handed_over(run: &Run<'_>, felt: &Felt, line: &Line) -> bool {
    let (from_s, to_s) = (felt.symptom.from_s - felt.lag_s, felt.symptom.to_s);
    let counter = |name| {
        let points = run.server.counter(Metric::lambda(name, "Sum"), &line.function)?;
        points.within(from_s, to_s).sum()
    };
    let dropped = run
        .server
        .events("DroppedEventCount", &line.uuid)
        .and_then(|points| points.within(from_s, to_s).sum());
    let ages = run.server.gauge(Metric::lambda("IteratorAge", "Maximum"), &line.function);
    let oldest = ages.and_then(|ages| ages.greatest(from_s, to_s));
    let none = |count: Option<f64>| count == Some(0.0);
    none(counter("Errors"))
        && none(counter("Throttles"))
        && dropped.is_none_or(|dropped| dropped == 0.0)
        && oldest.is_some_and(|ms| ms / 1e3 < 0.5 * felt.lag_s)
}
