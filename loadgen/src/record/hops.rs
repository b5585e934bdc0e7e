//! Hops: a delivery of a traced run, split at the stamps of the backend.
//!
//! ```text
//! send ─ first hop ─▶ stamp ─ hop ─▶ stamp ─ … ─▶ stamp ─ last hop ─▶ receipt
//!   generator's clock │          backend's clocks           │ generator's clock
//! ```
//!
//! The hops of a delivery add up to its latency, whatever the clocks say, so their means add up to its mean; quantiles do not.
//! The first and the last hop cross from one clock to the other: each is recorded by the clocks as they stand and is wrong by
//! their offset, in opposite directions. Hops may therefore be below zero as they are recorded, which no histogram takes:
//! [`Differences`] are two of them. A shift by the offset, known only in the end ([`Bounds`]), shifts every quantile alike.

use hdrhistogram::Histogram;
use protocol::outline::Stamp;
use reports::format::Latency;
use serde::{Deserialize, Serialize};

use super::latencies::{A_DAY, Latencies};
use super::tally::{Tally, tally};
use crate::clock::Micros;

/// A delivery, split; by default one that could not be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Split {
    /// Microseconds from the send to the first stamp, from each to the next, from the last to the receipt; empty where stamps
    /// are missing.
    hops: Vec<i64>,
    /// What it says of the clocks.
    bounds: Bounds,
}

impl Split {
    /// Of a push that was received `latency` after its send, which was at epoch microsecond `sent` of the generator's clock.
    /// A stamp that is less fine than a microsecond counts as in the middle of what it may mean. `None` where stamps are
    /// missing, or more than a day away: these are no stamps of this delivery.
    #[must_use]
    pub fn of(sent: i64, latency: Micros, stamps: &[i64], declared: &[Stamp]) -> Option<Self> {
        let received = sent.checked_add_unsigned(latency)?;
        let (first, last) = (*stamps.first()?, *stamps.last()?);
        let far = |one: i64, other: i64| one.abs_diff(other) > A_DAY;
        if stamps.len() != declared.len()
            || stamps.iter().any(|stamp| far(*stamp, sent))
            || far(last, received)
        {
            return None;
        }
        let middle = |(stamp, declared): (&i64, &Stamp)| stamp + i64::from(declared.resolution_us / 2);
        let middles = stamps.iter().zip(declared).map(middle);
        let mut before = sent;
        let hops = middles.chain([received]).map(|at| at - std::mem::replace(&mut before, at)).collect();
        let resolution = i64::from(declared.first()?.resolution_us);
        let bounds = Bounds { least: Some(last - received), most: Some(first + resolution - sent) };
        Some(Self { hops, bounds })
    }

    /// The first and the last hop together: the offset of the clocks is in both, with opposite signs, and in their sum no more.
    fn crossing(&self) -> i64 {
        self.hops.first().zip(self.hops.last()).map_or(0, |(first, last)| first + last)
    }
}

/// How far the backend's clock may be ahead of the generator's, in microseconds.
///
/// Nothing arrives before it left. By the generator's clock a first stamp was made after its send, so that the backend's clock
/// is ahead by no more than the stamp minus the send; and a last stamp was made before its receipt, so that it is ahead by no
/// less than the stamp minus the receipt. Every delivery narrows this, as round trips do in NTP (RFC 5905, §8).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// No less than this.
    pub least: Option<i64>,
    /// No more than this. Below `least`: the clocks of several machines of the backend differ, or one of them went on by a step.
    pub most: Option<i64>,
}

impl Tally for Bounds {
    fn merge(&mut self, other: &Self) {
        // `None` is the smallest of all.
        self.least = self.least.max(other.least);
        self.most = [self.most, other.most].into_iter().flatten().min();
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}

tally! {
    /// Microseconds that may be below zero.
    Differences {
        /// All of them together.
        sum: i64,
        /// Those from zero on.
        positive: Latencies,
        /// Those below, without their sign.
        negative: Option<Box<Latencies>>,
    }
}

impl Differences {
    fn record(&mut self, micros: i64) {
        self.sum += micros;
        if micros < 0 {
            self.negative.get_or_insert_default().record(micros.unsigned_abs());
        } else {
            self.positive.record(micros.unsigned_abs());
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.positive.histogram().len() + self.below().map_or(0, Histogram::len)
    }

    /// Their exact mean; 0 of none.
    #[must_use]
    pub fn mean(&self) -> f64 {
        if self.count() == 0 { 0.0 } else { self.sum as f64 / self.count() as f64 }
    }

    /// All of them moved by `shift`, in a few numbers. The mean is exact; what would still be below zero is shown as zero.
    #[must_use]
    pub fn latency(&self, shift: f64) -> Latency {
        if self.count() == 0 {
            return Latency::default();
        }
        let moved = |micros: i64| (micros as f64 + shift).round().max(0.0) as u64;
        let quantile = |q: f64| moved(self.at((q * self.count() as f64).ceil() as u64));
        let (above, below) = (self.positive.histogram(), self.below());
        let least = below.map_or_else(|| signed(above.min()), |below| -signed(below.max()));
        let most = match below {
            Some(below) if above.is_empty() => -signed(below.min()),
            _ => signed(above.max()),
        };
        Latency {
            count: self.count(),
            min: moved(least),
            mean: ((self.mean() + shift) * 10.0).round() / 10.0,
            p50: quantile(0.50),
            p90: quantile(0.90),
            p95: quantile(0.95),
            p99: quantile(0.99),
            p99_9: quantile(0.999),
            p99_99: quantile(0.9999),
            max: moved(most),
        }
    }

    /// How many are below zero when all of them are moved by `shift`.
    #[must_use]
    pub fn below_zero(&self, shift: f64) -> u64 {
        let all_below = self.below().map_or(0, Histogram::len);
        if shift > 0.0 {
            let kept = shift.floor() as u64;
            self.below().map_or(0, |below| below.count_between(kept + 1, u64::MAX))
        } else {
            let moved = (-shift).ceil() as u64;
            all_below + if moved == 0 { 0 } else { self.positive.histogram().count_between(0, moved - 1) }
        }
    }

    /// The one with this rank, from 1.
    fn at(&self, rank: u64) -> i64 {
        let below = self.below().map_or(0, Histogram::len);
        let rank = rank.max(1);
        // In the middle of a rank, so that no rounding leads to its neighbour.
        let of = |histogram: &Histogram<u64>, rank: u64| {
            signed(histogram.value_at_quantile((rank as f64 - 0.5) / histogram.len() as f64))
        };
        match self.below() {
            Some(histogram) if rank <= below => -of(histogram, below - rank + 1),
            _ => of(self.positive.histogram(), rank - below),
        }
    }

    /// The histogram of those below zero, if there are any.
    fn below(&self) -> Option<&Histogram<u64>> {
        self.negative.as_deref().map(Latencies::histogram).filter(|below| !below.is_empty())
    }
}

fn signed(micros: u64) -> i64 {
    i64::try_from(micros).unwrap_or(i64::MAX)
}

tally! {
    /// Deliveries of one kind, split into hops.
    HopsTally {
        /// Those that had not all of their stamps.
        incomplete: u64,
        /// Microseconds that these took, together.
        incomplete_us: i64,
        /// From the send to the receipt, of those that were split.
        whole: Differences,
        /// Their first and last hop together.
        crossing: Differences,
        /// Each hop by the clocks as they stand, in order.
        hops: Vec<Differences>,
        /// What they say of the clocks.
        bounds: Bounds,
    }
}

impl HopsTally {
    /// A delivery that took so long.
    pub(super) fn record(&mut self, latency: Micros, split: &Split) {
        let latency = signed(latency);
        if split.hops.is_empty() {
            self.incomplete += 1;
            self.incomplete_us += latency;
            return;
        }
        self.whole.record(latency);
        self.crossing.record(split.crossing());
        if self.hops.len() < split.hops.len() {
            self.hops.resize_with(split.hops.len(), Differences::default);
        }
        self.hops.iter_mut().zip(&split.hops).for_each(|(hop, micros)| hop.record(*micros));
        self.bounds.merge(&split.bounds);
    }

    /// Deliveries, split or not.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.whole.count() + self.incomplete
    }

    /// Their exact mean in microseconds.
    #[must_use]
    pub fn mean(&self) -> f64 {
        if self.count() == 0 {
            0.0
        } else {
            (self.whole.sum + self.incomplete_us) as f64 / self.count() as f64
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Some instant of 2023.
    const SENT: i64 = 1_700_000_000_000_000;

    fn declared(resolutions: &[u32]) -> Vec<Stamp> {
        resolutions.iter().map(|&resolution_us| Stamp { resolution_us, ..Stamp::default() }).collect()
    }

    #[test]
    fn a_delivery_is_split_at_its_stamps() {
        let stamps = [SENT + 100, SENT + 150, SENT + 900];
        let split = Split::of(SENT, 1_000, &stamps, &declared(&[1, 1, 1])).unwrap();
        assert_eq!(split.hops, [100, 50, 750, 100]);
        assert_eq!(split.crossing(), 200);
        assert_eq!(split.bounds, Bounds { least: Some(-100), most: Some(101) });
    }

    #[test]
    fn a_coarse_stamp_counts_as_in_the_middle_of_what_it_may_mean() {
        let split =
            Split::of(SENT + 400, 5_000, &[SENT + 1_000, SENT + 2_100], &declared(&[1_000, 1])).unwrap();
        assert_eq!(split.hops, [1_100, 600, 3_300]);
        assert_eq!(split.bounds.most, Some(1_600), "it may have been made at the end of its millisecond");
    }

    #[test]
    fn what_are_no_stamps_of_the_delivery_do_not_split_it() {
        let two = declared(&[1, 1]);
        let day = i64::try_from(A_DAY).unwrap();
        for stamps in [&[] as &[i64], &[SENT], &[SENT, SENT, SENT], &[SENT, 0], &[SENT + day + 1, SENT]] {
            assert_eq!(Split::of(SENT, 10, stamps, &two), None, "{stamps:?}");
        }
        assert_eq!(Split::of(SENT, 10, &[], &[]), None);
    }

    #[test]
    fn differences_keep_their_signs() {
        let mut differences = Differences::default();
        for micros in [-300, -100, -200, 50, 400] {
            differences.record(micros);
        }
        assert_eq!((differences.count(), differences.mean()), (5, -30.0));
        let moved = differences.latency(1_000.0);
        assert_eq!((moved.min, moved.p50, moved.p90, moved.max), (700, 900, 1_400, 1_400));
        assert_eq!(moved.mean, 970.0);
        assert_eq!(
            [0.0, 99.5, 100.0, 250.0, 300.0].map(|shift| differences.below_zero(shift)),
            [3, 3, 2, 1, 0]
        );
        assert_eq!([-49.0, -50.0, -51.0, -401.0].map(|shift| differences.below_zero(shift)), [3, 3, 4, 5]);
        let unmoved = differences.latency(0.0);
        assert_eq!((unmoved.min, unmoved.p50, unmoved.max, unmoved.mean), (0, 0, 400, -30.0));
        assert_eq!(Differences::default().latency(5.0), Latency::default());
    }

    #[test]
    fn an_emptied_tally_says_nothing_of_the_clocks() {
        let mut tally = HopsTally::default();
        tally.record(10, &Split::of(SENT, 10, &[SENT + 5], &declared(&[1])).unwrap());
        tally.record(7, &Split::default());
        assert_eq!((tally.count(), tally.incomplete, tally.mean()), (2, 1, 8.5));
        tally.clear();
        assert_eq!((tally.count(), tally.bounds), (0, Bounds::default()));
    }

    /// Deliveries of a backend whose clock is ahead: each with the true lengths of its hops.
    fn deliveries() -> impl Strategy<Value = (i64, Vec<(u32, Vec<u32>)>)> {
        let delivery = (0..10_000_000_u32, prop::collection::vec(0..300_000_u32, 4));
        (-5_000_000..5_000_000_i64, prop::collection::vec(delivery, 1..60))
    }

    proptest! {
        /// Whatever the clocks say: the means add up, and the offset lies within its bounds.
        #[test]
        fn means_add_up_and_the_offset_is_found((ahead, deliveries) in deliveries()) {
            let declared = declared(&[1_000, 1, 1]);
            let (mut tallies, mut each) = (vec![HopsTally::default(); 3], Vec::new());
            for (index, (at, hops)) in deliveries.iter().enumerate() {
                let sent = SENT + i64::from(*at);
                let mut stamps: Vec<i64> = Vec::new();
                let mut now = sent + ahead;
                for hop in &hops[..3] {
                    now += i64::from(*hop);
                    stamps.push(now);
                }
                stamps[0] -= stamps[0] % 1_000;
                let latency: u64 = hops.iter().map(|hop| u64::from(*hop)).sum();
                each.push(latency);
                tallies[index % 3].record(latency, &Split::of(sent, latency, &stamps, &declared).unwrap());
            }
            let mut all = HopsTally::default();
            for tally in &tallies {
                // As if it came from another process.
                let sent = postcard::to_stdvec(tally).unwrap();
                all.merge(&postcard::from_bytes::<HopsTally>(&sent).unwrap());
            }
            prop_assert_eq!(all.hops.len(), 4);
            let mean = each.iter().sum::<u64>() as f64 / each.len() as f64;
            let sum: f64 = all.hops.iter().map(Differences::mean).sum();
            prop_assert!((sum - mean).abs() < 1e-6 * (1.0 + mean.abs()), "{sum} instead of {mean}");
            let crossing = all.hops[0].mean() + all.hops[3].mean();
            prop_assert!((crossing - all.crossing.mean()).abs() < 1.0);
            let (least, most) = (all.bounds.least.unwrap(), all.bounds.most.unwrap());
            prop_assert!((least..=most).contains(&ahead), "{ahead} is not from {least} to {most}");
            // The shortest ways bound it: half of what they took is the error.
            let shortest = |hop: usize| deliveries.iter().map(|(_, hops)| i64::from(hops[hop])).min().unwrap();
            prop_assert!(most - least <= shortest(0) + shortest(3) + 1_000);
        }
    }
}
