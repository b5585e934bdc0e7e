//! How long CloudWatch keeps points: the older they are, the longer the periods that are left of them.

use std::time::Duration;

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
/// Age in seconds up to which periods of a length in seconds, and multiples of it, are kept.
const KEPT: [(u64, u32); 4] = [(3 * HOUR, 1), (15 * DAY, 60), (63 * DAY, 300), (455 * DAY, 3_600)];
/// A call takes its time: what is about to go is gone when CloudWatch looks.
const MARGIN: Duration = Duration::from_secs(60);

/// The finest period that still exists for points of this age and is no finer than the one wanted; `None`: none is left.
pub(super) fn finest(wanted_s: u32, age: Duration) -> Option<u32> {
    let age = (age + MARGIN).as_secs();
    let (_, least) = KEPT.into_iter().find(|(until, _)| age <= *until)?;
    Some(wanted_s.max(1).div_ceil(least) * least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_a_run_the_coarser_what_is_left() {
        let days = |days: f64| Duration::from_secs_f64(days * DAY as f64);
        for (wanted, age, left) in [
            (1, days(0.1), Some(1)),
            (1, Duration::from_secs(3 * HOUR), Some(60)),
            (60, days(14.9), Some(60)),
            (60, days(15.1), Some(300)),
            (420, days(14.9), Some(420)),
            (420, days(20.0), Some(600)),
            (60, days(62.9), Some(300)),
            (300, days(64.0), Some(3_600)),
            (7_200, days(64.0), Some(7_200)),
            (60, days(454.0), Some(3_600)),
            (60, days(456.0), None),
        ] {
            assert_eq!(finest(wanted, age), left, "{wanted} s after {age:?}");
        }
    }
}
