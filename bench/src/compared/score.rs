//! What comparison said of pairs of which it is known whether they differ.

use std::sync::Mutex;
use std::thread;

use comparison::{Options, judge};
use reports::format::comparison::{Change, Comparison, Measure};
use strum::IntoEnumIterator;

use super::simulate::{self, Noise, Shift};

/// Runs a side of the pairs of real runs.
pub(super) const SIDES: [usize; 3] = [1, 2, 3];

/// Pairs of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Row {
    /// How many.
    pub pairs: u32,
    /// Of these, those with any measure that regressed or improved.
    pub flagged: u32,
    /// Of these, those in which the planted shift was found.
    pub found: u32,
    /// Measures in all.
    pub measures: u32,
    /// Measures that are undecided.
    pub undecided: u32,
}

impl Row {
    fn add(&mut self, measures: &[Measure], planted: Option<&str>) {
        let flagged = |one: &Measure| matches!(one.verdict, Change::Regressed | Change::Improved);
        let is_found =
            |name: &str| measures.iter().any(|one| one.name == name && one.verdict == Change::Regressed);
        self.pairs += 1;
        self.flagged += u32::from(measures.iter().any(flagged));
        self.found += u32::from(planted.is_some_and(is_found));
        self.measures += measures.len() as u32;
        self.undecided += measures.iter().filter(|one| one.verdict == Change::Undecided).count() as u32;
    }

    /// The pairs of real runs.
    #[must_use]
    pub fn of<'a>(comparisons: impl Iterator<Item = &'a Comparison>) -> Self {
        let mut row = Self::default();
        comparisons.for_each(|comparison| row.add(&comparison.measures, None));
        row
    }
}

/// All simulated pairs, and those of real runs.
#[derive(Debug, Default)]
pub struct Proof {
    /// By noise and shift.
    pub simulated: Vec<(Noise, Shift, Row)>,
    /// The flagged measures of pairs that do not differ, in words.
    pub false_flags: Vec<String>,
    /// Comparisons of real runs that do not differ, each with its runs a side.
    pub real: Vec<(usize, Comparison)>,
    /// Real runs that sides were drawn from.
    pub runs: usize,
    /// Real runs that were not valid, and were made again or left out.
    pub spoiled: u32,
    /// How long the simulation took.
    pub seconds: f64,
}

impl Proof {
    /// Simulates every kind of pair once for each seed, `jobs` at once.
    #[must_use]
    pub fn simulate(seeds: std::ops::Range<u64>, jobs: usize, options: &Options) -> Self {
        let begin = std::time::Instant::now();
        let cases: Vec<(Noise, Shift)> =
            Noise::iter().flat_map(|noise| Shift::iter().map(move |shift| (noise, shift))).collect();
        let all: Vec<(usize, u64)> =
            (0..cases.len()).flat_map(|case| seeds.clone().map(move |seed| (case, seed))).collect();
        let next = Mutex::new(all.iter());
        let done = Mutex::new((vec![Row::default(); cases.len()], Vec::new()));
        let take = || locked(&next).next().copied();
        let work = || {
            while let Some((case, seed)) = take() {
                let (noise, shift) = cases[case];
                let measures = judge(&simulate::pair(noise, shift, seed), options).measures;
                let mut done = locked(&done);
                done.0[case].add(&measures, shift.of_measure());
                if shift == Shift::None {
                    let flags = measures.iter().filter(|one| one.verdict != Change::Unchanged);
                    let flags = flags.filter(|one| one.verdict != Change::Undecided);
                    done.1.extend(flags.map(|one| {
                        let noise: &str = noise.into();
                        format!(
                            "{noise}-{seed}: {} {} by {:.4}",
                            one.name,
                            one.verdict.word(),
                            one.difference
                        )
                    }));
                }
            }
        };
        thread::scope(|scope| (0..jobs.max(1)).for_each(|_| drop(scope.spawn(work))));
        let (rows, mut false_flags) = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        false_flags.sort();
        let simulated = cases.into_iter().zip(rows).map(|((noise, shift), row)| (noise, shift, row));
        let seconds = begin.elapsed().as_secs_f64();
        Self { simulated: simulated.collect(), false_flags, seconds, ..Self::default() }
    }

    /// The pairs of real runs with so many a side.
    #[must_use]
    pub fn real(&self, side: usize) -> Row {
        Row::of(self.real.iter().filter(|(runs, _)| *runs == side).map(|(_, comparison)| comparison))
    }

    /// Whether comparison may be believed: of pairs that do not differ fewer than 5 % are flagged, of simulated ones and of real ones
    /// with as many runs a side as are drawn at most, and of what was planted more than 90 % is found.
    #[must_use]
    pub fn holds(&self) -> bool {
        let calm = |row: &Row| row.flagged * 20 < row.pairs.max(1);
        let of_simulated = self.simulated.iter().all(|(noise, shift, row)| match shift {
            Shift::None => calm(row),
            _ => !noise.is_demanded() || row.found * 10 > row.pairs * 9,
        });
        of_simulated && calm(&self.real(SIDES[SIDES.len() - 1]))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The flagged measures of a comparison.
pub(super) fn flags(comparison: &Comparison) -> Vec<String> {
    let flagged =
        comparison.measures.iter().filter(|one| matches!(one.verdict, Change::Regressed | Change::Improved));
    flagged
        .map(|one| {
            let percent = one.difference * 100.0;
            format!("`{}` {} by {percent:.1} %", one.name, one.verdict.word())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A subset of the proof with fixed seeds: `cargo run --release -p bench --bin compared` is the whole of it.
    #[test]
    fn what_does_not_differ_is_not_flagged_and_what_was_planted_is_found() {
        let proof = Proof::simulate(1..3, 2, &Options { resamples: 200, ..Options::default() });
        for (noise, shift, row) in &proof.simulated {
            let (flagged, found) = (row.flagged, row.found);
            match shift {
                Shift::None => assert_eq!(flagged, 0, "{noise:?}: {:?}", proof.false_flags),
                _ if noise.is_demanded() => assert_eq!(found, row.pairs, "{noise:?}, {shift:?}"),
                _ => {}
            }
        }
        assert!(proof.holds());
    }
}
