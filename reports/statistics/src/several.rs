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

#[cfg(test)]
mod tests {
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
}
