//! Answers and deliveries that took longer: a broken latency threshold, or, where a player has none, a quantile that left that of
//! the quietest phase.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use reports::format::{Phase, Symptom, SymptomKind};

use super::{ALPHA, stretch};
use crate::felt::Felt;
use crate::observed::{Bound, Broken, Player, Promise, Run};
use statistics::quantiles;

/// How far the lower end of a quantile's interval must lie above the upper end of the reference's where no threshold says what is too
/// slow: a practical margin, since with many samples the slightest difference is certain, and nobody feels it.
const MARGIN: f64 = 2.0;
/// The quantiles that are compared.
const QUANTILES: [(f64, &str); 2] = [(0.5, "p50"), (0.99, "p99")];

/// What is too slow: of whom, in which histogram, beyond which bound.
struct TooSlow {
    player: Player,
    tag: String,
    bound_us: f64,
    /// Share that may lie beyond the bound.
    allowed: f64,
    observed_us: f64,
    reference_us: f64,
    statistic: String,
    threshold: String,
    /// The phases in which it shows.
    from_s: f64,
    to_s: f64,
}

/// Every player that became slower.
pub(super) fn find(run: &Run<'_>, players: &[Player], promises: &[Promise<'_>]) -> Vec<Felt> {
    let mut slow: Vec<TooSlow> =
        promises.iter().filter_map(|promise| broken(run, promise, players)).collect();
    let has_promise = |player: &Player| {
        promises.iter().any(|promise| {
            promise.player.as_ref() == Some(player) && matches!(promise.bound, Bound::Time { .. })
        })
    };
    let free: Vec<&Player> = players.iter().filter(|player| !has_promise(player)).collect();
    slow.extend(compared(run, &free));
    let beyond = beyond(run, &slow);
    let mut felt: Vec<Felt> =
        slow.into_iter().zip(beyond).filter_map(|(slow, seconds)| felt(run, slow, &seconds)).collect();
    // One of each player: the one of which most is affected.
    felt.sort_by(|a, b| {
        (&a.player, b.count()).partial_cmp(&(&b.player, a.count())).unwrap_or(std::cmp::Ordering::Equal)
    });
    felt.dedup_by(|a, b| a.player == b.player);
    felt
}

/// A broken threshold of a time.
fn broken(run: &Run<'_>, promise: &Promise<'_>, players: &[Player]) -> Option<TooSlow> {
    let Bound::Time { tag, quantile, statistic, most_us } = &promise.bound else { return None };
    let player = promise.player.clone().filter(|player| players.contains(player))?;
    if !promise.is_broken() {
        return None;
    }
    let phase = promise.threshold.phase.as_ref();
    let phase = phase.and_then(|name| run.manifest().phases.iter().find(|phase| phase.name == *name));
    // The observed value is in the unit of the bound, which is only in the text.
    let observed_us = observed_us(run, tag, *quantile, statistic, phase);
    Some(TooSlow {
        player,
        tag: tag.clone(),
        bound_us: *most_us,
        allowed: quantile.map_or(0.0, |q| 1.0 - q),
        observed_us: observed_us.unwrap_or(*most_us),
        reference_us: *most_us,
        statistic: statistic.clone(),
        threshold: promise.threshold.expression.clone(),
        from_s: phase.map_or(f64::NEG_INFINITY, |phase| phase.start_s),
        to_s: f64::INFINITY,
    })
}

/// The statistic over the run or a phase.
fn observed_us(
    run: &Run<'_>,
    tag: &str,
    quantile: Option<f64>,
    statistic: &str,
    phase: Option<&Phase>,
) -> Option<f64> {
    let of_phase;
    let histogram = match phase {
        None => run.histogram(tag)?,
        Some(phase) => {
            of_phase = by_phase(run, &[phase], |other| other == tag).remove(&(tag.to_owned(), 0))?;
            &of_phase
        }
    };
    Some(match (quantile, statistic) {
        (Some(q), _) => histogram.value_at_quantile(q) as f64,
        (None, "mean") => histogram.mean(),
        (None, "min") => histogram.min() as f64,
        (None, _) => histogram.max() as f64,
    })
}

/// Players without a promise whose p50 or p99 left that of the quietest phase.
fn compared(run: &Run<'_>, players: &[&Player]) -> Vec<TooSlow> {
    let phases: Vec<&Phase> = run.measured().collect();
    if phases.len() < 2 || players.is_empty() {
        return Vec::new();
    }
    let tags: Vec<String> = players.iter().map(|player| player.tag()).collect();
    let histograms = by_phase(run, &phases, |tag| tags.iter().any(|known| known == tag));
    let mut slow = Vec::new();
    for (player, tag) in players.iter().zip(&tags) {
        for (q, statistic) in QUANTILES {
            let of_phases: Vec<(usize, (u64, u64))> = (0..phases.len())
                .filter_map(|phase| {
                    let histogram = histograms.get(&(tag.clone(), phase))?;
                    Some((phase, quantiles::interval(histogram, q, ALPHA)?))
                })
                .collect();
            let Some((_, (_, reference))) = of_phases.iter().min_by_key(|(_, (_, upper))| *upper) else {
                continue;
            };
            let bound_us = *reference as f64 * MARGIN;
            let left: Vec<usize> = of_phases
                .iter()
                .filter(|(_, (lower, _))| *lower as f64 > bound_us)
                .map(|(phase, _)| *phase)
                .collect();
            let Some((first, last)) = left.first().zip(left.last()) else { continue };
            let observed = left.iter().filter_map(|phase| histograms.get(&(tag.clone(), *phase)));
            let observed_us =
                observed.map(|histogram| histogram.value_at_quantile(q)).max().unwrap_or(0) as f64;
            slow.push(TooSlow {
                player: (*player).clone(),
                tag: tag.clone(),
                bound_us,
                allowed: 1.0 - q,
                observed_us,
                reference_us: *reference as f64,
                statistic: statistic.to_owned(),
                threshold: String::new(),
                from_s: phases[*first].start_s,
                to_s: if last + 1 == phases.len() { f64::INFINITY } else { phases[*last].end_s },
            });
        }
    }
    slow
}

/// Histograms by tag and phase. What comes after the last phase counts for it.
fn by_phase(
    run: &Run<'_>,
    phases: &[&Phase],
    wanted: impl Fn(&str) -> bool,
) -> BTreeMap<(String, usize), Histogram<u64>> {
    let mut merged: BTreeMap<(String, usize), Histogram<u64>> = BTreeMap::new();
    for interval in run.intervals_of(wanted) {
        let within = |phase: &&Phase| interval.start_s >= phase.start_s && interval.start_s < phase.end_s;
        let after = |n: usize| phases[n].end_s <= interval.start_s;
        let last = phases.len().checked_sub(1).filter(|&n| after(n));
        let Some(phase) = phases.iter().position(within).or(last) else { continue };
        match merged.get_mut(&(interval.tag.to_owned(), phase)) {
            // An interval that does not fit the others is left out: the folder is not trusted.
            Some(sum) => drop(sum.add(&interval.histogram)),
            None => {
                let mut first = interval.histogram;
                first.auto(true);
                merged.insert((interval.tag.to_owned(), phase), first);
            }
        }
    }
    merged
}

/// For each of them, second by second how many lay beyond its bound.
fn beyond(run: &Run<'_>, slow: &[TooSlow]) -> Vec<Vec<Broken>> {
    let mut seconds: Vec<Vec<Broken>> = slow.iter().map(|_| Vec::new()).collect();
    if slow.is_empty() {
        return seconds;
    }
    let wanted = |tag: &str| slow.iter().any(|slow| slow.tag == tag);
    for interval in run.intervals_of(wanted) {
        for (slow, seconds) in slow.iter().zip(&mut seconds) {
            let from = slow.from_s.max(0.0) - interval.length_s;
            if slow.tag != interval.tag || interval.start_s <= from || interval.start_s >= slow.to_s {
                continue;
            }
            let (whole, above) = (interval.histogram.len(), above(&interval.histogram, slow.bound_us));
            seconds.push(Broken { at_s: interval.start_s, part: above, whole });
        }
    }
    seconds.iter_mut().for_each(|seconds| seconds.sort_by(|a, b| a.at_s.total_cmp(&b.at_s)));
    seconds
}

/// How many of a histogram lie above a bound.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a bound of a time in microseconds"
)]
fn above(histogram: &Histogram<u64>, bound_us: f64) -> u64 {
    // A bucket that holds the bound is not beyond it.
    let bound = histogram.highest_equivalent(bound_us.clamp(0.0, 1e15) as u64);
    histogram
        .iter_recorded()
        .filter(|bucket| bucket.value_iterated_to() > bound)
        .map(|bucket| bucket.count_since_last_iteration())
        .sum()
}

fn felt(run: &Run<'_>, slow: TooSlow, seconds: &[Broken]) -> Option<Felt> {
    let (part, whole) = seconds.iter().fold((0, 0), |(p, w), second| (p + second.part, w + second.whole));
    let share = 0.5 * part as f64 / whole.max(1) as f64;
    let stretch = stretch::densest(seconds, share.max(slow.allowed.min(0.5)))
        .or_else(|| stretch::densest(seconds, share))?;
    let (first, last) = stretch.first().zip(stretch.last())?;
    let affected: Vec<(f64, f64)> = stretch
        .iter()
        .filter(|second| second.part > 0)
        .map(|second| (second.at_s, second.part as f64))
        .collect();
    let (operation, delivery) = match &slow.player {
        Player::Operation(name) => (Some(name.clone()), None),
        Player::Delivery(name) => (None, Some(name.clone())),
    };
    let symptom = Symptom {
        operation,
        delivery,
        what: SymptomKind::Slower,
        from_s: first.at_s,
        to_s: last.at_s + 1.0,
        observed: slow.observed_us,
        reference: slow.reference_us,
        unit: "us".to_owned(),
        statistic: slow.statistic,
        threshold: slow.threshold,
    };
    // What took that long began so much earlier.
    let slowest = run.histogram(&slow.tag).map_or(0, |histogram| histogram.value_at_quantile(0.99));
    let lag_s = (slowest.max(1) as f64 / 1e6).max(slow.bound_us / 1e6) + 1.0;
    Some(Felt { symptom, player: slow.player, affected, lag_s })
}

#[cfg(test)]
mod tests {
    use reports::folder::Tag;

    use super::*;

    #[test]
    fn above_counts_what_is_beyond() {
        let mut histogram = Histogram::<u64>::new(3).expect("a histogram");
        (1..=100).for_each(|value| histogram.record(value * 1_000).expect("fits"));
        assert_eq!(above(&histogram, 90_000.0), 10);
        assert_eq!(above(&histogram, 1e9), 0);
        assert_eq!(Tag::Each("message").to_string(), Player::Delivery("message".into()).tag());
    }
}
