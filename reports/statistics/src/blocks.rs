//! Resampling a series whose neighbours resemble each other: blocks instead of points, and how long they have to be.

use std::ops::Range;

use rand::{Rng, RngExt as _};

/// Longest lag at which neighbours still have to be told from noise, at least (as in the authors' own code).
const FEWEST_LAGS: usize = 5;

/// The best length of a block of the moving (circular) block bootstrap of a mean, in points: `(2 G² / D)^(1/3) n^(1/3)` with
/// `G = Σ |k| R(k)` and `D = 4/3 (Σ R(k))²`, where the autocovariances `R` are tapered by a flat-top window up to twice the lag from which on
/// they are noise (D. Politis, H. White 2004, Econometric Reviews 23:53; corrected by A. Patton, D. Politis, H. White 2009, 28:372).
/// Between 1 and `min(3 √n, n/3)`.
#[must_use]
pub fn block_length(series: &[f64]) -> f64 {
    let n = series.len();
    if n < 3 {
        return 1.0;
    }
    let count = n as f64;
    let mean = series.iter().sum::<f64>() / count;
    let centred: Vec<f64> = series.iter().map(|value| value - mean).collect();
    let covariance = |lag: usize| {
        centred.iter().zip(&centred[lag..]).map(|(earlier, later)| earlier * later).sum::<f64>() / count
    };
    let variance = covariance(0);
    if variance <= 0.0 {
        return 1.0;
    }
    let longest = (3.0 * count.sqrt()).min(count / 3.0).ceil().max(1.0);
    let lags = last_lag(&covariance, n);
    let (mut slope, mut sum) = (0.0, variance);
    for lag in 1..=lags.min(n - 1) {
        let taper = (2.0 * (1.0 - lag as f64 / lags as f64)).min(1.0);
        let both = 2.0 * taper * covariance(lag);
        slope += lag as f64 * both;
        sum += both;
    }
    let spread = 4.0 / 3.0 * sum * sum;
    if spread <= 0.0 {
        return 1.0;
    }
    ((2.0 * slope * slope / spread).cbrt() * count.cbrt()).clamp(1.0, longest)
}

/// Twice the lag after which several autocorrelations in a row are within `2 √(log10 n / n)` of zero.
fn last_lag(covariance: &dyn Fn(usize) -> f64, n: usize) -> usize {
    let count = n as f64;
    let in_a_row = FEWEST_LAGS.max(floor(count.log10().sqrt()));
    let most = floor(count.sqrt().ceil()) + in_a_row;
    let noise = 2.0 * (count.log10() / count).sqrt() * covariance(0);
    let quiet = |lag: usize| lag >= n || covariance(lag).abs() < noise;
    let first = (0..=most).find(|lag| (1..=in_a_row).all(|next| quiet(lag + next)));
    first.map_or(most, |lag| 2 * lag.max(1)).min(most)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
fn floor(value: f64) -> usize {
    value as usize
}

/// How a series is resampled: each stretch of it for itself, in blocks on a circle, so that every point is drawn as often as any other
/// (D. Politis, J. Romano 1992). A stretch is what has a level of its own, like a phase of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Blocks {
    /// Beginning, points and length of a block of each stretch.
    stretches: Vec<(usize, usize, usize)>,
}

impl Blocks {
    /// Blocks of `length` points, and of a third of a stretch that is too short for three of them.
    #[must_use]
    pub fn new(stretches: &[Range<usize>], length: f64) -> Self {
        let of = |stretch: &Range<usize>| {
            let points = stretch.len();
            (stretch.start, points, floor(length.ceil()).clamp(1, points.div_ceil(3).max(1)))
        };
        Self { stretches: stretches.iter().filter(|stretch| !stretch.is_empty()).map(of).collect() }
    }

    /// How many blocks there are.
    #[must_use]
    pub fn count(&self) -> f64 {
        self.stretches.iter().map(|(_, points, length)| *points as f64 / *length as f64).sum()
    }

    /// The degrees of freedom of a variance over them: each stretch has a mean of its own. At least 1.
    #[must_use]
    pub fn freedom(&self) -> f64 {
        (self.count() - self.stretches.len() as f64).max(1.0)
    }

    /// What the variance of a resampled mean has to be multiplied by: blocks vary about the mean of the series itself, which takes a degree of freedom
    /// of each stretch.
    #[must_use]
    pub fn correction(&self) -> f64 {
        self.count() / self.freedom()
    }

    /// The longest block, in points.
    #[must_use]
    pub fn longest(&self) -> usize {
        self.stretches.iter().map(|(_, _, length)| *length).max().unwrap_or(1)
    }

    /// One resample, as ranges of points of the series; as many points as the series has. `pieces` is emptied before.
    pub fn draw(&self, dice: &mut impl Rng, pieces: &mut Vec<Range<usize>>) {
        pieces.clear();
        for &(begin, points, length) in &self.stretches {
            let mut left = points;
            while left > 0 {
                let wanted = length.min(left);
                let start = dice.random_range(0..points);
                let before_end = wanted.min(points - start);
                pieces.push(begin + start..begin + start + before_end);
                if wanted > before_end {
                    pieces.push(begin..begin + wanted - before_end);
                }
                left -= wanted;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;
    use crate::simulation::Draw;

    #[test]
    fn the_length_is_that_of_theory() {
        // AR(1): G = 2 φ/(1-φ)² and Σ R = (1+φ)/(1-φ) in units of the variance, so (3/2 (2 φ/(1-φ²))²)^(1/3) n^(1/3).
        let mut draw = Draw(11);
        for (phi, n) in [(0.3_f64, 20_000_usize), (0.7, 20_000)] {
            let wanted = (1.5 * (2.0 * phi / (1.0 - phi * phi)).powi(2)).cbrt() * (n as f64).cbrt();
            let lengths: f64 = (0..8).map(|_| block_length(&draw.ar1(n, phi))).sum::<f64>() / 8.0;
            assert!((lengths / wanted - 1.0).abs() < 0.15, "{phi}: {lengths} of {wanted}");
        }
    }

    #[test]
    fn white_noise_needs_short_blocks_and_short_series_have_them() {
        let mut draw = Draw(5);
        let mean = (0..40).map(|_| block_length(&draw.ar1(600, 0.0))).sum::<f64>() / 40.0;
        assert!(mean < 5.0, "{mean}");
        assert_eq!([&[][..], &[1.0, 2.0], &[3.0; 50]].map(block_length), [1.0; 3]);
        assert!(block_length(&(0..30).map(f64::from).collect::<Vec<_>>()) <= 10.0);
    }

    #[test]
    fn the_variance_of_a_mean_is_found() {
        // Σ R of AR(1) with φ = 0.5 and noise of variance 1: 1/(1-φ)² = 4; of 2,000 points: 0.002.
        let mut draw = Draw(3);
        let mut dice = StdRng::seed_from_u64(1);
        let mut found = 0.0;
        for _ in 0..10 {
            let series = draw.ar1(2_000, 0.5);
            let blocks = Blocks::new(&[0..series.len()], block_length(&series));
            let mut pieces = Vec::new();
            let means: Vec<f64> = (0..400)
                .map(|_| {
                    blocks.draw(&mut dice, &mut pieces);
                    pieces.iter().flat_map(|piece| &series[piece.clone()]).sum::<f64>() / series.len() as f64
                })
                .collect();
            let mean = means.iter().sum::<f64>() / 400.0;
            found += means.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 399.0;
        }
        let found = found / 10.0;
        assert!((0.0016..0.0023).contains(&found), "{found}");
    }

    proptest! {
        #[test]
        fn every_resample_has_as_many_points_of_each_stretch(
            first in 1_usize..40, second in 0_usize..40, length in 0.5_f64..50.0, seed in any::<u64>()
        ) {
            let stretches = [0..first, first..first + second];
            let blocks = Blocks::new(&stretches, length);
            let mut pieces = Vec::new();
            blocks.draw(&mut StdRng::seed_from_u64(seed), &mut pieces);
            for stretch in stretches {
                let within = pieces.iter().filter(|piece| stretch.contains(&piece.start));
                prop_assert!(within.clone().all(|piece| piece.end <= stretch.end));
                prop_assert_eq!(within.map(Range::len).sum::<usize>(), stretch.len());
            }
            prop_assert!(blocks.correction() >= 1.0);
        }
    }
}
