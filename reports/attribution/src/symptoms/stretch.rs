//! The time in which something shows.

use crate::observed::Broken;

/// The stretch of seconds in which the broken ones exceed `share` of all by most: of all stretches the one with the greatest sum of
/// `part - share * whole` (J. Kadane's scan; J. Bentley 1984, CACM 27:865). With half of the mean share, a stray one far from the
/// others does not lengthen it, and a gap within does not end it. `None` where nothing exceeds it.
pub(super) fn densest(seconds: &[Broken], share: f64) -> Option<&[Broken]> {
    let (mut best, mut best_sum) = (0..0, 0.0_f64);
    let (mut start, mut sum) = (0, 0.0_f64);
    for (i, second) in seconds.iter().enumerate() {
        sum += second.part as f64 - share * second.whole as f64;
        if sum > best_sum {
            (best, best_sum) = (start..i + 1, sum);
        }
        if sum <= 0.0 {
            (start, sum) = (i + 1, 0.0);
        }
    }
    // It begins and ends with a broken one.
    let stretch = seconds.get(best)?;
    let first = stretch.iter().position(|second| second.part > 0)?;
    let last = stretch.iter().rposition(|second| second.part > 0)?;
    stretch.get(first..=last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stray_failure_does_not_lengthen_it() {
        let second = |at: u32, part| Broken { at_s: f64::from(at), part, whole: 10 };
        let mut seconds: Vec<Broken> = (0..60).map(|at| second(at, u64::from(at == 3))).collect();
        for second in &mut seconds[40..50] {
            second.part = 5;
        }
        seconds[44].part = 0;
        let share = 46.0 / 600.0 / 2.0;
        let stretch = densest(&seconds, share).expect("there is one");
        assert_eq!((stretch[0].at_s, stretch[stretch.len() - 1].at_s), (40.0, 49.0));
        assert!(densest(&seconds[10..20], share).is_none());
        assert!(densest(&[], 0.1).is_none());
    }
}
