//! Change points: where the level of a series of measurements, one for each commit or night, changed and stayed.
//!
//! E-divisive means (D. Matteson, N. James 2014, JASA 109:334) with the windows, the weak points and the t-test of Hunter
//! (M. Fleming et al. 2023, ICPE, doi 10.1145/3578244.3583719), and six changes that `docs/history.md` holds against it:
//!
//! - a level has at least [`FEWEST`] points, and [`FEWEST_ENDED`] if it ended: outliers are none, and do not hide one beside them;
//! - a candidate is judged by the two stretches that differ most, not by all that lies behind them: a second change hides no first;
//! - neighbours that resemble each other count for fewer: the t-test's sizes are those of independent points;
//! - the series was searched for its best split, so a probability counts for as many tests as there are places;
//! - outliers are brought in before the t-test (winsorised), and count as they are in the noise;
//! - a window's candidate that fails ends the search of its stretch only, not that of the window.
//!
//! Nothing is drawn at random: the same series has the same change points.

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::dependence::autocorrelation;

/// Fewest points of the last level: one or two high nights are outliers, not a level.
pub const FEWEST: usize = 3;

/// Fewest points of a level that ended again: a few outliers close to each other are none.
pub const FEWEST_ENDED: usize = 5;

/// Points that are searched at once: an early change must not hide a late one.
const WINDOW: usize = 50;

/// Highest probability of a candidate's t-test, Hunter's.
const WEAK: f64 = 0.001;

/// How sure and how large a change must be to be told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    /// Probability of any false change in a series without change, 0 to 1.
    pub alpha: f64,
    /// Least change of the level, as a share of the level before.
    pub min_effect: f64,
}

impl Default for Bar {
    /// One series in twenty, and 1 %.
    fn default() -> Self {
        Self { alpha: 0.05, min_effect: 0.01 }
    }
}

/// A place at which the level changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// The first point of the new level.
    pub at: usize,
    /// Mean of the level before, outliers brought in.
    pub before: f64,
    /// Mean of the level from here on.
    pub after: f64,
    /// Probability of such a change by noise, anywhere in the series: the t-test's, times the places.
    pub probability: f64,
}

impl Change {
    /// The change as a share of the level before; infinite where that is 0.
    #[must_use]
    pub fn effect(&self) -> f64 {
        (self.after - self.before) / self.before.abs()
    }
}

/// A level: a stretch without change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// Its first point.
    pub from: usize,
    /// The point after its last.
    pub to: usize,
    /// The mean of its points, outliers brought to four robust standard deviations.
    pub mean: f64,
}

/// The levels between the changes; none for an empty series.
#[must_use]
pub fn levels(values: &[f64], changes: &[Change]) -> Vec<Level> {
    let at: Vec<usize> = changes.iter().map(|change| change.at).collect();
    if values.is_empty() {
        return Vec::new();
    }
    let tamed = tamed(values, &at);
    let piece = |(from, to): (usize, usize)| Level { from, to, mean: mean(&tamed[from..to]) };
    pieces(values.len(), &at).map(piece).collect()
}

/// Standard deviation of the points around their levels; `None` with fewer than [`FEWEST`] points beyond the number of levels.
#[must_use]
pub fn noise(values: &[f64], changes: &[Change]) -> Option<f64> {
    let levels = levels(values, changes);
    let free = values.len().checked_sub(levels.len()).filter(|free| *free >= FEWEST)?;
    let square = |level: &Level| sum_of_squares(&values[level.from..level.to]);
    Some((levels.iter().map(square).sum::<f64>() / free as f64).sqrt())
}

/// The change points of a series, ascending. Values must be finite; a series shorter than two levels has none.
#[must_use]
pub fn changes(values: &[f64], bar: Bar) -> Vec<Change> {
    if values.len() < FEWEST_ENDED + FEWEST || values.iter().any(|value| !value.is_finite()) {
        return Vec::new();
    }
    let places = (values.len() - FEWEST_ENDED - FEWEST + 1) as f64;
    let weak = split(values);
    merge(values, weak, bar, places)
}

/// Weak points: each window is split where its parts differ most, as long as a t-test says that they do.
fn split(values: &[f64]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut start = 0;
    while start + FEWEST_ENDED + FEWEST <= values.len() {
        let end = (start + WINDOW).min(values.len());
        let in_window = Divergence::of(&values[start..end]).divide();
        let last = in_window.last().map_or(0, |last| start + last);
        found.extend(in_window.into_iter().map(|at| start + at));
        if end == values.len() {
            break;
        }
        // Windows overlap, so that no change lies at the edge of all that see it.
        start = last.max(start + WINDOW / 2);
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Takes away the weakest point until all that are left are sure and large enough; its neighbours are judged again each time.
fn merge(values: &[f64], mut at: Vec<usize>, bar: Bar, places: f64) -> Vec<Change> {
    loop {
        let resemblance = resemblance(values, &at);
        let tamed = tamed(values, &at);
        let judged: Vec<Change> = (0..at.len())
            .map(|index| {
                let before = index.checked_sub(1).map_or(0, |index| at[index]);
                let after = at.get(index + 1).copied().unwrap_or(values.len());
                let (left, right) = (&tamed[before..at[index]], &tamed[at[index]..after]);
                let probability = (students(left, right, resemblance) * places).min(1.0);
                Change { at: at[index], before: mean(left), after: mean(right), probability }
            })
            .collect();
        let close = |change: &&Change| !far_enough(&at, change.at, values.len());
        let least_sure = judged.iter().max_by(|a, b| a.probability.total_cmp(&b.probability));
        let smallest = judged.iter().min_by(|a, b| a.effect().abs().total_cmp(&b.effect().abs()));
        let weakest = judged
            .iter()
            .filter(close)
            .max_by(|a, b| a.probability.total_cmp(&b.probability))
            .or(least_sure.filter(|change| change.probability > bar.alpha))
            .or(smallest.filter(|change| is_less(change.effect().abs(), bar.min_effect)));
        match weakest {
            Some(weakest) => at.retain(|place| *place != weakest.at),
            None => return judged,
        }
    }
}

/// Whether the levels on both sides of a place have enough points.
fn far_enough(all: &[usize], at: usize, len: usize) -> bool {
    let others = all.iter().copied().filter(|other| *other != at).chain([0]);
    len - at >= FEWEST && others.into_iter().all(|other| at.abs_diff(other) >= FEWEST_ENDED)
}

/// The stretches between the places.
fn pieces(len: usize, at: &[usize]) -> impl Iterator<Item = (usize, usize)> {
    std::iter::once(0).chain(at.iter().copied()).zip(at.iter().copied().chain([len]))
}

/// The correlation of neighbours around their levels. Each level's mean is estimated and takes `(1 + 3r) / n` from it (M. Kendall 1954,
/// Biometrika 41:403), which is given back. A standard error is added, for a series that by chance looks as if its points were independent
/// alarms most easily; what is below 0 counts as 0.
fn resemblance(values: &[f64], at: &[usize]) -> Resemblance {
    let values = tamed(values, at);
    let residuals: Vec<f64> = pieces(values.len(), at)
        .flat_map(|(from, to)| {
            let mean = mean(&values[from..to]);
            values[from..to].iter().map(move |value| value - mean)
        })
        .collect();
    let n = residuals.len() as f64;
    let r = autocorrelation(&residuals, 1);
    let levels = at.len() as f64 + 1.0;
    let r = (r + levels * (1.0 + 3.0 * r) / n + 1.0 / n.sqrt()).clamp(0.0, 0.9);
    Resemblance(r)
}

/// The points with outliers brought to four robust standard deviations from the median of their level: one bad night must neither
/// make a change nor hide one (winsorising, J. Tukey 1962, Ann. Math. Stat. 33:1).
fn tamed(values: &[f64], at: &[usize]) -> Vec<f64> {
    let medians: Vec<f64> = pieces(values.len(), at)
        .flat_map(|(from, to)| std::iter::repeat_n(median(values[from..to].to_vec()), to - from))
        .collect();
    let distances = values.iter().zip(&medians).map(|(value, median)| (value - median).abs()).collect();
    // The median of the absolute deviations is 0.6745 standard deviations of a normal distribution.
    let most = 4.0 * median(distances) / 0.674_5;
    if most <= 0.0 {
        return values.to_vec();
    }
    values.iter().zip(&medians).map(|(value, median)| value.clamp(median - most, median + most)).collect()
}

/// The middle of some values; of two, the mean.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) }
}

/// How much neighbours resemble each other: the correlation of a first-order autoregressive series.
#[derive(Clone, Copy)]
struct Resemblance(f64);

impl Resemblance {
    /// As which share of their number points count for a mean (G. Bartlett 1946, Suppl. JRSS 8:27).
    fn for_mean(self) -> f64 {
        (1.0 - self.0) / (1.0 + self.0)
    }

    /// As which share of their number points count for a spread (the same).
    fn for_spread(self) -> f64 {
        (1.0 - self.0.powi(2)) / (1.0 + self.0.powi(2))
    }
}

/// Two-sided probability of Student's t-test of two samples of one spread.
fn students(left: &[f64], right: &[f64], resemblance: Resemblance) -> f64 {
    let share = resemblance.for_mean();
    let (n, m) = (left.len() as f64, right.len() as f64);
    // Means of what resembles each other follow the points: less spread is left than there was.
    let free = n + m - 2.0 / share;
    let freedom = (n + m - 2.0) * resemblance.for_spread();
    if free <= 0.0 || freedom <= 0.0 {
        return 1.0;
    }
    let difference = (mean(left) - mean(right)).abs();
    let variance = (sum_of_squares(left) + sum_of_squares(right)) / free;
    // Counts and sizes may have no spread at all.
    if variance <= f64::EPSILON * difference * difference {
        return if difference > 0.0 { 0.0 } else { 1.0 };
    }
    let (n, m) = ((n * share).max(1.0), (m * share).max(1.0));
    let t = difference / (variance * (1.0 / n + 1.0 / m)).sqrt();
    StudentsT::new(0.0, 1.0, freedom).map_or(1.0, |students| 2.0 * students.sf(t))
}

/// The distances of the points of a window, summed up so that any block of them costs four look-ups.
struct Divergence<'a> {
    values: &'a [f64],
    /// Row by row, one longer each way: the sum of all distances above and to the left.
    sums: Vec<f64>,
}

impl<'a> Divergence<'a> {
    fn of(values: &'a [f64]) -> Self {
        let side = values.len() + 1;
        let mut sums = vec![0.0; side * side];
        for (i, a) in values.iter().enumerate() {
            let mut row = 0.0;
            for (j, b) in values.iter().enumerate() {
                row += (a - b).abs();
                sums[(i + 1) * side + j + 1] = sums[i * side + j + 1] + row;
            }
        }
        Self { values, sums }
    }

    /// The sum of the distances between two stretches.
    fn between(&self, rows: (usize, usize), columns: (usize, usize)) -> f64 {
        let at = |row: usize, column: usize| self.sums[row * (self.values.len() + 1) + column];
        at(rows.1, columns.1) - at(rows.0, columns.1) - at(rows.1, columns.0) + at(rows.0, columns.0)
    }

    /// Matteson and James' divergence of two neighbouring stretches, scaled, with the exponent 1.
    fn divergence(&self, start: usize, at: usize, end: usize) -> f64 {
        let (left, right) = ((start, at), (at, end));
        let (n, m) = ((at - start) as f64, (end - at) as f64);
        // Each pair within a stretch stands in its block twice.
        let within = |part, n: f64| self.between(part, part) / (n * (n - 1.0));
        let energy = 2.0 * self.between(left, right) / (n * m) - within(left, n) - within(right, m);
        n * m / (n + m) * energy
    }

    /// Where a stretch is split best, and where the right part ends, which may be before the stretch does.
    fn best(&self, start: usize, end: usize) -> Option<(usize, usize)> {
        let splits = (start + FEWEST_ENDED + FEWEST..=end).flat_map(|until| {
            let fewest = if until == self.values.len() { FEWEST } else { FEWEST_ENDED };
            (start + FEWEST_ENDED..=until.saturating_sub(fewest)).map(move |at| (at, until))
        });
        splits
            .map(|(at, until)| ((at, until), self.divergence(start, at, until)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(best, _)| best)
    }

    /// Splits the window for as long as a t-test tells the parts apart: those that differ most, not all that lies behind them.
    fn divide(&self) -> Vec<usize> {
        let mut found = Vec::new();
        let mut open = vec![(0, self.values.len())];
        while let Some((start, end)) = open.pop() {
            let Some((at, until)) = self.best(start, end) else { continue };
            let tamed = tamed(&self.values[start..until], &[at - start]);
            let (left, right) = tamed.split_at(at - start);
            if students(left, right, Resemblance(0.0)) <= WEAK {
                found.push(at);
                open.extend([(start, at), (at, end)]);
            }
        }
        found.sort_unstable();
        found
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// What is no number is less, too: an effect without a level to relate it to is none.
fn is_less(effect: f64, bar: f64) -> bool {
    effect.partial_cmp(&bar).is_none_or(std::cmp::Ordering::is_lt)
}

/// Of the distances from the mean.
fn sum_of_squares(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::simulation::Draw;

    fn places(values: &[f64], bar: Bar) -> Vec<usize> {
        changes(values, bar).iter().map(|change| change.at).collect()
    }

    #[test]
    fn the_example_of_hunter() {
        // datastax-labs/hunter, tests/analysis_test.py: one change, at 10.
        let series = [
            1.02, 0.95, 0.99, 1.00, 1.12, 1.00, 1.01, 0.98, 1.01, 0.96, 0.50, 0.51, 0.48, 0.48, 0.55, 0.50,
            0.49, 0.51, 0.50, 0.49,
        ];
        let found = changes(&series, Bar::default());
        assert_eq!(found.len(), 1);
        let Change { at, before, after, probability } = found[0];
        assert_eq!(at, 10);
        assert!((before - 1.004).abs() < 0.01 && (after - 0.501).abs() < 0.001, "{found:?}");
        assert!(probability < 1e-6, "{found:?}");
        assert!((found[0].effect() + 0.501).abs() < 0.005, "{found:?}");
        let levels = levels(&series, &found);
        assert_eq!(
            levels.iter().map(|level| (level.from, level.to)).collect::<Vec<_>>(),
            [(0, 10), (10, 20)]
        );
        // √((0.01944 + 0.00409) / 18), by hand.
        assert!((noise(&series, &found).expect("enough") - 0.0362).abs() < 1e-3);
    }

    #[test]
    fn students_test_as_textbooks_have_it() {
        // Two samples of equal size (en.wikipedia.org/wiki/Student's_t-test, worked example, variances not assumed equal there): the
        // pooled statistic is 1.959 with 10 degrees of freedom, P = 0.0786.
        let a = [30.02, 29.99, 30.11, 29.97, 30.01, 29.99];
        let b = [29.89, 29.93, 29.72, 29.98, 30.02, 29.98];
        let independent = Resemblance(0.0);
        assert!((students(&a, &b, independent) - 0.0786).abs() < 5e-4, "{}", students(&a, &b, independent));
        // Points that resemble each other say less.
        assert!(students(&a, &b, Resemblance(0.5)) > 0.3);
        assert!((students(&[1.0; 5], &[1.0; 5], independent) - 1.0).abs() < f64::EPSILON);
        assert!(students(&[1.0; 5], &[2.0; 5], independent).abs() < f64::EPSILON);
    }

    #[test]
    fn the_divergence_is_that_of_its_definition() {
        // Between: (2 + 3 + 4 + 1 + 2 + 3) / 6 = 2.5; within: |0 - 1| = 1 and (1 + 2 + 1) / 3; 2 * 3 / 5 of 5 - 1 - 4/3.
        let divergence = Divergence::of(&[0.0, 1.0, 2.0, 3.0, 4.0]).divergence(0, 2, 5);
        assert!((divergence - 1.2 * (5.0 - 1.0 - 4.0 / 3.0)).abs() < 1e-12, "{divergence}");
    }

    #[test]
    fn outliers_are_no_level_and_hide_none() {
        let mut series: Vec<f64> = (0..40).map(|n| 100.0 + f64::from(n % 5)).collect();
        series[13] = 180.0;
        series[14] = 175.0;
        assert!(places(&series, Bar::default()).is_empty());
        for value in &mut series[25..] {
            *value += 20.0;
        }
        assert_eq!(places(&series, Bar::default()), [25]);
    }

    #[test]
    fn changes_do_not_hide_each_other() {
        // Up by 12 %, then down by 17 %: the mean of all that follows the first is nearly as before.
        let level = |n: u32| {
            if n < 18 {
                100.0
            } else if n < 33 {
                112.0
            } else {
                95.0
            }
        };
        let series: Vec<f64> = (0..44).map(|n| level(n) + f64::from(n * 7 % 11) / 3.0).collect();
        assert_eq!(places(&series, Bar { alpha: 0.005, ..Bar::default() }), [18, 33]);
    }

    #[test]
    fn what_is_too_small_is_not_told() {
        let series: Vec<f64> =
            (0..40).map(|n| if n < 20 { 100.0 } else { 100.8 } + f64::from(n % 2) / 10.0).collect();
        assert!(places(&series, Bar::default()).is_empty());
        assert_eq!(places(&series, Bar { min_effect: 0.005, ..Bar::default() }), [20]);
        let from_zero: Vec<f64> = (0..40).map(|n| if n < 20 { 0.0 } else { 0.1 }).collect();
        let found = changes(&from_zero, Bar::default());
        assert!(found.len() == 1 && found[0].effect().is_infinite(), "{found:?}");
    }

    #[test]
    fn what_cannot_be_searched_has_no_changes() {
        assert!(changes(&[], Bar::default()).is_empty());
        assert!(changes(&[1.0, 1.0, 1.0, 9.0, 9.0], Bar::default()).is_empty());
        assert!(changes(&[1.0, 1.0, f64::NAN, 9.0, 9.0, 9.0, 9.0], Bar::default()).is_empty());
        assert_eq!(levels(&[], &[]), []);
        assert_eq!(noise(&[1.0, 2.0], &[]), None);
    }

    #[test]
    fn series_without_change_rarely_alarm() {
        // 400 series of 50 points each: white, and with neighbours that resemble each other.
        for (phi, most) in [(0.0, 12), (0.3, 16), (0.5, 20)] {
            let mut draw = Draw(11);
            let alarms = (0..400)
                .filter(|_| {
                    let series: Vec<f64> =
                        draw.ar1(50, phi).iter().map(|value| 100.0 + value * 4.0).collect();
                    !changes(&series, Bar::default()).is_empty()
                })
                .count();
            assert!(alarms <= most, "{alarms} of 400 at {phi}");
        }
    }

    #[test]
    fn three_noise_widths_are_found_where_they_are() {
        let mut draw = Draw(5);
        let found = (0..200)
            .filter(|n| {
                let at = 5 + n % 40;
                let series: Vec<f64> = draw
                    .ar1(50, 0.0)
                    .iter()
                    .enumerate()
                    .map(|(index, value)| 100.0 + value * 4.0 + if index < at { 0.0 } else { 12.0 })
                    .collect();
                matches!(places(&series, Bar::default())[..], [place] if place.abs_diff(at) <= 1)
            })
            .count();
        assert!(found >= 180, "{found} of 200");
    }

    proptest! {
        #[test]
        fn scale_and_direction_do_not_matter(
            values in prop::collection::vec(50.0..150.0_f64, 6..90),
            scale in 0.001..1000.0_f64,
        ) {
            let bar = Bar { min_effect: 0.0, ..Bar::default() };
            let found = places(&values, bar);
            prop_assert_eq!(&found, &places(&values, bar), "the same twice");
            let scaled: Vec<f64> = values.iter().map(|value| value * scale).collect();
            prop_assert_eq!(found.len(), places(&scaled, bar).len());
            let mut last = 0;
            for at in found.iter().copied().chain([values.len()]) {
                prop_assert!(at - last >= FEWEST);
                last = at;
            }
        }
    }
}
