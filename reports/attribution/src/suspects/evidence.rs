//! Evidence: a series, what it shows, and some of its points.

use reports::format::Evidence;

use crate::observed::Points;

/// Points of an evidence at most.
const MOST_POINTS: usize = 20;

/// Evidence of a series from `from_s` to `to_s`.
pub(super) fn of(
    series: impl Into<String>,
    says: impl Into<String>,
    points: &Points,
    from_s: f64,
    to_s: f64,
) -> Evidence {
    let known: Vec<(f64, f64)> = points.within(from_s, to_s).known().collect();
    Evidence { series: series.into(), says: says.into(), points: thinned(known) }
}

/// Evidence of counts by second.
pub(super) fn of_seconds(
    series: impl Into<String>,
    says: impl Into<String>,
    seconds: &[(f64, f64)],
) -> Evidence {
    Evidence { series: series.into(), says: says.into(), points: thinned(seconds.to_vec()) }
}

/// At most [`MOST_POINTS`] of them, the first among them, evenly apart.
fn thinned(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let step = points.len().div_ceil(MOST_POINTS).max(1);
    points.into_iter().step_by(step).collect()
}

/// A count or a rate as text, without useless digits.
pub(super) fn number(value: f64) -> String {
    if (value - value.round()).abs() < 0.005 { format!("{value:.0}") } else { format!("{value:.1}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_twenty_points() {
        let points: Vec<(f64, f64)> = (0..101).map(|n| (f64::from(n), 1.0)).collect();
        let thinned = thinned(points);
        assert_eq!((thinned.len(), thinned[0].0), (17, 0.0));
        assert_eq!((number(75.0), number(12.34)), ("75".to_owned(), "12.3".to_owned()));
    }
}
