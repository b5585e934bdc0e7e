//! Series whose neighbours resemble each other: how many independent points they have, and a test that keeps its promise.

use crate::ranks::pearson;

/// As how many independent points two series count for their correlation: `1/n_eff = 1/n + 2/n Σ (n-k)/n r_x(k) r_y(k)` over lags
/// up to n/5 (B. Pyper, R. Peterman 1998, Can. J. Fish. Aquat. Sci. 55:2127). Between 1 and n.
#[must_use]
pub fn effective_points(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len().min(b.len());
    if n < 3 {
        return n as f64;
    }
    let lags = (n / 5).max(1);
    let sum: f64 = (1..=lags)
        .map(|lag| (n - lag) as f64 / n as f64 * autocorrelation(a, lag) * autocorrelation(b, lag))
        .sum();
    let n = n as f64;
    let inverse = 1.0 / n + 2.0 / n * sum;
    if inverse <= 0.0 { n } else { (1.0 / inverse).clamp(1.0, n) }
}

/// Correlation of a series with itself `lag` points later, over the whole series' variance (Box & Jenkins' estimator, with the
/// bias correction n/(n-lag) of Chatfield, as Pyper and Peterman recommend).
#[must_use]
pub fn autocorrelation(values: &[f64], lag: usize) -> f64 {
    let n = values.len();
    if lag >= n {
        return 0.0;
    }
    let mean = values.iter().sum::<f64>() / n as f64;
    let variance: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    if variance <= 0.0 {
        return 0.0;
    }
    let both: f64 = values.iter().zip(&values[lag..]).map(|(a, b)| (a - mean) * (b - mean)).sum();
    (both / variance * n as f64 / (n - lag) as f64).clamp(-1.0, 1.0)
}

/// Fewest shifts each way with which a test of `pairs` pairs at level `alpha` can succeed: `N >= pairs/alpha - 1`.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
pub fn fewest_shifts(pairs: usize, alpha: f64) -> usize {
    ((pairs as f64 / alpha - 1.0).ceil() as usize).max(1)
}

/// Fewest points that a shift test of `pairs` pairs needs: 2N are lost to the shifts, and a third as many must be left to correlate
/// over.
#[must_use]
pub fn fewest_points(pairs: usize, alpha: f64) -> usize {
    let lost = 2 * fewest_shifts(pairs, alpha);
    lost + (lost / 4).max(10)
}

/// Probability of a correlation as strong between a series and the other shifted in time: the truncated time-shift test, valid and
/// conservative where one of the two is stationary, whatever its autocorrelation (K. Harris 2020, arXiv 2012.06862; W. Yuan,
/// W. Shou 2024, PLOS Biology 3002758). `a` keeps its middle; `b` is shifted by -N..=N against it; `p = rank / (N + 1)`.
/// `None` where there are too few points.
#[must_use]
pub fn shift_test(a: &[f64], b: &[f64], shifts: usize) -> Option<f64> {
    let n = a.len().min(b.len());
    let middle = n.checked_sub(2 * shifts).filter(|middle| *middle >= 3)?;
    let strength =
        |start: usize| pearson(&a[shifts..shifts + middle], &b[start..start + middle]).map(f64::abs);
    let unshifted = strength(shifts)?;
    let as_strong = (0..=2 * shifts).filter_map(strength).filter(|other| *other >= unshifted - 1e-12).count();
    Some((as_strong as f64 / (shifts + 1) as f64).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::Draw;

    #[test]
    fn white_noise_counts_in_full_and_a_slow_series_for_few() {
        let mut draw = Draw(7);
        let (a, b) = (draw.ar1(400, 0.0), draw.ar1(400, 0.0));
        assert!(effective_points(&a, &b) > 300.0);
        let (a, b) = (draw.ar1(400, 0.9), draw.ar1(400, 0.9));
        // 1 + 2 Σ 0.81^k = 9.5: about 42 of 400.
        let effective = effective_points(&a, &b);
        assert!((15.0..120.0).contains(&effective), "{effective}");
    }

    #[test]
    fn independent_slow_series_rarely_alarm() {
        // Two independent AR(1) series, phi 0.9: the shift test keeps its 5 %, within the error of 400 trials.
        let mut draw = Draw(42);
        let shifts = fewest_shifts(1, 0.05);
        let alarms = (0..400)
            .filter(|_| {
                let (a, b) = (draw.ar1(120, 0.9), draw.ar1(120, 0.9));
                shift_test(&a, &b, shifts).is_some_and(|p| p <= 0.05)
            })
            .count();
        assert!(alarms <= 32, "{alarms} of 400");
    }

    #[test]
    fn a_true_link_is_found() {
        let mut draw = Draw(1);
        let shifts = fewest_shifts(1, 0.05);
        assert_eq!(shifts, 19);
        let found = (0..100)
            .filter(|_| {
                let a = draw.ar1(120, 0.3);
                let b: Vec<f64> = a.iter().map(|value| value + 0.5 * draw.normal()).collect();
                shift_test(&a, &b, shifts).is_some_and(|p| p <= 0.05)
            })
            .count();
        assert!(found >= 95, "{found} of 100");
        assert_eq!(shift_test(&[1.0; 20], &[1.0; 20], shifts), None, "too few points");
    }
}
