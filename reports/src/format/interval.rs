//! How sure a share of few cases is.

/// Wilson's 95 % interval of a share, from `part` of `whole`; without any, all is possible.
#[must_use]
pub fn wilson(part: u32, whole: u32) -> (f64, f64) {
    const Z: f64 = 1.959_963_984_540_054;
    if whole == 0 {
        return (0.0, 1.0);
    }
    let n = f64::from(whole);
    let p = f64::from(part) / n;
    let center = (p + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    ((center - half).max(0.0), (center + half).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_gives_the_intervals_of_the_tables() {
        // Newcombe 1998, table I: 81 of 263 gives 0.2553 to 0.3662; 1 of 29 gives 0.0061 to 0.1718.
        let close =
            |(low, high): (f64, f64), (l, h): (f64, f64)| (low - l).abs() < 6e-5 && (high - h).abs() < 6e-5;
        assert!(close(wilson(81, 263), (0.2553, 0.3662)), "{:?}", wilson(81, 263));
        assert!(close(wilson(1, 29), (0.0061, 0.1718)), "{:?}", wilson(1, 29));
        assert_eq!(wilson(0, 0), (0.0, 1.0));
    }
}
