//! How sure a quantile is: the interval between two order statistics, whatever the distribution.

use hdrhistogram::Histogram;
use statrs::distribution::{Binomial, DiscreteCDF};

/// The two-sided interval of quantile `q` at confidence `1 - alpha`, as ranks from 1: samples below the quantile are binomial
/// (H. David, H. Nagaraja, Order Statistics, 2003, 7.1). `None` where there are too few samples for one.
#[must_use]
pub fn ranks(samples: u64, q: f64, alpha: f64) -> Option<(u64, u64)> {
    let law = Binomial::new(q, samples).ok()?;
    let lower = law.inverse_cdf(alpha / 2.0);
    let upper = law.inverse_cdf(1.0 - alpha / 2.0) + 1;
    (lower >= 1 && upper <= samples).then_some((lower, upper))
}

/// The interval of quantile `q` of a histogram, in its unit.
#[must_use]
pub fn interval(histogram: &Histogram<u64>, q: f64, alpha: f64) -> Option<(u64, u64)> {
    let samples = histogram.len();
    let (lower, upper) = ranks(samples, q, alpha)?;
    let at = |rank: u64| histogram.value_at_quantile(rank as f64 / samples as f64);
    Some((at(lower), at(upper)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_a_hundred_lies_between_the_fortieth_and_the_sixty_first() {
        // Tables of the sign test: 40 and 61 give 96.5 %.
        assert_eq!(ranks(100, 0.5, 0.05), Some((40, 61)));
        assert_eq!(ranks(10, 0.5, 0.05), Some((2, 9)));
        assert_eq!(ranks(100, 0.99, 0.05), None, "the upper end lies beyond the greatest");
        assert!(ranks(1_000, 0.99, 0.05).is_some());
    }

    #[test]
    fn a_histogram_gives_values() {
        let mut histogram = Histogram::<u64>::new(3).expect("a histogram");
        (1..=1_000).for_each(|value| histogram.record(value).expect("fits"));
        let (low, high) = interval(&histogram, 0.5, 0.05).expect("enough");
        assert!((465..=472).contains(&low) && (530..=535).contains(&high), "{low} {high}");
    }
}
