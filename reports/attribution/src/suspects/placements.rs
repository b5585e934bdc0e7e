//! Placements that wait for a game server: the queue's wait grows up to its time-out.
//!
//! By Little's law the queue's depth is what is started per second times the wait. `AverageWaitTime` is of placements that ended.

use reports::format::{LimitKind, SuspectKind, SymptomKind};

use super::evidence;
use crate::candidate::{Candidate, HALF};
use crate::compare::{Compared, Stretch};
use crate::felt::Felt;
use crate::interval::Interval;
use crate::observed::{Points, Run, Stage};

/// Class of a placement that the queue gave up.
const GIVEN_UP: &str = "placement_timed_out";

/// A queue's series.
struct Queue<'a> {
    full: &'a str,
    /// Seconds.
    waits: Points,
    started: Option<Points>,
    timed_out: Option<Points>,
    depth: Option<Points>,
}

pub(super) fn candidates(run: &Run<'_>, felt: &[Felt]) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (position, one) in felt.iter().enumerate() {
        for stage in run.path(&one.player) {
            if let Stage::Queue(full) = stage
                && let Some(queue) = queue(run, full)
            {
                found.extend(of_queue(run, position, one, &queue));
            }
        }
    }
    found
}

fn queue<'a>(run: &Run<'_>, full: &'a str) -> Option<Queue<'a>> {
    let (mut waits, unit) = run.server.of_queue(full, "AverageWaitTime", "Average")?;
    if unit == "Milliseconds" {
        waits.points.iter_mut().for_each(|point| point.value = point.value.map(|ms| ms / 1e3));
    }
    let of = |metric, statistic| run.server.of_queue(full, metric, statistic).map(|(points, _)| points);
    Some(Queue {
        full,
        waits,
        started: of("PlacementsStarted", "Sum"),
        timed_out: of("PlacementsTimedOut", "Sum"),
        depth: of("QueueDepth", "Maximum"),
    })
}

fn of_queue(run: &Run<'_>, position: usize, felt: &Felt, queue: &Queue<'_>) -> Option<Candidate> {
    let (share, change_s, says) = match felt.symptom.what {
        SymptomKind::Slower => slower(run, felt, queue)?,
        SymptomKind::Failures | SymptomKind::Losses => given_up(felt, queue, run)?,
        SymptomKind::Unknown => return None,
    };
    if share < HALF {
        return None;
    }
    let stage = Stage::Queue(queue.full.to_owned());
    let name = run.backend.resource(&stage);
    let timeout_s = run.server.limit(LimitKind::QueueTimeoutS, queue.full).map(|limit| limit.value);
    let during = Stretch::one(felt.symptom.from_s - felt.lag_s, felt.symptom.to_s);
    let waits = during.of(&queue.waits);
    let first =
        waits.iter().find(|(_, wait)| *wait >= HALF * change_s).map_or(felt.symptom.from_s, |(at, _)| *at);
    let from_s = first.min(felt.symptom.from_s);
    let onset = Interval { from_s, to_s: from_s + queue.waits.period_s };
    let mut candidate = Candidate::new(SuspectKind::PlacementCapacity, stage, onset, felt.symptom.to_s);
    candidate.limit = timeout_s;
    candidate.observed = waits.iter().map(|(_, wait)| *wait).max_by(f64::total_cmp);
    candidate.unit = "s";
    candidate.explains.push((position, share.min(1.0)));
    candidate.evidence.push(evidence::of(
        format!("AverageWaitTime of {name}"),
        says,
        &queue.waits,
        f64::NEG_INFINITY,
        felt.symptom.to_s,
    ));
    candidate.evidence.extend(depth(queue, &during, &name));
    Some(candidate)
}

/// The share of the queue's wait in what became slower.
fn slower(run: &Run<'_>, felt: &Felt, queue: &Queue<'_>) -> Option<(f64, f64, String)> {
    // The answer to a request does not wait for its placement.
    if !felt.is_delivery() {
        return None;
    }
    let compared = Compared::of(run, felt)?;
    let change = compared.change(&queue.waits, None)?;
    let by_bound = !felt.symptom.threshold.is_empty() && compared.mean_us > felt.symptom.reference;
    let share = match change.before {
        Some(_) if change.shown => change.rise() * 1e6 / compared.rise_us(),
        None if by_bound => change.during * 1e6 / compared.mean_us,
        _ => return None,
    };
    let before = change.before.map_or_else(String::new, |before| format!(", {before:.1} s before"));
    let says = format!(
        "placements waited {:.1} s on average{before}: {:.0} % of it ({})",
        change.during,
        100.0 * share.min(1.0),
        compared.words()
    );
    Some((share, change.during, says))
}

/// The share of what failed or was lost that the queue gave up.
fn given_up(felt: &Felt, queue: &Queue<'_>, run: &Run<'_>) -> Option<(f64, f64, String)> {
    let during = Stretch::one(felt.symptom.from_s - felt.lag_s, felt.symptom.to_s);
    let total = |points: &Option<Points>| {
        points.as_ref().map_or(0.0, |points| during.of(points).iter().map(|(_, count)| count).sum())
    };
    let timed_out: f64 = total(&queue.timed_out);
    let of_class: f64 =
        felt.player.failures(run, |class| class == GIVEN_UP).iter().map(|(_, count)| count).sum();
    let matched = if felt.is_delivery() { timed_out } else { timed_out.min(of_class) };
    let share = (matched / felt.count().max(1.0)).min(1.0);
    let longest = during.of(&queue.waits).into_iter().map(|(_, wait)| wait).fold(0.0, f64::max);
    let says = format!(
        "the queue gave {timed_out:.0} of {:.0} placements up, after up to {longest:.1} s",
        total(&queue.started)
    );
    (timed_out > 0.0).then_some((share, longest, says))
}

/// The depth, beside what Little's law makes of rate and wait.
fn depth(queue: &Queue<'_>, during: &Stretch, name: &str) -> Option<reports::format::Evidence> {
    let depth = queue.depth.as_ref()?;
    let started = during.of(queue.started.as_ref()?);
    let waits = during.of(&queue.waits);
    let mean = |points: &[(f64, f64)]| {
        points.iter().map(|(_, value)| value).sum::<f64>() / points.len().max(1) as f64
    };
    let deepest = during.of(depth).into_iter().map(|(_, depth)| depth).max_by(f64::total_cmp)?;
    let little = mean(&started) / depth.period_s * mean(&waits);
    let says = format!("{deepest:.0} placements waited at most; rate times wait make {little:.0}");
    Some(evidence::of(
        format!("QueueDepth (Maximum) of {name}"),
        says,
        depth,
        f64::NEG_INFINITY,
        f64::INFINITY,
    ))
}
