//! A backlog: what waits grows while more comes in than goes out.
//!
//! The age of what a queue hands out rises by `1 - μ/λ` seconds a second while λ comes in and μ goes out, and by one second a second
//! while nothing goes out. A short excess that is worked off again is no backlog, and neither is a saw tooth of batching
//! windows: the rise has to last for at least three periods, with a slope whose interval lies above 0.

use crate::compare::{Second, seconds};
use crate::felt::Felt;
use crate::interval::Interval;
use crate::observed::{Points, Run};
use statistics::slope::{Slope, theil_sen};

/// Fewest periods over which an age has to rise.
const FEWEST: usize = 3;
/// Level of the slope's interval.
const ALPHA: f64 = 0.05;
/// Most points that a slope is taken of: beyond that it costs more than it tells.
const MOST: usize = 300;

/// A rise of an age.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rise {
    /// From where it begins to where the age is greatest.
    pub(super) when: Interval,
    /// When the age was back at its beginning, or the last that is known.
    pub(super) end_s: f64,
    /// The period in which it begins.
    pub(super) onset: Interval,
    /// Seconds a second.
    pub(super) slope: Slope,
    /// The greatest age in seconds.
    pub(super) greatest_s: f64,
}

/// The rise to the greatest age that falls into a symptom's time and what led to it; ages in milliseconds. `None` where it does not
/// last or its slope may be 0.
pub(super) fn rise(ages: &Points, felt: &Felt) -> Option<Rise> {
    let known: Vec<(f64, f64)> = ages.known().map(|(at, ms)| (at, ms / 1e3)).collect();
    let (from_s, to_s) = (felt.symptom.from_s - felt.lag_s - ages.period_s, felt.symptom.to_s);
    let inside = |at: f64| at + ages.period_s > from_s && at < to_s;
    let peak = (0..known.len())
        .filter(|&n| inside(known[n].0))
        .max_by(|&a, &b| known[a].1.total_cmp(&known[b].1))?;
    let greatest_s = known[peak].1;
    let floor = known[..=peak].iter().map(|(_, age)| *age).fold(f64::INFINITY, f64::min);
    // It begins where the age was last near its floor: within a tenth of the way up.
    let low = floor + 0.1 * (greatest_s - floor);
    let begin = known[..=peak].iter().rposition(|(_, age)| *age <= low)?;
    let stretch = &known[begin..=peak];
    if stretch.len() < FEWEST {
        return None;
    }
    let step = stretch.len().div_ceil(MOST);
    let thinned: Vec<(f64, f64)> = stretch.iter().step_by(step).copied().collect();
    let slope = theil_sen(&thinned, ALPHA).filter(|slope| slope.low > 0.0)?;
    let end_s =
        known[peak..].iter().find(|(_, age)| *age <= low).or(known.last()).map_or(to_s, |(at, _)| *at);
    // From there the slope leads back to the floor.
    let before_s = ((known[begin].1 - floor) / slope.value / ages.period_s).ceil() * ages.period_s;
    let from_s = (known[begin].0 - before_s).max(known[0].0);
    let onset = Interval { from_s, to_s: from_s + ages.period_s };
    let when = Interval { from_s: known[begin].0, to_s: known[peak].0 + ages.period_s };
    Some(Rise { when, end_s: end_s.max(when.to_s), onset, slope, greatest_s })
}

/// What came in and went out per second during a rise, as players count it.
pub(super) struct Flow {
    /// Called for, per second.
    pub(super) in_s: f64,
    /// Delivered, per second.
    pub(super) out_s: f64,
    /// Whether as much was left over as the age says: by Little's law what waits is what goes out per second times the age.
    pub(super) agrees: bool,
}

impl Flow {
    /// Until nothing more is called for: what waits then is worked off, while its age still rises.
    pub(super) fn during(run: &Run<'_>, felt: &Felt, rise: &Rise) -> Self {
        let seconds: Vec<Second> = seconds(run, &felt.player)
            .into_iter()
            .filter(|second| second.at_s + 1.0 > rise.when.from_s && second.at_s < rise.when.to_s)
            .collect();
        let most = seconds.iter().map(|second| second.offered).fold(0.0, f64::max);
        let last = seconds.iter().rposition(|second| second.offered >= 0.5 * most).map_or(0, |last| last + 1);
        let length = (last as f64).max(1.0);
        let sum = |of: fn(&Second) -> f64| seconds[..last].iter().map(of).sum::<f64>();
        let (into, out) = (sum(|second| second.offered), sum(|second| second.count));
        let waits = out / length * rise.slope.value * length;
        Self { in_s: into / length, out_s: out / length, agrees: into - out >= 0.5 * waits && into > out }
    }

    /// The slope that they make: seconds of age a second.
    pub(super) fn slope(&self) -> f64 {
        if self.in_s > 0.0 { (1.0 - self.out_s / self.in_s).max(0.0) } else { 0.0 }
    }
}

/// Share of what is affected at whose time the age accounts for at least half of what the player waited: for something slow half of
/// the second's mean, for what was lost or late half of the time after which it is.
pub(super) fn explained(run: &Run<'_>, felt: &Felt, ages: &Points) -> f64 {
    let given_up_s =
        run.summary.deliveries.get(felt.player.name()).and_then(|delivery| delivery.lost_after_s);
    let seconds = seconds(run, &felt.player);
    let waited_s = |at: f64| {
        let second = seconds.binary_search_by(|second| second.at_s.total_cmp(&at)).ok().map(|n| seconds[n]);
        second.filter(|second| second.count > 0.0).map(|second| second.mean_us / 1e6)
    };
    let is_slow = felt.symptom.what == reports::format::SymptomKind::Slower;
    let accounts = |at: f64| {
        let (back_s, needed_s) = match (is_slow, given_up_s) {
            (true, _) => (waited_s(at).unwrap_or(0.0), waited_s(at)),
            (false, Some(given_up)) => (felt.lag_s, Some(given_up)),
            (false, None) => (felt.lag_s, Some(felt.lag_s)),
        };
        let age_s = ages.greatest(at - back_s - ages.period_s, at + 1.0).map(|ms| ms / 1e3);
        age_s.zip(needed_s).is_some_and(|(age, needed)| age >= 0.5 * needed)
    };
    let of_age: f64 = felt.affected.iter().filter(|(at, _)| accounts(*at)).map(|(_, count)| count).sum();
    of_age / felt.count().max(1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reports::format::{Symptom, SymptomKind};

    use super::*;
    use crate::observed::{Player, Point};

    fn felt(from_s: f64, to_s: f64) -> Felt {
        let symptom = Symptom { what: SymptomKind::Slower, from_s, to_s, ..Symptom::default() };
        Felt {
            symptom,
            player: Player::Delivery("message".into()),
            affected: vec![(from_s, 1.0)],
            lag_s: 2.0,
        }
    }

    fn ages(period_s: f64, values: impl Iterator<Item = f64>) -> Points {
        let point = |(n, value)| Point { at_s: n as f64 * period_s, value: Some(value) };
        Points { period_s, points: values.enumerate().map(point).collect() }
    }

    #[test]
    fn the_onset_is_where_the_slope_begins() {
        // Flat at 20 ms for 30 s, then 0.243 s/s for 40 s (facts: lanes at 1.32 of their capacity), then worked off.
        let points = ages(
            1.0,
            (0..100_u32).map(|n| match n {
                0..30 => 20.0,
                30..70 => 20.0 + 243.0 * f64::from(n - 29),
                _ => (9_740.0 - 600.0 * f64::from(n - 69)).max(20.0),
            }),
        );
        let rise = rise(&points, &felt(40.0, 80.0)).expect("it rises");
        assert!((28.0..=30.0).contains(&rise.onset.from_s), "{rise:?}");
        assert!((rise.slope.value - 0.243).abs() < 0.001 && rise.slope.low > 0.2, "{rise:?}");
        assert!((rise.greatest_s - 9.74).abs() < 1e-9 && rise.end_s > 75.0, "{rise:?}");
    }

    #[test]
    fn a_saw_tooth_of_batching_windows_is_no_backlog() {
        // A window of 2 s at one-second points: up, down, up, down.
        let points = ages(1.0, (0..60_u32).map(|n| if n % 2 == 0 { 100.0 } else { 2_000.0 }));
        assert_eq!(rise(&points, &felt(20.0, 50.0)), None);
        let points = ages(60.0, (0..10_u32).map(|n| 2_000.0 + f64::from(n % 2)));
        assert_eq!(rise(&points, &felt(120.0, 500.0)), None);
    }

    #[test]
    fn three_minutes_are_enough_and_two_are_not() {
        let points = ages(60.0, [30.0, 30.0, 15_000.0, 31_000.0, 45_000.0].into_iter());
        let found = rise(&points, &felt(150.0, 300.0)).expect("it rises");
        assert!((found.slope.value - 0.25).abs() < 0.02, "{found:?}");
        assert_eq!(rise(&ages(60.0, [30.0, 15_000.0].into_iter()), &felt(60.0, 120.0)), None);
    }

    proptest! {
        #[test]
        fn whatever_the_ages_a_rise_begins_before_its_peak(
            values in prop::collection::vec(0.0_f64..1e9, 0..80), from in 0_u8..60, length in 1_u8..60
        ) {
            let symptom = felt(f64::from(from), f64::from(from) + f64::from(length));
            if let Some(found) = rise(&ages(1.0, values.iter().copied()), &symptom) {
                prop_assert!(found.slope.low > 0.0 && found.slope.value <= found.slope.high);
                prop_assert!(found.onset.from_s <= found.when.from_s && found.when.from_s < found.when.to_s);
                prop_assert!(found.end_s >= found.when.to_s);
            }
        }

        #[test]
        fn a_steeper_backlog_has_a_steeper_slope(slope in 1_u32..900, more in 1_u32..100) {
            let of = |slope: u32| {
                let points = ages(1.0, (0..40_u32).map(|n| f64::from(slope) * f64::from(n.saturating_sub(9))));
                rise(&points, &felt(15.0, 40.0)).map(|found| found.slope.value)
            };
            prop_assert!(of(slope) < of(slope + more));
        }
    }
}
