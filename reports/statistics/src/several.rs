//! Several tests at once.

/// Holm's adjusted probabilities (S. Holm 1979, Scand. J. Stat. 6:65), in the order given: reject where one is at most the level,
/// and any false rejection among all of them has that probability, however they depend on each other.
#[must_use]
pub fn holm(probabilities: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
    let mut adjusted = vec![0.0; probabilities.len()];
    let mut greatest = 0.0_f64;
    for (place, &i) in order.iter().enumerate() {
        let factor = (probabilities.len() - place) as f64;
        greatest = greatest.max((probabilities[i] * factor).min(1.0));
        adjusted[i] = greatest;
    }
    adjusted
}

/// Benjamini and Hochberg's adjusted probabilities (Y. Benjamini, Y. Hochberg 1995, J. R. Stat. Soc. B 57:289), in the order given: reject where
/// one is at most the level, and the false ones are expected to be at most that share of all rejections. Where nothing differs any
/// rejection is false, so that there is one with at most that probability. Holds for independent tests and for those that rise together.
#[must_use]
pub fn benjamini_hochberg(probabilities: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    let count = probabilities.len() as f64;
    let mut adjusted = vec![1.0; probabilities.len()];
    let mut least = 1.0_f64;
    for (place, &i) in order.iter().enumerate() {
        least = least.min(probabilities[i] * count / (count - place as f64));
        adjusted[i] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_worked_example() {
        // Four tests, as textbooks have it: 0.01, 0.04, 0.03, 0.005 become 0.03, 0.06, 0.06, 0.02.
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (value, expected) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((value - expected).abs() < 1e-12, "{adjusted:?}");
        }
        assert!(holm(&[]).is_empty());
    }

    #[test]
    fn the_fifteen_of_the_paper() {
        // Benjamini and Hochberg 1995, 3.2: of fifteen tests four are rejected at 0.05, where Bonferroni and Hochberg reject three.
        let of_the_paper = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719,
            0.6528, 0.7590, 1.0,
        ];
        let adjusted = benjamini_hochberg(&of_the_paper);
        assert_eq!(adjusted.iter().filter(|p| **p <= 0.05).count(), 4);
        assert_eq!(holm(&of_the_paper).iter().filter(|p| **p <= 0.05).count(), 3);
        assert!((adjusted[0] - 0.0015).abs() < 1e-12 && (adjusted[3] - 0.0095 * 15.0 / 4.0).abs() < 1e-12);
        assert!(benjamini_hochberg(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn it_is_never_stricter_than_holm_and_never_laxer_than_each_alone(
            probabilities in prop::collection::vec(0.0_f64..=1.0, 1..40)
        ) {
            let (strict, adjusted) = (holm(&probabilities), benjamini_hochberg(&probabilities));
            for ((own, holm), adjusted) in probabilities.iter().zip(&strict).zip(&adjusted) {
                prop_assert!(*adjusted <= holm + 1e-12 && *adjusted >= own - 1e-12 && *adjusted <= 1.0);
            }
        }
    }
}
