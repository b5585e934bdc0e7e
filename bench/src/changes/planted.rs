//! Changes at known places in noise, found by both methods; and series without any.

use std::ops::RangeInclusive;
use std::thread;

use statistics::changes::{self, Bar};

use super::hunter::{Hunter, hunter};
use super::noise::Noise;
use super::score::Score;

/// Points of a series.
const LENGTH: usize = 50;
/// Where changes are planted: five points at least on each side.
const PLACES: RangeInclusive<usize> = 5..=45;
/// How far from it a told place still is the planted one.
pub(super) const MARGIN: usize = 2;
/// The level, in noise widths: a width is 4 % of it.
const LEVEL: f64 = 25.0;
/// Planted changes, in noise widths.
pub(super) static SHIFTS: [f64; 4] = [1.5, 2.0, 3.0, 5.0];
/// The change of which F1 must be at least [`LEAST_F1`].
pub(super) const JUDGED: f64 = 3.0;
/// Least F1 at that change.
pub(super) const LEAST_F1: f64 = 0.9;
/// Most series without change in which one is told.
pub(super) const MOST_ALARMS: f64 = 0.05;

/// How changes are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `statistics::changes`, by default one series in twenty, and 1 %.
    Ours,
    /// Hunter as published, by default p < 0.001.
    Hunter,
}

impl Method {
    /// The places.
    #[must_use]
    pub fn places(self, values: &[f64]) -> Vec<usize> {
        match self {
            Self::Ours => changes::changes(values, Bar::default()).iter().map(|change| change.at).collect(),
            Self::Hunter => hunter(values, Hunter { min_effect: 0.01, ..Hunter::default() }),
        }
    }
}

/// What came of one kind of noise.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Its name.
    pub noise: String,
    /// Whether the promises are made for it.
    pub promised: bool,
    /// Share of the series without change in which one was told.
    pub alarms: f64,
    /// For each planted change in noise widths, how well it was found.
    pub scores: Vec<(f64, Score)>,
}

impl Case {
    fn make(noise: &Noise, method: Method, seeds: u64, shifts: &[f64]) -> Self {
        let unchanged = (0..seeds).map(|seed| level(&noise.series(LENGTH, seed)));
        let alarms = unchanged.filter(|series| !method.places(series).is_empty()).count();
        let scores =
            shifts.iter().map(|shift| (*shift, Self::planted(noise, method, seeds, *shift))).collect();
        Self {
            noise: noise.name(),
            promised: noise.is_promised(),
            alarms: alarms as f64 / seeds as f64,
            scores,
        }
    }

    fn planted(noise: &Noise, method: Method, seeds: u64, shift: f64) -> Score {
        let places = PLACES.count() as u64;
        let one = |seed: u64| {
            // Every place, in turn; up and down.
            let at = PLACES.start() + (seed * 7 % places) as usize;
            let shift = if seed.is_multiple_of(2) { shift } else { -shift };
            // Seeds of their own: not the noise in which alarms were counted.
            let mut series = level(&noise.series(LENGTH, 1_000_000 + seed));
            series[at..].iter_mut().for_each(|value| *value += shift);
            Score::of(&[at], &method.places(&series), MARGIN)
        };
        (0..seeds).map(one).fold(Score::default(), Score::with)
    }

    /// F1 at [`JUDGED`] noise widths.
    #[must_use]
    pub fn judged(&self) -> f64 {
        self.scores.iter().find(|(shift, _)| *shift == JUDGED).map_or(0.0, |(_, score)| score.f1())
    }
}

fn level(noise: &[f64]) -> Vec<f64> {
    noise.iter().map(|value| LEVEL + value).collect()
}

/// All kinds of noise, both methods.
#[derive(Debug, Clone, PartialEq)]
pub struct Proof {
    /// Series of each kind.
    pub seeds: u64,
    /// By `statistics::changes`.
    pub ours: Vec<Case>,
    /// By Hunter as published, on the same series.
    pub hunter: Vec<Case>,
}

impl Proof {
    /// Makes it of `seeds` series of each kind.
    #[must_use]
    pub fn make(noises: &[Noise], seeds: u64) -> Self {
        let by = |method, shifts: &'static [f64]| -> Vec<Case> {
            thread::scope(|scope| {
                let cases: Vec<_> = noises
                    .iter()
                    .map(|noise| scope.spawn(move || Case::make(noise, method, seeds, shifts)))
                    .collect();
                cases.into_iter().map(|case| case.join().expect("no case panics")).collect()
            })
        };
        Self { seeds, ours: by(Method::Ours, &SHIFTS), hunter: by(Method::Hunter, &[JUDGED]) }
    }

    /// Whether every kind of noise keeps both promises.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.ours
            .iter()
            .filter(|case| case.promised)
            .all(|case| case.judged() >= LEAST_F1 && case.alarms < MOST_ALARMS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::changes::recorded::Recorded;

    #[test]
    fn a_fixed_part_of_the_proof_holds() {
        let recorded = Recorded::kept().into_iter().map(Noise::Recorded);
        let noises: Vec<Noise> =
            [Noise::White, Noise::Slow(0.2), Noise::Skewed].into_iter().chain(recorded).collect();
        for noise in &noises {
            let case = Case::make(noise, Method::Ours, 60, &[JUDGED]);
            // 60 series: a promise of 0.9 and 5 % with room for their chance.
            assert!(case.judged() >= 0.85 && case.alarms <= 0.1, "{case:?}");
        }
    }
}
