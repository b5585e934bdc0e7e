//! Rank correlation.

/// Ranks from 1; equal values share the mean of theirs.
#[must_use]
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let value = values[order[start]];
        let end = start + order[start..].iter().take_while(|&&i| values[i] == value).count();
        let shared = (start + 1 + end) as f64 / 2.0;
        order[start..end].iter().for_each(|&i| ranks[i] = shared);
        start = end.max(start + 1);
    }
    ranks
}

/// Pearson's correlation; `None` where one of them does not vary, or their lengths differ.
#[must_use]
pub fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.len() != b.len() || a.len() < 2 {
        return None;
    }
    let n = a.len() as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let (mut both, mut of_a, mut of_b) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a - mean_a, b - mean_b);
        both += a * b;
        of_a += a * a;
        of_b += b * b;
    }
    let scale = (of_a * of_b).sqrt();
    (scale > 0.0).then(|| (both / scale).clamp(-1.0, 1.0))
}

/// Spearman's rank correlation (C. Spearman 1904): Pearson's of the ranks.
#[must_use]
pub fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    pearson(&ranks(a), &ranks(b))
}

/// What is left of a rank correlation when a third series is held fixed (M. Kendall 1942, Biometrika 32:277): first-order partial
/// correlation of the ranks. A third series that does not vary holds nothing fixed.
#[must_use]
pub fn partial(a: &[f64], b: &[f64], given: &[f64]) -> Option<f64> {
    let ab = spearman(a, b)?;
    let (Some(ac), Some(bc)) = (spearman(a, given), spearman(b, given)) else { return Some(ab) };
    let scale = ((1.0 - ac * ac) * (1.0 - bc * bc)).sqrt();
    (scale > 1e-9).then(|| ((ab - ac * bc) / scale).clamp(-1.0, 1.0))
}

/// What the ranks of a third series leave unexplained of the ranks of a series: the residuals of their regression. The
/// correlation of two such residuals is their partial correlation.
#[must_use]
pub fn residuals(values: &[f64], given: &[f64]) -> Vec<f64> {
    let (values, given) = (ranks(values), ranks(given));
    let n = values.len().max(1) as f64;
    let (mean, of_given) = (values.iter().sum::<f64>() / n, given.iter().sum::<f64>() / n);
    let (mut both, mut square) = (0.0, 0.0);
    for (value, given) in values.iter().zip(&given) {
        both += (value - mean) * (given - of_given);
        square += (given - of_given).powi(2);
    }
    let slope = if square > 0.0 { both / square } else { 0.0 };
    values.iter().zip(&given).map(|(value, given)| value - mean - slope * (given - of_given)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_textbooks_example() {
        // Hours of television and IQ of ten people: -29/165 (the usual worked example of Spearman's rho).
        let iq = [106.0, 100.0, 86.0, 101.0, 99.0, 103.0, 97.0, 113.0, 112.0, 110.0];
        let hours = [7.0, 27.0, 2.0, 50.0, 28.0, 29.0, 20.0, 12.0, 6.0, 17.0];
        assert!((spearman(&iq, &hours).expect("they vary") + 29.0 / 165.0).abs() < 1e-12);
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), None);
    }

    #[test]
    fn a_common_cause_is_held_fixed() {
        let load: Vec<f64> = (0..100).map(f64::from).collect();
        let wave = |n: f64, by: f64| (n * by).sin() * 8.0;
        let a: Vec<f64> = load.iter().map(|n| n + wave(*n, 1.3)).collect();
        let b: Vec<f64> = load.iter().map(|n| 2.0 * n + wave(*n, 2.9)).collect();
        assert!(spearman(&a, &b).expect("they vary") > 0.9);
        assert!(partial(&a, &b, &load).expect("they vary").abs() < 0.25);
    }

    proptest! {
        #[test]
        fn ranks_sum_to_that_of_their_positions(values in prop::collection::vec(-5_i8..5, 1..60)) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let n = values.len() as f64;
            prop_assert!((ranks(&values).iter().sum::<f64>() - n * (n + 1.0) / 2.0).abs() < 1e-9);
        }

        #[test]
        fn residuals_correlate_partially(
            triples in prop::collection::vec((-50_i8..50, -50_i8..50, -50_i8..50), 5..60)
        ) {
            let of = |pick: fn(&(i8, i8, i8)) -> i8| triples.iter().map(|t| f64::from(pick(t))).collect::<Vec<_>>();
            let (a, b, c) = (of(|t| t.0), of(|t| t.1), of(|t| t.2));
            if let (Some(whole), Some(of_residuals)) = (partial(&a, &b, &c), pearson(&residuals(&a, &c), &residuals(&b, &c))) {
                prop_assert!((whole - of_residuals).abs() < 1e-6, "{} {}", whole, of_residuals);
            }
        }
    }
}
