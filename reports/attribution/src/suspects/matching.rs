//! Accounts: what players lack against what a counter says was refused.

use crate::felt::Felt;
use crate::interval::Interval;
use crate::observed::Points;

/// How far the client's and the server's clocks may be apart, in seconds.
const CLOCKS_S: f64 = 1.0;

/// How much of what is affected a counter accounts for, one by one: each refusal is spent on something affected that shows in its period
/// or at most `lag_s` after it. 0 to 1.
pub(super) fn one_by_one(felt: &Felt, counter: &Points, lag_s: f64, worth: f64) -> f64 {
    let total = felt.count();
    if total <= 0.0 {
        return 0.0;
    }
    let mut left: Vec<(f64, f64)> =
        counter.known().filter(|(_, count)| *count > 0.0).map(|(at, count)| (at, count * worth)).collect();
    let mut matched = 0.0;
    for (at, count) in &felt.affected {
        let mut open = *count;
        for (start, rest) in &mut left {
            let from = *start - CLOCKS_S;
            let to = *start + counter.period_s + lag_s + CLOCKS_S;
            if *rest > 0.0 && *at >= from.floor() && *at < to {
                let spent = open.min(*rest);
                *rest -= spent;
                open -= spent;
            }
            if open <= 0.0 {
                break;
            }
        }
        matched += count - open;
    }
    (matched / total).min(1.0)
}

/// How much of what is affected a counter accounts for where one event delays many: the part of it in periods with the counter above
/// zero, or at most `lag_s` after one; without what the counter shows at other times as well (the attributable fraction `1 - 1/RR` of
/// M. Levin 1953). 0 to 1.
pub(super) fn in_its_periods(felt: &Felt, counter: &Points, lag_s: f64, window: Interval) -> f64 {
    let total = felt.count();
    if total <= 0.0 {
        return 0.0;
    }
    let active: Vec<f64> = counter.known().filter(|(_, count)| *count > 0.0).map(|(at, _)| at).collect();
    let is_after = |at: f64| {
        active
            .iter()
            .any(|start| at >= (start - CLOCKS_S).floor() && at < start + counter.period_s + lag_s + CLOCKS_S)
    };
    let covered: f64 = felt.affected.iter().filter(|(at, _)| is_after(*at)).map(|(_, count)| count).sum();
    let (mut within, mut without) = (Mean::default(), Mean::default());
    let from = felt.symptom.from_s - lag_s;
    for (at, count) in counter.known() {
        if at + counter.period_s > from && at < felt.symptom.to_s {
            within.add(count);
        } else if at + counter.period_s > window.from_s && at < window.to_s {
            without.add(count);
        }
    }
    // The few periods around a symptom that lasts for nearly all of the run do not tell much.
    let weight = (without.count / within.count.max(1.0)).min(1.0);
    let elsewhere = match (within.value(), without.value()) {
        (Some(within), Some(without)) if within > 0.0 => (1.0 - weight * without / within).max(0.0),
        _ => 1.0,
    };
    (covered / total * elsewhere).min(1.0)
}

/// The first period of a counter above zero that may have caused the symptom, and the end of the last.
pub(super) fn shows(felt: &Felt, counter: &Points, lag_s: f64) -> Option<(Interval, f64)> {
    let period_s = counter.period_s;
    let may =
        |at: f64| at + period_s + lag_s + CLOCKS_S > felt.symptom.from_s && at < felt.symptom.to_s + CLOCKS_S;
    let mut active = counter.known().filter(|(at, count)| *count > 0.0 && may(*at)).map(|(at, _)| at);
    let first = active.next()?;
    let last = active.last().unwrap_or(first);
    Some((Interval { from_s: first, to_s: first + period_s }, last + period_s))
}

#[derive(Default)]
struct Mean {
    sum: f64,
    count: f64,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1.0;
    }

    fn value(&self) -> Option<f64> {
        (self.count > 0.0).then(|| self.sum / self.count)
    }
}

#[cfg(test)]
mod tests {
    use reports::format::Symptom;

    use super::*;
    use crate::observed::{Player, Point};

    fn felt(affected: &[(f64, f64)]) -> Felt {
        let symptom = Symptom {
            from_s: affected[0].0,
            to_s: affected[affected.len() - 1].0 + 1.0,
            ..Symptom::default()
        };
        Felt { symptom, player: Player::Operation("send".into()), affected: affected.to_vec(), lag_s: 2.0 }
    }

    fn counter(period_s: f64, values: &[Option<f64>]) -> Points {
        let at = |n: usize| n as f64 * period_s;
        let points =
            values.iter().enumerate().map(|(n, value)| Point { at_s: at(n), value: *value }).collect();
        Points { period_s, points }
    }

    #[test]
    fn each_refusal_is_spent_once_and_in_time() {
        let felt = felt(&[(10.0, 4.0), (11.0, 4.0)]);
        let mut values = vec![Some(0.0); 30];
        values[10] = Some(6.0);
        assert!((one_by_one(&felt, &counter(1.0, &values), 1.0, 1.0) - 0.75).abs() < 1e-9);
        values[10] = Some(0.0);
        values[20] = Some(60.0);
        assert!(one_by_one(&felt, &counter(1.0, &values), 1.0, 1.0).abs() < 1e-9, "too late");
        assert!((one_by_one(&felt, &counter(60.0, &[Some(8.0)]), 1.0, 1.0) - 1.0).abs() < 1e-9);
        assert!(one_by_one(&felt, &counter(60.0, &[None]), 1.0, 1.0).abs() < 1e-9, "unknown is no refusal");
    }

    #[test]
    fn a_counter_that_always_counts_explains_nothing() {
        let felt = felt(&[(30.0, 100.0), (31.0, 100.0)]);
        let window = Interval { from_s: 0.0, to_s: 60.0 };
        let always = counter(1.0, &[Some(3.0); 60]);
        assert!(in_its_periods(&felt, &always, 2.0, window).abs() < 1e-9);
        let mut values = [Some(0.0); 60];
        values[29] = Some(1.0);
        let just_before = counter(1.0, &values);
        assert!((in_its_periods(&felt, &just_before, 2.0, window) - 1.0).abs() < 1e-9);
        assert_eq!(shows(&felt, &just_before, 2.0), Some((Interval { from_s: 29.0, to_s: 30.0 }, 30.0)));
    }
}
