//! Noise without change, of mean 0 and standard deviation 1.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use super::recorded::Recorded;

/// Where the noise comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Noise {
    /// Independent and normal.
    White,
    /// Neighbours resemble each other: autoregressive, with this correlation.
    Slow(f64),
    /// Student's t with three degrees of freedom: outliers on both sides.
    HeavyTails,
    /// Log-normal: times are never below the best, and often above it.
    Skewed,
    /// One night in twenty is six times its noise too slow.
    BadNights,
    /// As recorded of a bench, in any order: a point each night has not the neighbours of one that follows at once.
    Recorded(Recorded),
    /// As recorded of a bench, one measurement right after the other.
    BackToBack(Recorded),
}

impl Noise {
    /// Those that are made.
    pub const MADE: [Self; 6] =
        [Self::White, Self::Slow(0.2), Self::HeavyTails, Self::Skewed, Self::BadNights, Self::Slow(0.5)];

    /// Whether the promises are made for it: not where neighbours resemble each other so much that 50 points count for 17 or fewer.
    #[must_use]
    pub fn is_promised(&self) -> bool {
        match self {
            Self::Slow(r) => *r <= 0.3,
            // What else the machine does has levels of its own.
            Self::BackToBack(_) => false,
            Self::White | Self::HeavyTails | Self::Skewed | Self::BadNights | Self::Recorded(_) => true,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::White => "independent, normal".into(),
            Self::Slow(r) => format!("neighbours correlated by {r}"),
            Self::HeavyTails => "heavy tails (t, 3 degrees)".into(),
            Self::Skewed => "skewed (log-normal)".into(),
            Self::BadNights => "one bad night in twenty".into(),
            Self::Recorded(recorded) => format!("recorded, `{}`", recorded.bench),
            Self::BackToBack(recorded) => format!("the same back to back, `{}`", recorded.bench),
        }
    }

    /// A series of `length` points; the same for the same seed.
    #[must_use]
    pub fn series(&self, length: usize, seed: u64) -> Vec<f64> {
        let mut dice = Dice(StdRng::seed_from_u64(seed));
        match self {
            Self::White => dice.many(length, Dice::normal),
            Self::Slow(r) => {
                let mut last = dice.normal();
                dice.many(length, |dice| {
                    last = r * last + (1.0 - r * r).sqrt() * dice.normal();
                    last
                })
            }
            Self::HeavyTails => dice.many(length, |dice| {
                let square: f64 = (0..3).map(|_| dice.normal().powi(2)).sum();
                // Its variance is 3.
                dice.normal() / (square / 3.0).sqrt() / 3.0_f64.sqrt()
            }),
            Self::Skewed => {
                const SHAPE: f64 = 0.6;
                let (mean, variance) =
                    ((SHAPE * SHAPE / 2.0).exp(), ((SHAPE * SHAPE).exp() - 1.0) * (SHAPE * SHAPE).exp());
                dice.many(length, |dice| ((SHAPE * dice.normal()).exp() - mean) / variance.sqrt())
            }
            Self::BadNights => {
                const SHARE: f64 = 0.05;
                const SIZE: f64 = 6.0;
                let spread = (1.0 + SHARE * (1.0 - SHARE) * SIZE * SIZE).sqrt();
                dice.many(length, |dice| {
                    let bad = if dice.uniform() < SHARE { SIZE } else { 0.0 };
                    (dice.normal() + bad - SHARE * SIZE) / spread
                })
            }
            Self::Recorded(recorded) => {
                let drawn = recorded.values.sample(&mut dice.0, length);
                drawn.map(|value| (value - recorded.mean()) / recorded.spread()).collect()
            }
            Self::BackToBack(recorded) => {
                let last = recorded.values.len().saturating_sub(length);
                let from = dice.0.random_range(0..=last);
                let stretch = recorded.values.iter().skip(from).take(length);
                stretch.map(|value| (value - recorded.mean()) / recorded.spread()).collect()
            }
        }
    }
}

struct Dice(StdRng);

impl Dice {
    fn uniform(&mut self) -> f64 {
        self.0.random()
    }

    /// G. Box, M. Muller 1958.
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    fn many(&mut self, length: usize, mut draw: impl FnMut(&mut Self) -> f64) -> Vec<f64> {
        (0..length).map(|_| draw(self)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_of_unit_width() {
        for noise in Noise::MADE {
            let values = noise.series(60_000, 3);
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let spread =
                (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt();
            assert!(mean.abs() < 0.03 && (spread - 1.0).abs() < 0.15, "{}: {mean} {spread}", noise.name());
            assert_eq!(noise.series(5, 1), noise.series(5, 1));
        }
    }
}
