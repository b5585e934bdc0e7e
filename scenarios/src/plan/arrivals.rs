//! When arrivals are due: evenly spaced, as a Poisson process, or as recorded; each a pure function of an index.
//!
//! *Poisson* arrivals are a process of rate one on the axis of N(t), carried over to time by N⁻¹: by the time-change
//! theorem the result is a Poisson process whose rate follows the load (E. Çinlar, "Introduction to Stochastic
//! Processes", 1975, §4.7; L. Devroye, "Non-Uniform Random Variate Generation", 1986, §VI.1.3). The process of rate
//! one is not drawn gap by gap, which would make arrival *i* cost *i* draws: the axis is cut into cells of equal
//! area, the number of arrivals in a cell is drawn from the Poisson distribution, and given that number their places
//! are independent and uniform (J. Kingman, "Poisson Processes", 1993, §2.4). Each cell has a generator of its own,
//! seeded by seed, operation and cell; a plan keeps one running sum per cell, so that arrival *i* costs one search
//! and one cell, whoever asks for it.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Poisson};

use crate::plan::curve::Curve;
use crate::plan::shard::Shard;

/// Area of a cell: the expected number of arrivals in it.
const CELL: f64 = 256.0;

/// Most arrivals that random or recorded arrivals may come to: 8 MiB of running sums for a thousand million.
pub const MOST_RANDOM: f64 = 1e9;

/// The arrivals of one operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrivals(Source);

/// How arrivals are spaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Evenly along the load.
    Even,
    /// At random along the load.
    Random,
    /// As recorded.
    Recorded,
}

#[derive(Debug, Clone, PartialEq)]
enum Source {
    Even { curve: Curve, rate: f64 },
    Random { curve: Curve, rate: f64, cells: Arc<Cells> },
    Recorded(Arc<[Duration]>),
}

/// A Poisson process of rate one on an axis of finite length.
#[derive(Debug, PartialEq)]
struct Cells {
    seed: u64,
    length: f64,
    /// Arrivals up to the end of each cell.
    sums: Vec<u64>,
}

impl Cells {
    fn new(seed: u64, length: f64) -> Self {
        let mut cells = Self { seed, length, sums: Vec::new() };
        let mut sum = 0;
        for cell in 0..(length / CELL).ceil() as usize {
            sum += cells.count(cell).1;
            cells.sums.push(sum);
        }
        cells
    }

    /// The cell's generator after it has given the cell's number of arrivals, and that number.
    fn count(&self, cell: usize) -> (SmallRng, u64) {
        let mut random =
            SmallRng::seed_from_u64(self.seed ^ (cell as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        // Fails only for an area that is not above zero, and there nothing arrives.
        let count = Poisson::new(self.area(cell)).map_or(0, |poisson| poisson.sample(&mut random) as u64);
        (random, count)
    }

    fn area(&self, cell: usize) -> f64 {
        (self.length - cell as f64 * CELL).min(CELL)
    }

    /// The places of a cell's arrivals on the axis, in order.
    fn places(&self, cell: usize) -> Vec<f64> {
        let (mut random, count) = self.count(cell);
        let (start, area) = (cell as f64 * CELL, self.area(cell));
        let mut places: Vec<f64> = (0..count).map(|_| start + area * random.random::<f64>()).collect();
        places.sort_unstable_by(f64::total_cmp);
        places
    }

    /// The cell of an arrival, and its number within the cell.
    fn find(&self, index: u64) -> Option<(usize, usize)> {
        let cell = self.sums.partition_point(|sum| *sum <= index);
        let end = self.sums.get(cell)?;
        let before = cell.checked_sub(1).map_or(0, |before| self.sums[before]);
        debug_assert!(index < *end);
        Some((cell, (index - before) as usize))
    }
}

impl Arrivals {
    /// Evenly spaced along the load.
    #[must_use]
    pub const fn even(curve: Curve, rate: f64) -> Self {
        Self(Source::Even { curve, rate })
    }

    /// A Poisson process along the load.
    #[must_use]
    pub fn poisson(curve: Curve, rate: f64, seed: u64) -> Self {
        let cells = Arc::new(Cells::new(seed, curve.area() * rate));
        Self(Source::Random { curve, rate, cells })
    }

    /// At these offsets from the run's start, in any order.
    #[must_use]
    pub fn recorded(mut offsets: Vec<Duration>) -> Self {
        offsets.sort_unstable();
        Self(Source::Recorded(offsets.into()))
    }

    /// None at all: what is done comes from elsewhere.
    #[must_use]
    pub fn none() -> Self {
        Self::recorded(Vec::new())
    }

    /// How they are spaced.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self.0 {
            Source::Even { .. } => Kind::Even,
            Source::Random { .. } => Kind::Random,
            Source::Recorded(_) => Kind::Recorded,
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        match &self.0 {
            Source::Even { curve, rate } => curve.arrivals(*rate),
            Source::Random { cells, .. } => cells.sums.last().copied().unwrap_or(0),
            Source::Recorded(offsets) => offsets.len() as u64,
        }
    }

    /// When arrival `index` is due, from the run's start; `None` past the end.
    #[must_use]
    pub fn due(&self, index: u64) -> Option<Duration> {
        match &self.0 {
            Source::Even { curve, rate } => curve.due(*rate, index),
            Source::Random { curve, rate, cells } => {
                let (cell, within) = cells.find(index)?;
                curve.when(cells.places(cell)[within] / rate)
            }
            Source::Recorded(offsets) => offsets.get(usize::try_from(index).ok()?).copied(),
        }
    }

    /// How many are due before an offset from the run's start.
    #[must_use]
    pub fn before(&self, offset: Duration) -> u64 {
        let (mut low, mut high) = (0, self.count());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.due(middle).is_some_and(|due| due < offset) { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// The expected number between two offsets from the run's start.
    #[must_use]
    pub fn between(&self, from: Duration, to: Duration) -> f64 {
        match &self.0 {
            Source::Even { curve, rate } | Source::Random { curve, rate, .. } => {
                (curve.area_until(to) - curve.area_until(from)) * rate
            }
            Source::Recorded(offsets) => {
                let before = |instant| offsets.partition_point(|offset| *offset < instant);
                before(to).saturating_sub(before(from)) as f64
            }
        }
    }

    /// A worker's arrivals in order, each with its index: cheaper than one by one.
    #[must_use]
    pub const fn of(&self, shard: Shard) -> Cursor<'_> {
        Cursor { arrivals: self, next: shard.first(), step: shard.step(), cell: None }
    }
}

/// A worker's arrivals, in order.
#[derive(Debug)]
pub struct Cursor<'a> {
    arrivals: &'a Arrivals,
    next: u64,
    step: u64,
    /// The cell at hand, with its places.
    cell: Option<(usize, Vec<f64>)>,
}

impl Iterator for Cursor<'_> {
    type Item = (u64, Duration);

    fn next(&mut self) -> Option<Self::Item> {
        let index = self.next;
        let due = match &self.arrivals.0 {
            Source::Random { curve, rate, cells } => {
                let (cell, within) = cells.find(index)?;
                if self.cell.as_ref().is_none_or(|(at_hand, _)| *at_hand != cell) {
                    self.cell = Some((cell, cells.places(cell)));
                }
                let (_, places) = self.cell.as_ref()?;
                curve.when(places.get(within)? / rate)?
            }
            _ => self.arrivals.due(index)?,
        };
        self.next += self.step;
        Some((index, due))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::plan::curve::{Line, Wave};

    fn curve() -> Curve {
        let pieces = [
            Line { seconds: 5.0, from: 0.0, to: 1.0 }.into(),
            Line::level(3.0, 2.0).into(),
            Wave { seconds: 8.0, mean: 1.0, amplitude: 0.8, period: 4.0 }.into(),
        ];
        Curve::new(Duration::from_secs(1), &pieces)
    }

    fn any_kind() -> impl Strategy<Value = Arrivals> {
        let rate = 0.0_f64..400.0;
        prop_oneof![
            rate.clone().prop_map(|rate| Arrivals::even(curve(), rate)),
            (rate, any::<u64>()).prop_map(|(rate, seed)| Arrivals::poisson(curve(), rate, seed)),
            prop::collection::vec((0_u64..10_000).prop_map(Duration::from_millis), 0..300)
                .prop_map(Arrivals::recorded),
        ]
    }

    proptest! {
        /// Several workers together have each arrival exactly once, and each at the same instant as one worker alone.
        #[test]
        fn shards_are_together_exactly_the_plan(arrivals in any_kind(), workers in 1_u32..9) {
            let whole: Vec<_> = arrivals.of(Shard::WHOLE).collect();
            prop_assert_eq!(whole.len() as u64, arrivals.count());
            let mut together: Vec<_> = (0..workers)
                .flat_map(|worker| arrivals.of(Shard::new(worker, workers).unwrap()).collect::<Vec<_>>())
                .collect();
            together.sort_unstable();
            prop_assert_eq!(&together, &whole);
            prop_assert!(whole.windows(2).all(|pair| pair[0].1 <= pair[1].1), "in order");
        }

        #[test]
        fn an_index_may_be_asked_for_alone(arrivals in any_kind(), pick in any::<prop::sample::Index>()) {
            let whole: Vec<_> = arrivals.of(Shard::WHOLE).collect();
            if !whole.is_empty() {
                let (index, due) = whole[pick.index(whole.len())];
                prop_assert_eq!(arrivals.due(index), Some(due));
            }
            prop_assert_eq!(arrivals.due(arrivals.count()), None);
            let middle = Duration::from_millis(pick.index(20_000) as u64);
            let before = whole.iter().filter(|(_, due)| *due < middle).count() as u64;
            prop_assert_eq!(arrivals.before(middle), before);
        }
    }

    fn steady(rate: f64, seconds: f64, seed: u64) -> Vec<f64> {
        let curve = Curve::new(Duration::ZERO, &[Line::level(seconds, 1.0).into()]);
        let arrivals = Arrivals::poisson(curve, rate, seed);
        arrivals.of(Shard::WHOLE).map(|(_, due)| due.as_secs_f64()).collect()
    }

    #[test]
    fn poisson_counts_have_the_mean_and_the_variance_of_their_rate() {
        // 20 runs of 1,000 s at 50/s, counted second by second: Σ(x − λ)²/λ has n degrees of freedom.
        let (rate, seconds) = (50.0, 1_000_usize);
        let mut counts = Vec::new();
        for seed in 0..20 {
            let mut run = vec![0_u32; seconds];
            steady(rate, seconds as f64, seed).iter().for_each(|due| run[*due as usize] += 1);
            counts.extend(run);
        }
        let n = counts.len() as f64;
        let mean = counts.iter().map(|count| f64::from(*count)).sum::<f64>() / n;
        // Four standard errors.
        assert!((mean - rate).abs() < 4.0 * (rate / n).sqrt(), "{mean}");
        let chi_square: f64 = counts.iter().map(|count| (f64::from(*count) - rate).powi(2) / rate).sum();
        assert!((chi_square - n).abs() < 4.0 * (2.0 * n).sqrt(), "index of dispersion {}", chi_square / n);
    }

    #[test]
    fn poisson_gaps_are_exponential_across_cells() {
        // Kolmogorov–Smirnov: √n · D stays below 1.63 in 99 of 100 samples of the right distribution.
        for seed in [1, 2, 3] {
            let due = steady(40.0, 500.0, seed);
            let mut gaps: Vec<_> = due.windows(2).map(|pair| pair[1] - pair[0]).collect();
            gaps.sort_unstable_by(f64::total_cmp);
            let n = gaps.len() as f64;
            let distance = gaps
                .iter()
                .enumerate()
                .map(|(index, gap)| {
                    let theory = 1.0 - (-gap * 40.0).exp();
                    (theory - index as f64 / n).abs().max(((index + 1) as f64 / n - theory).abs())
                })
                .fold(0.0, f64::max);
            assert!(distance * n.sqrt() < 1.63, "seed {seed}: {}", distance * n.sqrt());
        }
    }

    #[test]
    fn poisson_arrivals_follow_the_load() {
        let arrivals = Arrivals::poisson(curve(), 2_000.0, 7);
        for (from, to) in [(1, 6), (6, 9), (9, 11), (11, 13)] {
            let (from, to) = (Duration::from_secs(from), Duration::from_secs(to));
            let came = arrivals.of(Shard::WHOLE).filter(|(_, due)| (from..to).contains(due)).count() as f64;
            let planned = arrivals.between(from, to);
            assert!((came - planned).abs() < 4.0 * planned.sqrt(), "{came} of {planned}");
        }
    }

    #[test]
    fn a_seed_is_a_process_of_its_own() {
        assert_eq!(steady(10.0, 100.0, 1), steady(10.0, 100.0, 1));
        assert_ne!(steady(10.0, 100.0, 1), steady(10.0, 100.0, 2));
        assert!(Arrivals::poisson(curve(), 0.0, 1).count() == 0);
    }
}
