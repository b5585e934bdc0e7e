//! Whether two shares differ.

use statrs::distribution::{ContinuousCDF, Discrete, Hypergeometric, Normal};

/// A part of a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// The part.
    pub part: u64,
    /// The whole.
    pub whole: u64,
}

impl Share {
    /// Its value; 0 of nothing.
    #[must_use]
    pub fn value(self) -> f64 {
        if self.whole == 0 { 0.0 } else { self.part as f64 / self.whole as f64 }
    }
}

/// Expected counts below which the normal approximation is not used (W. Cochran 1954, Biometrics 10:417).
const FEWEST: f64 = 5.0;

/// Probability of a share at least that much greater than the reference's, were both the same: the one-sided two-proportion z
/// test with the pooled share, Fisher's exact test where counts are few.
#[must_use]
pub fn greater(observed: Share, reference: Share) -> f64 {
    if observed.whole == 0 || reference.whole == 0 {
        return 1.0;
    }
    let whole = (observed.whole + reference.whole) as f64;
    let pooled = (observed.part + reference.part) as f64 / whole;
    let expected = [observed, reference].map(|share| share.whole as f64 * pooled);
    let few = expected
        .iter()
        .zip([observed, reference])
        .any(|(expected, share)| *expected < FEWEST || share.whole as f64 - *expected < FEWEST);
    if few {
        return fisher(observed, reference);
    }
    let variance = pooled * (1.0 - pooled) * (1.0 / observed.whole as f64 + 1.0 / reference.whole as f64);
    let z = (observed.value() - reference.value()) / variance.sqrt();
    Normal::standard().sf(z)
}

/// Fisher's exact test, one-sided: the hypergeometric probability of at least that many in the observed part. By logarithms: the
/// binomial coefficients themselves overflow from about a thousand on.
fn fisher(observed: Share, reference: Share) -> f64 {
    let (population, successes) = (observed.whole + reference.whole, observed.part + reference.part);
    let Ok(law) = Hypergeometric::new(population, successes, observed.whole) else { return 1.0 };
    (observed.part..=successes.min(observed.whole)).map(|part| law.ln_pmf(part).exp()).sum::<f64>().min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(part: u64, whole: u64) -> Share {
        Share { part, whole }
    }

    #[test]
    fn few_are_counted_exactly() {
        // Fisher's tea: all four of four right; 1/70.
        assert!((greater(share(4, 4), share(0, 4)) - 1.0 / 70.0).abs() < 1e-12);
        // Three of four: 17/70.
        assert!((greater(share(3, 4), share(1, 4)) - 17.0 / 70.0).abs() < 1e-12);
        // Five failures of many against none of as many: about 1/32.
        let p = greater(share(5, 10_000), share(0, 10_000));
        assert!((p - 0.031_25).abs() < 1e-3, "{p}");
    }

    #[test]
    fn many_by_the_normal_law() {
        // 60 of 100 against 40 of 100: z = 2.828, one-sided p = 0.00234.
        assert!((greater(share(60, 100), share(40, 100)) - 0.002_339).abs() < 1e-5);
        assert!(greater(share(40, 100), share(60, 100)) > 0.99);
    }

    #[test]
    fn nothing_differs_from_nothing() {
        assert_eq!(greater(share(0, 0), share(1, 2)).to_bits(), 1.0_f64.to_bits());
        assert!((greater(share(0, 50), share(0, 50)) - 1.0).abs() < 1e-12);
    }
}
