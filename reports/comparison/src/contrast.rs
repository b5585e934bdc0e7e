//! The difference of two sides, and how sure it is.
//!
//! The variance of a side is that of its resampled seconds, or that which its repeated runs show, whichever is greater. How much runs differ is learnt from
//! both sides together, so that three runs of the base also say how far a single candidate may be trusted. (Resampling runs as well, as a
//! hierarchical bootstrap does, would halve that variance where a side has two of them, and lend nothing to the other.) The interval
//! is Student's, with Welch and Satterthwaite's degrees of freedom (B. Welch 1947, Biometrika 34:28): few blocks or few runs make it wide.

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::side::{Difference, Side};

/// Candidate minus base, on the scale of the difference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Contrast {
    pub(crate) difference: f64,
    error: f64,
    freedom: f64,
}

impl Contrast {
    pub(crate) fn of(base: &Side, candidate: &Side, scale: Difference) -> Self {
        let sides = [base, candidate];
        let repeats: f64 = sides.iter().map(|side| side.runs.freedom).sum();
        let squares: f64 = sides.iter().map(|side| side.runs.squares).sum();
        let between = (repeats > 0.0).then(|| (squares / repeats, repeats));
        let parts = sides.map(|side| variance(side, between));
        let sum: f64 = parts.iter().map(|(variance, _)| variance).sum();
        let weights: f64 = parts.iter().map(|(variance, freedom)| variance * variance / freedom).sum();
        Self {
            difference: scale.place(candidate.value) - scale.place(base.value),
            error: sum.sqrt(),
            freedom: if weights > 0.0 { (sum * sum / weights).max(1.0) } else { f64::MAX.sqrt() },
        }
    }

    /// The two-sided interval at a confidence.
    pub(crate) fn interval(&self, confidence: f64) -> (f64, f64) {
        let half = self.law().map_or(f64::INFINITY, |law| law.inverse_cdf(f64::midpoint(1.0, confidence)));
        let half = if self.error > 0.0 { half * self.error } else { 0.0 };
        (self.difference - half, self.difference + half)
    }

    /// Probability of a difference as far beyond the margin, either way, were it no greater than the margin.
    pub(crate) fn beyond(&self, margin: f64) -> f64 {
        let excess = self.difference.abs() - margin;
        if excess <= 0.0 {
            return 1.0;
        }
        if self.error <= 0.0 {
            return 0.0;
        }
        self.law().map_or(1.0, |law| (2.0 * law.sf(excess / self.error)).min(1.0))
    }

    fn law(&self) -> Option<StudentsT> {
        // Beyond that it is the normal law.
        StudentsT::new(0.0, 1.0, self.freedom.min(1e6)).ok()
    }
}

/// Variance of a side and its degrees of freedom, where runs vary by `between`.
fn variance(side: &Side, between: Option<(f64, f64)>) -> (f64, f64) {
    let Some((mean_square, freedom)) = between else { return (side.within, side.freedom) };
    let by_runs = mean_square * side.runs.concentration;
    if by_runs >= side.within {
        return (by_runs, freedom);
    }
    // What few runs say may be low by chance: they lend their uncertainty the more, the nearer it comes.
    let lent = if by_runs > 0.0 { freedom * (side.within / by_runs).powi(2) } else { f64::INFINITY };
    (side.within, lent.min(side.freedom))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::side::Runs;

    fn side(value: f64, within: f64, freedom: f64, runs: &[f64]) -> Side {
        let runs: Vec<(f64, f64)> = runs.iter().map(|place| (*place, 1.0)).collect();
        Side { value, within, freedom, runs: Runs::of(&runs), samples: 0, block_s: 1.0 }
    }

    #[test]
    fn welch_s_example() {
        // Variances of the means 4 and 9 with 9 and 4 degrees of freedom: 169 / (16/9 + 81/4) = 7.67; t(0.975) = 2.324.
        let contrast =
            Contrast::of(&side(10.0, 4.0, 9.0, &[0.0]), &side(12.0, 9.0, 4.0, &[0.0]), Difference::Absolute);
        assert!((contrast.freedom - 7.672).abs() < 1e-3, "{contrast:?}");
        let (low, high) = contrast.interval(0.95);
        assert!((high - 2.0 - 2.3236 * 13.0_f64.sqrt()).abs() < 1e-2 && (low + high - 4.0).abs() < 1e-9);
        assert!((contrast.beyond(2.0) - 1.0).abs() < 1e-12);
        assert!(contrast.beyond(0.0) < 1.0 && contrast.beyond(0.0) > contrast.beyond(-1.0));
    }

    #[test]
    fn repeats_widen_what_one_run_would_have_said_and_serve_the_other_side() {
        let alone = side(1.0, 1e-6, 100.0, &[0.0]);
        let narrow = Contrast::of(&alone, &alone, Difference::Absolute).interval(0.95);
        // Three runs that lie a tenth apart: mean square 0.01, two degrees of freedom, t(0.975) = 4.303.
        let repeated = side(1.0, 1e-6, 100.0, &[0.9, 1.0, 1.1]);
        let (low, high) = Contrast::of(&repeated, &alone, Difference::Absolute).interval(0.95);
        assert!(narrow.1 < 0.01);
        let wanted = (0.01_f64 / 3.0 + 0.01).sqrt();
        assert!(high > 2.9 * wanted && (low + high).abs() < 1e-12, "{high} {wanted}");
    }

    #[test]
    fn what_does_not_vary_is_sure() {
        let fixed = |value| side(value, 0.0, 1.0, &[0.0]);
        let same = Contrast::of(&fixed(3.0), &fixed(3.0), Difference::Relative);
        assert_eq!((same.interval(0.95), same.beyond(0.01)), ((0.0, 0.0), 1.0));
        let more = Contrast::of(&fixed(3.0), &fixed(4.0), Difference::Relative);
        assert!(more.beyond(0.01) == 0.0 && (Difference::Relative.shown(more.difference) - 1.0 / 3.0).abs() < 1e-12);
    }
}
