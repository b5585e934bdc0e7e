//! How fast a series grows.

use statrs::distribution::{ContinuousCDF, Normal};

/// A slope with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slope {
    /// The median of the slopes of all pairs.
    pub value: f64,
    /// Lower end of its interval.
    pub low: f64,
    /// Upper end of its interval.
    pub high: f64,
}

/// Theil and Sen's slope with the interval of P. Sen (1968, JASA 63:1379) at confidence `1 - alpha`, from the variance of
/// Kendall's S. `None` for fewer than three points.
#[must_use]
pub fn theil_sen(points: &[(f64, f64)], alpha: f64) -> Option<Slope> {
    let n = points.len();
    if n < 3 {
        return None;
    }
    let mut slopes: Vec<f64> = Vec::with_capacity(n * (n - 1) / 2);
    for (i, a) in points.iter().enumerate() {
        slopes.extend(points[i + 1..].iter().filter(|b| b.0 != a.0).map(|b| (b.1 - a.1) / (b.0 - a.0)));
    }
    if slopes.is_empty() {
        return None;
    }
    slopes.sort_by(f64::total_cmp);
    let count = slopes.len() as f64;
    let n = n as f64;
    let z = Normal::standard().inverse_cdf(1.0 - alpha / 2.0);
    let spread = z * (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
    Some(Slope {
        value: median(&slopes),
        low: at(&slopes, (count - spread) / 2.0 - 1.0),
        high: at(&slopes, (count + spread) / 2.0),
    })
}

/// The middle of sorted values.
fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}

/// The value at a rank from 0, rounded and kept within.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the positions of the slice"
)]
fn at(sorted: &[f64], rank: f64) -> f64 {
    sorted[rank.round().clamp(0.0, (sorted.len() - 1) as f64) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sens_own_example() {
        // Sen 1968, section 6: slope 4, interval at 93 % from 2.5 to 5... (as in Hollander & Wolfe, example 9.2).
        let points =
            [(1.0, 9.0), (2.0, 15.0), (3.0, 19.0), (4.0, 20.0), (10.0, 45.0), (12.0, 55.0), (18.0, 78.0)];
        let slope = theil_sen(&points, 0.07).expect("enough points");
        assert!((slope.value - 4.0).abs() < 0.1, "{slope:?}");
        assert!(slope.low <= 4.0 && slope.high >= 4.0 && slope.low > 2.0 && slope.high < 6.5, "{slope:?}");
    }

    #[test]
    fn an_outlier_does_not_tilt_it() {
        let mut points: Vec<(f64, f64)> = (0..20).map(|n| (f64::from(n), 2.0 * f64::from(n))).collect();
        points[3].1 = 1_000.0;
        let slope = theil_sen(&points, 0.05).expect("enough points");
        assert!((slope.value - 2.0).abs() < 1e-9, "{slope:?}");
        assert_eq!(theil_sen(&points[..2], 0.05), None);
        let flat: Vec<(f64, f64)> = (0..10).map(|n| (f64::from(n), f64::from(n % 2))).collect();
        let slope = theil_sen(&flat, 0.05).expect("enough points");
        assert!(slope.low <= 0.0 && slope.high >= 0.0, "{slope:?}");
    }
}
