//! What a player felt, held against an earlier time at the same offered load.
//!
//! Only means add up, so that a hop's share is the rise of its mean over the rise of the player's. The earlier time has the same
//! offered load. Where there is none, and a promise broke, any earlier load serves, which is then said: a hop whose own mean makes
//! up half of the rise is where the time goes, whatever made it rise. Without a promise load alone accuses nobody. Where the
//! fault was there from the start there is no earlier time at all: then a hop's share is that of the mean itself, if the mean is
//! beyond the bound, or that of what lies beyond the bound.

use crate::felt::Felt;
use crate::interval::Interval;
use crate::observed::{Player, PlayerSecond, Points, Run};

/// Loads that differ by less count as equal, as a share of the greater: a convention, and not derived. Below saturation no
/// hop's mean depends much on so small a difference.
const EQUAL: f64 = 0.2;
/// Seconds over which the offered load is smoothed before it is compared.
const SMOOTHED_S: f64 = 10.0;
/// Fewest seconds that make a reference.
const FEWEST_S: usize = 5;

/// Stretches of a run, in ascending order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Stretch(pub(crate) Vec<Interval>);

impl Stretch {
    /// Of one interval.
    pub(crate) fn one(from_s: f64, to_s: f64) -> Self {
        Self(vec![Interval { from_s, to_s }])
    }

    /// Of whole seconds in ascending order.
    fn of_seconds(seconds: impl Iterator<Item = f64>) -> Self {
        let mut parts: Vec<Interval> = Vec::new();
        for second in seconds {
            match parts.last_mut() {
                Some(last) if (last.to_s - second).abs() < 0.5 => last.to_s = second + 1.0,
                _ => parts.push(Interval { from_s: second, to_s: second + 1.0 }),
            }
        }
        Self(parts)
    }

    /// What of it lies before an instant.
    fn until(&self, end_s: f64) -> Self {
        let parts = self.0.iter().filter(|part| part.from_s < end_s);
        Self(parts.map(|part| Interval { to_s: part.to_s.min(end_s), ..*part }).collect())
    }

    /// Whether at least half of the period lies in it.
    pub(crate) fn takes(&self, at_s: f64, period_s: f64) -> bool {
        let end = at_s + period_s;
        let within: f64 =
            self.0.iter().map(|part| (part.to_s.min(end) - part.from_s.max(at_s)).max(0.0)).sum();
        within * 2.0 >= period_s
    }

    /// The known values of its periods, each with its start.
    pub(crate) fn of(&self, points: &Points) -> Vec<(f64, f64)> {
        points.known().filter(|(at, _)| self.takes(*at, points.period_s)).collect()
    }
}

/// The mean of a hop during the symptom and before it, in the unit of its series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Change {
    /// During the symptom.
    pub(crate) during: f64,
    /// Before it; `None`: there is no such time.
    pub(crate) before: Option<f64>,
    /// Whether the rise is more than its periods' scatter.
    pub(crate) shown: bool,
}

impl Change {
    /// By how much it rose; without an earlier time all of it.
    pub(crate) fn rise(self) -> f64 {
        self.during - self.before.unwrap_or(0.0)
    }
}

/// A symptom with the times that are compared and the player's means in them.
#[derive(Debug, Clone)]
pub(crate) struct Compared {
    /// The symptom's time, from when on what it consists of was under way.
    pub(crate) during: Stretch,
    /// The symptom's own seconds.
    pub(crate) seconds: Stretch,
    /// Earlier seconds in which it was better; empty: there are none.
    pub(crate) before: Stretch,
    /// What was under way in those and not in the symptom: what an answer of the symptom's first second waited for began before it.
    began_before: Stretch,
    /// Whether those have the same offered load.
    pub(crate) equal: bool,
    /// The player's mean during it, in microseconds.
    pub(crate) mean_us: f64,
    /// And before.
    pub(crate) before_us: Option<f64>,
    /// Answers or deliveries during it.
    pub(crate) count: f64,
    /// Offered per second during it.
    pub(crate) offered: f64,
    /// Offered per second before it.
    pub(crate) offered_before: f64,
}

impl Compared {
    /// `None` where no answer or delivery came during it.
    pub(crate) fn of(run: &Run<'_>, felt: &Felt) -> Option<Self> {
        let (from_s, to_s) = (felt.symptom.from_s, felt.symptom.to_s);
        let seconds = seconds(run, &felt.player);
        let inside = |second: &&Second| second.at_s + 1.0 > from_s && second.at_s < to_s;
        let (mean_us, count) = mean(seconds.iter().filter(inside))?;
        let length = seconds.iter().filter(inside).count().max(1) as f64;
        let offered = seconds.iter().filter(inside).map(|second| second.offered).sum::<f64>() / length;
        let mut before = equal_load(run, &seconds, from_s, offered);
        let equal = !before.0.is_empty();
        if !equal && !felt.symptom.threshold.is_empty() {
            before = chosen(run, &seconds, from_s, |_| true);
        }
        let in_before = |second: &&Second| before.takes(second.at_s, 1.0);
        let earlier: Vec<Second> = seconds.iter().filter(in_before).copied().collect();
        let during: Vec<Second> = seconds.iter().filter(inside).copied().collect();
        // Of failures the time before is better by itself: those that still succeed need not take longer.
        let is_better = felt.is_failures() || rose(&earlier, &during);
        let before_us = mean(earlier.iter()).map(|(mean, _)| mean).filter(|_| is_better);
        let before = if before_us.is_some() { before } else { Stretch::default() };
        let offered_before =
            earlier.iter().map(|second| second.offered).sum::<f64>() / earlier.len().max(1) as f64;
        // What an invocation took is stamped at its start, so a mean earlier than the answer.
        let (during, seconds) = (Stretch::one(from_s - mean_us / 1e6, to_s), Stretch::one(from_s, to_s));
        let began_before = match before.until(from_s - mean_us / 1e6) {
            // Without any, better some that it may have a part in.
            Stretch(none) if none.is_empty() => before.clone(),
            some => some,
        };
        Some(Self {
            during,
            seconds,
            began_before,
            before,
            equal,
            mean_us,
            before_us,
            count,
            offered,
            offered_before,
        })
    }

    /// The time of a queue's rise against all that was measured before it, at whatever load; `None` where nothing came during it.
    pub(crate) fn around(run: &Run<'_>, felt: &Felt, when: Interval) -> Option<Self> {
        let seconds = seconds(run, &felt.player);
        let before = chosen(run, &seconds, when.from_s, |_| true);
        let of = |stretch: &Stretch| -> Vec<Second> {
            seconds.iter().filter(|second| stretch.takes(second.at_s, 1.0)).copied().collect()
        };
        let offered = |seconds: &[Second]| {
            seconds.iter().map(|second| second.offered).sum::<f64>() / seconds.len().max(1) as f64
        };
        let during = Stretch::one(when.from_s, when.to_s);
        let (now, earlier) = (of(&during), of(&before));
        let (mean_us, count) = mean(now.iter())?;
        Some(Self {
            before_us: mean(earlier.iter()).map(|(mean, _)| mean),
            seconds: during.clone(),
            during,
            began_before: before.clone(),
            before,
            equal: false,
            mean_us,
            count,
            offered: offered(&now),
            offered_before: offered(&earlier),
        })
    }

    /// By how much the player's mean rose, in microseconds; without an earlier time all of it.
    pub(crate) fn rise_us(&self) -> f64 {
        self.mean_us - self.before_us.unwrap_or(0.0)
    }

    /// Whether there is an earlier time to compare with.
    pub(crate) fn has_before(&self) -> bool {
        self.before_us.is_some()
    }

    /// As it is for what takes `lead_s` itself: what the symptom's first second felt of it began no earlier than so long before it, give or
    /// take what came after it on the way. (Without that, a slow part has its quick time before the symptom in its mean.)
    pub(crate) fn led_by(&self, lead_s: f64) -> Self {
        let from_s = self.seconds.0.first().map_or(0.0, |part| part.from_s);
        let lead_s = lead_s.clamp(0.0, self.mean_us / 1e6);
        let until_s = self.seconds.0.last().map_or(0.0, |part| part.to_s);
        Self { during: Stretch::one(from_s - lead_s, until_s), ..self.clone() }
    }

    /// The weighted mean of a series in the symptom's own seconds.
    pub(crate) fn mean_in_seconds(&self, values: &Points, weights: Option<&Points>) -> Option<f64> {
        weighted(&self.seconds, values, weights).map(|weighted| weighted.mean)
    }

    /// The weighted means of a series in both times; `None` where it has no point during the symptom, or none before it although
    /// there is an earlier time.
    pub(crate) fn change(&self, values: &Points, weights: Option<&Points>) -> Option<Change> {
        self.change_in(&self.during, &self.began_before, values, weights)
    }

    /// As [`change`](Self::change), of what players counted in the seconds in which it reached them.
    pub(crate) fn change_of_seconds(&self, values: &Points, weights: &Points) -> Option<Change> {
        self.change_in(&self.seconds, &self.before, values, Some(weights))
    }

    fn change_in(
        &self,
        during: &Stretch,
        before: &Stretch,
        values: &Points,
        weights: Option<&Points>,
    ) -> Option<Change> {
        let during = weighted(during, values, weights)?;
        if !self.has_before() {
            return Some(Change { during: during.mean, before: None, shown: true });
        }
        let before = weighted(before, values, weights)?;
        let scatter = match (during.variance, before.variance) {
            (Some(during), Some(before)) => 1.96 * (during + before).sqrt(),
            _ => 0.0,
        };
        let rise = during.mean - before.mean;
        Some(Change { during: during.mean, before: Some(before.mean), shown: rise > scatter })
    }

    /// The offered loads that are compared, in words.
    fn loads(&self) -> String {
        if self.equal {
            return "the same offered load".to_owned();
        }
        format!("at {:.1} offered a second, {:.1} now", self.offered_before, self.offered)
    }

    /// The weighted mean of a series during the symptom.
    pub(crate) fn mean_during(&self, values: &Points, weights: Option<&Points>) -> Option<f64> {
        weighted(&self.during, values, weights).map(|weighted| weighted.mean)
    }

    /// What was compared, in words.
    pub(crate) fn words(&self) -> String {
        match (self.before_us, self.before.0.first(), self.before.0.last()) {
            (Some(before), Some(first), Some(last)) => format!(
                "the mean rose from {:.1} ms ({:.0} s to {:.0} s, {}) to {:.1} ms",
                before / 1e3,
                first.from_s,
                last.to_s,
                self.loads(),
                self.mean_us / 1e3
            ),
            _ => format!("the mean was {:.1} ms, and never better before", self.mean_us / 1e3),
        }
    }
}

/// Whether the players' mean rose by more than the scatter of its seconds.
fn rose(before: &[Second], during: &[Second]) -> bool {
    let (Some((low, from)), Some((high, to))) = (spread(before), spread(during)) else { return false };
    high - low > 1.96 * (from + to).sqrt()
}

/// The mean of seconds, and the variance of that mean; of a single second nothing is known of it.
fn spread(seconds: &[Second]) -> Option<(f64, f64)> {
    let points: Vec<(f64, f64)> = seconds.iter().map(|second| (second.mean_us, second.count)).collect();
    weigh(&points).map(|weighted| (weighted.mean, weighted.variance.unwrap_or(0.0)))
}

/// One second of an operation or delivery.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Second {
    /// Its start.
    pub(crate) at_s: f64,
    /// Arrivals, or pushes called for.
    pub(crate) offered: f64,
    /// Answers or deliveries.
    pub(crate) count: f64,
    /// Their mean in microseconds.
    pub(crate) mean_us: f64,
}

/// Every second of an operation or delivery.
pub(crate) fn seconds(run: &Run<'_>, player: &Player) -> Vec<Second> {
    player
        .seconds(run)
        .map(|(line, second)| {
            let (offered, latency) = match second {
                PlayerSecond::Operation(operation) => (operation.offered, &operation.response_time_us),
                PlayerSecond::Delivery(delivery) => (delivery.expected, &delivery.each_us),
            };
            Second {
                at_s: line.t as f64,
                offered: offered as f64,
                count: latency.count as f64,
                mean_us: latency.mean,
            }
        })
        .collect()
}

/// Mean and count; `None` of nothing.
pub(crate) fn mean<'a>(seconds: impl Iterator<Item = &'a Second>) -> Option<(f64, f64)> {
    let (sum, count) = seconds
        .fold((0.0, 0.0), |(sum, count), second| (sum + second.count * second.mean_us, count + second.count));
    (count > 0.0).then(|| (sum / count, count))
}

/// The measured seconds before an instant whose smoothed load equals this one.
fn equal_load(run: &Run<'_>, seconds: &[Second], until_s: f64, offered: f64) -> Stretch {
    let smoothed = |at_s: f64| {
        let from = seconds.partition_point(|other| other.at_s < at_s - SMOOTHED_S / 2.0);
        let near = seconds[from..].iter().take_while(|other| other.at_s <= at_s + SMOOTHED_S / 2.0);
        let (sum, n) = near.fold((0.0, 0.0), |(sum, n), other| (sum + other.offered, n + 1.0));
        sum / f64::max(n, 1.0)
    };
    let equal = |load: f64| (load - offered).abs() <= EQUAL * load.max(offered);
    chosen(run, seconds, until_s, |at_s| equal(smoothed(at_s)))
}

/// The measured seconds before an instant that `keep` takes; none where they are few.
fn chosen(run: &Run<'_>, seconds: &[Second], until_s: f64, keep: impl Fn(f64) -> bool) -> Stretch {
    let measured = |at_s: f64| run.manifest().measures(at_s);
    let chosen: Vec<f64> = seconds
        .iter()
        .filter(|second| second.offered > 0.0 || second.count > 0.0)
        .map(|second| second.at_s)
        .filter(|at_s| at_s + 1.0 <= until_s && measured(*at_s) && keep(*at_s))
        .collect();
    if chosen.len() < FEWEST_S { Stretch::default() } else { Stretch::of_seconds(chosen.into_iter()) }
}

/// A weighted mean and the variance of it, as the scatter of its periods shows it.
struct Weighted {
    mean: f64,
    variance: Option<f64>,
}

fn weighted(stretch: &Stretch, values: &Points, weights: Option<&Points>) -> Option<Weighted> {
    let weight_at = |at: f64| weights.map_or(Some(1.0), |weights| weights.at(at));
    let points: Vec<(f64, f64)> = stretch
        .of(values)
        .into_iter()
        .filter_map(|(at, value)| Some((value, weight_at(at).filter(|weight| *weight > 0.0)?)))
        .collect();
    weigh(&points)
}

/// Of values with their weights.
fn weigh(points: &[(f64, f64)]) -> Option<Weighted> {
    let sum: f64 = points.iter().map(|(_, weight)| weight).sum();
    if sum <= 0.0 {
        return None;
    }
    let mean = points.iter().map(|(value, weight)| value * weight).sum::<f64>() / sum;
    let n = points.len() as f64;
    let variance = (points.len() >= 3).then(|| {
        let squares: f64 = points.iter().map(|(value, weight)| (weight / sum * (value - mean)).powi(2)).sum();
        squares * n / (n - 1.0)
    });
    Some(Weighted { mean, variance })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::Point;

    fn points(period_s: f64, values: &[f64]) -> Points {
        let point = |(n, value): (usize, &f64)| Point { at_s: n as f64 * period_s, value: Some(*value) };
        Points { period_s, points: values.iter().enumerate().map(point).collect() }
    }

    fn compared() -> Compared {
        Compared {
            during: Stretch::one(5.0, 10.0),
            seconds: Stretch::one(5.0, 10.0),
            began_before: Stretch::one(0.0, 5.0),
            before: Stretch::one(0.0, 5.0),
            mean_us: 30_000.0,
            before_us: Some(10_000.0),
            equal: true,
            count: 50.0,
            offered: 10.0,
            offered_before: 10.0,
        }
    }

    #[test]
    fn means_are_weighted_and_compared() {
        let values = points(1.0, &[10.0, 10.0, 12.0, 10.0, 10.0, 30.0, 30.0, 40.0, 30.0, 30.0]);
        let weights = points(1.0, &[1.0, 1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 6.0, 1.0, 1.0]);
        let change = compared().change(&values, Some(&weights)).expect("points in both");
        // (4 x 10 + 2 x 12) / 6 and (4 x 30 + 6 x 40) / 10.
        assert!((change.before.expect("a mean") - 64.0 / 6.0).abs() < 1e-9, "{change:?}");
        assert!((change.during - 36.0).abs() < 1e-9 && change.shown, "{change:?}");
    }

    #[test]
    fn scatter_is_no_rise() {
        let values = points(1.0, &[10.0, 90.0, 10.0, 80.0, 10.0, 10.0, 95.0, 20.0, 85.0, 10.0]);
        let change = compared().change(&values, None).expect("points in both");
        assert!(change.rise() > 0.0 && !change.shown, "{change:?}");
    }

    #[test]
    fn a_period_belongs_where_half_of_it_lies() {
        let stretch = Stretch::one(30.0, 90.0);
        assert!(stretch.takes(0.0, 60.0) && stretch.takes(60.0, 60.0));
        assert!(!stretch.takes(-10.0, 60.0) && !stretch.takes(90.0, 60.0));
        let seconds = Stretch::of_seconds([1.0, 2.0, 5.0].into_iter());
        assert_eq!(seconds.0.len(), 2);
        assert!(seconds.takes(2.0, 1.0) && !seconds.takes(3.0, 1.0));
    }

    proptest::proptest! {
        #[test]
        fn a_greater_rise_is_a_greater_share(during in 11.0_f64..500.0, more in 0.1_f64..100.0) {
            let of = |ms: f64| {
                let values: Vec<f64> = (0..10).map(|n| if n < 5 { 10.0 } else { ms }).collect();
                compared().change(&points(1.0, &values), None).expect("points in both").rise() * 1e3 / compared().rise_us()
            };
            proptest::prop_assert!(of(during) < of(during + more));
        }
    }
}
