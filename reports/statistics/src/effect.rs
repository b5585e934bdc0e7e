//! How great a difference is, apart from how sure it is.

/// A distribution in bins: a value, ascending, and how many samples have it.
pub type Counted = [(u64, u64)];

/// Cliff's delta (N. Cliff 1993, Psychological Bulletin 114:494): the probability that a sample of `b` is greater than one of `a`, minus that it
/// is less. -1 to 1; `None` where either is empty.
#[must_use]
pub fn cliffs_delta(a: &Counted, b: &Counted) -> Option<f64> {
    let total = |side: &Counted| side.iter().map(|(_, count)| *count as f64).sum::<f64>();
    let (of_a, of_b) = (total(a), total(b));
    if of_a == 0.0 || of_b == 0.0 {
        return None;
    }
    let (mut place, mut below, mut sum) = (0, 0.0, 0.0);
    for (value, count) in b {
        while place < a.len() && a[place].0 < *value {
            below += a[place].1 as f64;
            place += 1;
        }
        let equal = if place < a.len() && a[place].0 == *value { a[place].1 as f64 } else { 0.0 };
        sum += *count as f64 * (below - (of_a - below - equal));
    }
    Some((sum / (of_a * of_b)).clamp(-1.0, 1.0))
}

/// Cohen's h of two shares (J. Cohen 1988, Statistical Power Analysis, 6.2): the difference of their arcsine transforms, `b` minus `a`.
#[must_use]
pub fn cohens_h(a: f64, b: f64) -> f64 {
    let angle = |share: f64| 2.0 * share.clamp(0.0, 1.0).sqrt().asin();
    angle(b) - angle(a)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::FRAC_PI_6;

    use super::*;

    #[test]
    fn dominance_is_counted() {
        // {1, 2, 3} against {2, 3, 4}: of nine pairs six are greater, one is less, two are equal.
        let delta = cliffs_delta(&[(1, 1), (2, 1), (3, 1)], &[(2, 1), (3, 1), (4, 1)]);
        assert!((delta.expect("samples") - 5.0 / 9.0).abs() < 1e-12);
        assert_eq!(cliffs_delta(&[(1, 5)], &[(2, 7)]), Some(1.0));
        assert_eq!(cliffs_delta(&[(2, 5)], &[(1, 7)]), Some(-1.0));
        assert_eq!(cliffs_delta(&[(2, 5)], &[(2, 7)]), Some(0.0));
        assert_eq!(cliffs_delta(&[], &[(2, 7)]), None);
    }

    #[test]
    fn shares_by_cohens_table() {
        // Cohen 1988, table 6.2.1: 0.25 and 0.5 are 0.524 (a sixth of π) apart, 0.05 and 0.1 are 0.193.
        assert!((cohens_h(0.25, 0.5) - FRAC_PI_6).abs() < 1e-12);
        assert!((cohens_h(0.05, 0.1) - 0.1925).abs() < 1e-3);
        assert!((cohens_h(0.5, 0.25) + FRAC_PI_6).abs() < 1e-12);
    }
}
