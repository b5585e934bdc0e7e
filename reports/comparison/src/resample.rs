//! How much a percentile or a ratio would vary: seconds are drawn again in blocks, their histograms merged, and the value taken anew.
//!
//! A resample of a percentile needs no histogram of its own. Counts up to a value are summed over the seconds once; a block's count is then a
//! difference of two sums, and the percentile is found by bisection over the values near it.

use std::ops::Range;

use rand::rngs::StdRng;
use statistics::blocks::{Blocks, block_length};
use statistics::quantiles;

use crate::counted::Counted;
use crate::side::{Difference, Runs, Side};
use crate::timed::{Bin, Distribution, Timed};

/// Fewer points say nothing of how a run varies.
const FEWEST_POINTS: usize = 10;
/// Fewer samples beyond a percentile make it weak.
const FEWEST_BEYOND: f64 = 10.0;
/// Values near a percentile at which samples are counted.
const EDGES: u64 = 96;
/// How many standard errors of its rank to each side of a percentile are near it.
const NEAR: f64 = 6.0;
/// Coverage that the samples of a percentile have to carry.
const ALPHA: f64 = 0.05;

/// A percentile of the runs of one side. `all` are their samples together, `each` those of each run.
///
/// # Errors
/// In words, why it cannot be told.
pub(crate) fn quantile(
    runs: &[Timed],
    (all, each): (&Distribution, &[Distribution]),
    q: f64,
    resamples: u32,
    dice: &mut StdRng,
) -> Result<Side, String> {
    enough_points(runs.iter().map(Timed::filled))?;
    let samples = all.total();
    if quantiles::ranks(samples, q, ALPHA).is_none() || samples as f64 * (1.0 - q) + 1e-6 < FEWEST_BEYOND {
        return Err(format!("{samples} samples do not carry it"));
    }
    let value = all.quantile(q);
    let place = |value: f64| Difference::Relative.place(value.max(f64::MIN_POSITIVE));
    let influences: Vec<Vec<f64>> = runs.iter().map(|run| influence(run, value, q)).collect();
    let blocks: Vec<Blocks> =
        runs.iter().zip(&influences).map(|(run, influence)| blocks(run.stretches(), influence)).collect();
    let spread = rank_error(runs, &influences, &blocks) / samples as f64;
    let edges = edges(all, q, NEAR * spread + 3.0 / samples as f64);
    let tables: Vec<Table> = runs.iter().map(|run| Table::of(run, &edges)).collect();
    let mut pieces = vec![Vec::new(); runs.len()];
    let mut places = Vec::with_capacity(resamples as usize);
    for _ in 0..resamples {
        blocks.iter().zip(&mut pieces).for_each(|(blocks, pieces)| blocks.draw(dice, pieces));
        let count =
            |column| tables.iter().zip(&pieces).map(|(table, pieces)| table.count(pieces, column)).sum();
        places.push(place(bisected(&edges, q, count)));
    }
    let of_run = |run: &Distribution| (place(run.quantile(q)), run.total() as f64);
    let seconds = runs.first().map_or(1.0, Timed::second_s);
    Ok(side(
        value,
        &places,
        &blocks,
        Runs::of(&each.iter().map(of_run).collect::<Vec<_>>()),
        samples,
        seconds,
    ))
}

/// A ratio of the runs of one side.
///
/// # Errors
/// In words, why it cannot be told.
pub(crate) fn ratio(
    runs: &[Counted],
    scale: Difference,
    resamples: u32,
    dice: &mut StdRng,
) -> Result<Side, String> {
    enough_points(runs.iter().map(Counted::filled))?;
    let sum = |points: &mut dyn Iterator<Item = (f64, f64)>| {
        points.fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1))
    };
    let (part, whole) = sum(&mut runs.iter().map(Counted::totals));
    let value = part / whole;
    if !value.is_finite() || (value <= 0.0 && scale == Difference::Relative) {
        return Err("there was nothing".to_owned());
    }
    let observed = sum(&mut runs.iter().flat_map(|run| run.points().iter().copied()));
    let of_seconds = observed.0 / observed.1;
    let blocks: Vec<Blocks> = runs
        .iter()
        .map(|run| {
            let influence: Vec<f64> =
                run.points().iter().map(|(part, whole)| part - of_seconds * whole).collect();
            blocks(run.stretches(), &influence)
        })
        .collect();
    // On the scale of the difference, by its derivative: a resample may be zero.
    let place = |value: f64| match scale {
        Difference::Relative => value / of_seconds.max(f64::MIN_POSITIVE),
        Difference::Absolute => value,
    };
    let sums: Vec<Vec<(f64, f64)>> = runs.iter().map(|run| running(run.points())).collect();
    let mut pieces = Vec::new();
    let drawn = |_| {
        let (mut part, mut whole) = (0.0, 0.0);
        for (blocks, sums) in blocks.iter().zip(&sums) {
            blocks.draw(dice, &mut pieces);
            for piece in &pieces {
                part += sums[piece.end].0 - sums[piece.start].0;
                whole += sums[piece.end].1 - sums[piece.start].1;
            }
        }
        place(if whole > 0.0 { part / whole } else { of_seconds })
    };
    let places: Vec<f64> = (0..resamples).map(drawn).collect();
    let of_run = |run: &Counted| (scale.place(run.totals().0 / run.totals().1), run.totals().1);
    let of_runs = Runs::of(&runs.iter().map(of_run).collect::<Vec<_>>());
    let seconds = runs.first().map_or(1.0, Counted::second_s);
    Ok(side(value, &places, &blocks, of_runs, rounded(whole), seconds))
}

/// A share of the runs of one side: its variance is at least that of as many independent cases, one of which was added to each
/// outcome, so that nothing lost of few is not taken for certainty (A. Agresti, B. Caffo 2000, The American Statistician 54:280).
///
/// # Errors
/// In words, why it cannot be told.
pub(crate) fn share(runs: &[Counted], resamples: u32, dice: &mut StdRng) -> Result<Side, String> {
    let side = ratio(runs, Difference::Absolute, resamples, dice)?;
    let whole: f64 = runs.iter().map(|run| run.totals().1).sum();
    let added = (side.value * whole + 1.0) / (whole + 2.0);
    let least = added * (1.0 - added) / (whole + 2.0);
    Ok(if least > side.within { Side { within: least, freedom: whole.max(1.0), ..side } } else { side })
}

fn enough_points(mut filled: impl Iterator<Item = usize>) -> Result<(), String> {
    match filled.by_ref().min() {
        None => Err("there was nothing".to_owned()),
        Some(0) => Err("a run has nothing of it".to_owned()),
        Some(points) if points < FEWEST_POINTS => {
            Err(format!("a run has it in {points} intervals only, and {FEWEST_POINTS} are needed"))
        }
        Some(_) => Ok(()),
    }
}

fn side(value: f64, places: &[f64], blocks: &[Blocks], runs: Runs, samples: u64, second_s: f64) -> Side {
    let count: f64 = blocks.iter().map(Blocks::count).sum();
    let freedom: f64 = blocks.iter().map(Blocks::freedom).sum();
    let longest = blocks.iter().map(Blocks::longest).max().unwrap_or(1);
    let within = variance(places) * (count / freedom).max(1.0);
    Side { value, within, freedom, runs, samples, block_s: longest as f64 * second_s }
}

/// What each point contributes to a percentile: its samples above the value, beyond what was to be expected of them.
fn influence(run: &Timed, value: f64, q: f64) -> Vec<f64> {
    let of_bin = |bin: &Bin| {
        let width = (bin.high - bin.low).max(1) as f64;
        let above = ((bin.high as f64 - value) / width).clamp(0.0, 1.0);
        bin.count as f64 * (above - (1.0 - q))
    };
    run.points().iter().map(|bins| bins.iter().map(of_bin).sum()).collect()
}

/// The blocks of a run: as long as its own autocorrelation asks for, the levels of its stretches aside.
fn blocks(stretches: &[Range<usize>], influence: &[f64]) -> Blocks {
    Blocks::new(stretches, block_length(&centred(stretches, influence)))
}

fn centred(stretches: &[Range<usize>], values: &[f64]) -> Vec<f64> {
    let of_stretch = |stretch: &Range<usize>| {
        let own = &values[stretch.clone()];
        let mean = own.iter().sum::<f64>() / own.len().max(1) as f64;
        own.iter().map(move |value| value - mean).collect::<Vec<_>>()
    };
    stretches.iter().flat_map(of_stretch).collect()
}

/// How far the number of samples below a percentile may be off, roughly: to know which values are near it.
fn rank_error(runs: &[Timed], influences: &[Vec<f64>], blocks: &[Blocks]) -> f64 {
    let of_run = |((run, influence), blocks): ((&Timed, &Vec<f64>), &Blocks)| {
        let sums = centred(run.stretches(), influence);
        let squares = sums.chunks(blocks.longest()).map(|chunk| chunk.iter().sum::<f64>().powi(2));
        squares.sum::<f64>() * blocks.correction()
    };
    runs.iter().zip(influences).zip(blocks).map(of_run).sum::<f64>().sqrt()
}

/// The ends of bins within `near` of the percentile's rank, at most [`EDGES`] or so.
fn edges(all: &Distribution, q: f64, near: f64) -> Vec<u64> {
    let total = all.total() as f64;
    let [from, to] = [(q - near).max(0.0) * total, (q + near).min(1.0) * total];
    let step = rounded((to - from) / EDGES as f64).max(1);
    let (mut below, mut since) = (0, 0);
    let mut edges = Vec::new();
    for bin in all.bins() {
        below += bin.count;
        if (below as f64) < from {
            continue;
        }
        if edges.is_empty() {
            edges.push(bin.low);
        }
        since += bin.count;
        let last = below as f64 >= to;
        if since >= step || last {
            edges.push(bin.high);
            since = 0;
        }
        if last {
            break;
        }
    }
    edges
}

/// The percentile of a resample, between two edges. `count` gives its samples up to an edge, and after the last one all of them.
fn bisected(edges: &[u64], q: f64, count: impl Fn(usize) -> u64) -> f64 {
    let wanted = count(edges.len()) as f64 * q;
    let (mut low, mut high) = (0, edges.len() - 1);
    while low < high {
        let middle = usize::midpoint(low, high);
        if count(middle) as f64 >= wanted { high = middle } else { low = middle + 1 }
    }
    let [start, end] = [edges[low.saturating_sub(1)] as f64, edges[low] as f64];
    if low == 0 {
        return end;
    }
    let (before, upto) = (count(low - 1) as f64, count(low) as f64);
    let share = if upto > before { ((wanted - before) / (upto - before)).clamp(0.0, 1.0) } else { 1.0 };
    start + share * (end - start)
}

/// Samples up to each edge in all points before each point.
struct Table {
    columns: usize,
    sums: Vec<u64>,
}

impl Table {
    fn of(run: &Timed, edges: &[u64]) -> Self {
        let columns = edges.len() + 1;
        let mut sums = vec![0; columns];
        for bins in run.points() {
            let mut row = vec![0; columns];
            for bin in bins {
                row[edges.partition_point(|edge| *edge < bin.high)] += bin.count;
            }
            let before = sums.len() - columns;
            let mut upto = 0;
            for (column, count) in row.into_iter().enumerate() {
                upto += count;
                sums.push(sums[before + column] + upto);
            }
        }
        Self { columns, sums }
    }

    fn count(&self, pieces: &[Range<usize>], column: usize) -> u64 {
        let at = |point: usize| self.sums[point * self.columns + column];
        pieces.iter().map(|piece| at(piece.end) - at(piece.start)).sum()
    }
}

fn running(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut sum = (0.0, 0.0);
    let next = |(part, whole): &(f64, f64)| {
        sum = (sum.0 + part, sum.1 + whole);
        sum
    };
    std::iter::once((0.0, 0.0)).chain(points.iter().map(next)).collect()
}

fn variance(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
fn rounded(count: f64) -> u64 {
    count.max(0.0).round() as u64
}

#[cfg(test)]
mod tests {
    use hdrhistogram::Histogram;
    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use rand_distr::{Distribution as _, LogNormal};

    use super::*;

    fn run(seconds: usize, each: usize, seed: u64) -> Timed {
        let law = LogNormal::new(9.2, 0.5).expect("a law");
        let mut dice = StdRng::seed_from_u64(seed);
        let of_second = |_| {
            let mut histogram = Histogram::new(3).expect("a histogram");
            (0..each).for_each(|_| histogram.record(rounded(law.sample(&mut dice))).expect("fits"));
            histogram
        };
        Timed::new(&(0..seconds).map(of_second).collect::<Vec<_>>())
    }

    fn one(run: &Timed, q: f64, resamples: u32, dice: &mut StdRng) -> Result<Side, String> {
        let all = Distribution::of([run]);
        quantile(std::slice::from_ref(run), (&all, std::slice::from_ref(&all)), q, resamples, dice)
    }

    #[test]
    fn the_error_of_a_percentile_is_that_of_theory() {
        // Of independent samples the logarithm of a lognormal percentile varies by q (1-q) / (n (φ(z)/σ)²).
        let run = run(200, 100, 4);
        for (q, density) in [(0.5, 0.398_942 / 0.5), (0.99, 0.026_652 / 0.5)] {
            let mut dice = StdRng::seed_from_u64(1);
            let side = one(&run, q, 1_000, &mut dice).expect("enough samples");
            let wanted = q * (1.0 - q) / (20_000.0 * density * density);
            assert!((0.6..1.6).contains(&(side.within / wanted)), "{q}: {} of {wanted}", side.within);
            assert_eq!((side.samples, side.runs.freedom.to_bits()), (20_000, 0.0_f64.to_bits()));
        }
    }

    proptest! {
        #[test]
        fn a_resample_of_every_second_gives_the_percentile_of_all(
            seconds in prop::collection::vec(prop::collection::vec(1_u64..100_000, 1..40), 1..20), q in 0.05_f64..0.95
        ) {
            let of_second = |values: &Vec<u64>| {
                let mut histogram = Histogram::<u64>::new(3).expect("a histogram");
                values.iter().for_each(|value| histogram.record(*value).expect("fits"));
                histogram
            };
            let run = Timed::new(&seconds.iter().map(of_second).collect::<Vec<_>>());
            let all = Distribution::of([&run]);
            let edges = edges(&all, q, 0.3);
            let table = Table::of(&run, &edges);
            // In two pieces, in another order.
            let half = seconds.len() / 2;
            let pieces = [half..seconds.len(), 0..half];
            let found = bisected(&edges, q, |column| table.count(&pieces, column));
            let direct = all.quantile(q);
            let place = edges.partition_point(|edge| (*edge as f64) < direct - 1e-6);
            let [low, high] = [place.saturating_sub(1), place.min(edges.len() - 1)].map(|index| edges[index] as f64);
            prop_assert!((low - 1e-6..=high + 1e-6).contains(&found), "{} not in {}..{}", found, low, high);
        }
    }

    #[test]
    fn percentiles_that_samples_do_not_carry_are_not_told() {
        let run = run(20, 10, 4);
        let mut dice = StdRng::seed_from_u64(1);
        let mut of = |q| one(&run, q, 50, &mut dice);
        assert!(of(0.5).is_ok() && of(0.9).is_ok());
        assert_eq!(of(0.99).expect_err("two beyond"), "200 samples do not carry it");
        let short = Timed::new(&vec![Histogram::new(3).expect("a histogram"); 30]);
        let nothing = one(&short, 0.5, 50, &mut dice);
        assert_eq!(nothing.expect_err("nothing"), "a run has nothing of it");
    }

    #[test]
    fn the_error_of_a_ratio_is_that_of_theory_and_no_loss_is_no_certainty() {
        // 1 of 100 each second, alternating 0 and 2: the variance of a second's part is 1 about its mean of 1.
        let points: Vec<(f64, f64)> = (0..400).map(|n| (f64::from(n * 7 % 4 / 2 * 2), 100.0)).collect();
        let mut dice = StdRng::seed_from_u64(1);
        let side = share(&[Counted::new(points, 1.0)], 1_000, &mut dice).expect("enough");
        assert!((side.value - 0.01).abs() < 1e-12);
        let independent = 0.01 * 0.99 / 40_000.0;
        assert!(side.within >= independent * 0.99, "{}", side.within);
        let none = share(&[Counted::new(vec![(0.0, 5.0); 20], 1.0)], 200, &mut dice).expect("enough");
        assert!(none.value == 0.0 && none.within > 9e-5, "1/102 of 102: {}", none.within);
    }
}
