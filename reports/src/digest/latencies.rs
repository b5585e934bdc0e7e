//! The intervals of `latency.hlog` in the bins of the run, its phases, and as a whole.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use super::distribution::{Distribution, Tally};
use super::grid::{Grid, pairs};
use super::seconds::phase_of;
use crate::format::Phase;

/// Equivalent latencies of an interval: the smallest and the largest of them in microseconds, and how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recorded {
    pub(crate) low: u64,
    pub(crate) high: u64,
    /// Not 0.
    pub(crate) count: u64,
}

/// One tag's latencies.
#[derive(Debug)]
struct Track {
    /// Bin and phase of the interval at hand.
    at: (usize, Option<usize>),
    tally: Tally,
    bins: Vec<Distribution>,
    phases: Vec<Distribution>,
    whole: Histogram<u64>,
}

/// One tag's latencies when nothing is added any more.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Latencies {
    pub(super) bins: Vec<Distribution>,
    pub(super) phases: Vec<Distribution>,
}

impl Track {
    fn settle(&mut self) {
        let (bin, phase) = self.at;
        let recorded = self.tally.take();
        if recorded.is_empty() {
            return;
        }
        if let Some(phase) = phase.and_then(|phase| self.phases.get_mut(phase)) {
            phase.add(&recorded);
        }
        if self.bins.len() <= bin {
            self.bins.resize(bin + 1, Distribution::default());
        }
        self.bins[bin].add(&recorded);
    }

    fn widen(&mut self) {
        self.settle();
        pairs(&mut self.bins, |sum, more| sum.add(&more));
    }
}

/// The intervals of a log, taken up one by one in any order.
#[derive(Debug)]
pub(crate) struct Intervals {
    phases: Vec<Phase>,
    grid: Grid,
    tracks: BTreeMap<String, Track>,
}

impl Intervals {
    pub(crate) fn new(phases: &[Phase], grid: Grid) -> Self {
        Self { phases: phases.to_vec(), grid, tracks: BTreeMap::new() }
    }

    /// Its bins.
    pub(crate) const fn grid(&self) -> Grid {
        self.grid
    }

    /// Takes up an interval that began in a second of the run.
    ///
    /// # Errors
    /// What the crate's histogram of the whole run says of a value that it cannot hold.
    pub(crate) fn add(
        &mut self,
        tag: &str,
        start_s: u64,
        recorded: &[Recorded],
    ) -> Result<(), hdrhistogram::RecordError> {
        let bin = loop {
            match self.grid.bin(start_s) {
                Some(bin) => break bin,
                None => self.widen(),
            }
        };
        let at = (bin, phase_of(&self.phases, start_s as f64));
        if !self.tracks.contains_key(tag) {
            let track = Track {
                at,
                tally: Tally::default(),
                bins: Vec::new(),
                phases: vec![Distribution::default(); self.phases.len()],
                whole: log_histogram(),
            };
            self.tracks.insert(tag.to_owned(), track);
        }
        let Some(track) = self.tracks.get_mut(tag) else { return Ok(()) };
        if track.at != at {
            track.settle();
            track.at = at;
        }
        for Recorded { low, high, count } in recorded {
            track.tally.record(*low, *high, *count);
            track.whole.record_n(*low, *count)?;
        }
        Ok(())
    }

    /// Twice as long bins.
    pub(super) fn widen(&mut self) {
        self.tracks.values_mut().for_each(Track::widen);
        self.grid = self.grid.widened();
    }

    /// Adds what another one took up of the same log.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub(crate) fn merge(&mut self, mut other: Self) -> Result<(), hdrhistogram::AdditionError> {
        while self.grid.step_s < other.grid.step_s {
            self.widen();
        }
        while other.grid.step_s < self.grid.step_s {
            other.widen();
        }
        for (tag, mut track) in other.tracks {
            track.settle();
            let Some(own) = self.tracks.get_mut(&tag) else {
                self.tracks.insert(tag, track);
                continue;
            };
            own.settle();
            own.bins.resize(own.bins.len().max(track.bins.len()), Distribution::default());
            own.bins.iter_mut().zip(&track.bins).for_each(|(sum, more)| sum.add(more));
            own.phases.iter_mut().zip(&track.phases).for_each(|(sum, more)| sum.add(more));
            own.whole.add(&track.whole)?;
        }
        Ok(())
    }

    /// The end: what was taken up, by tag, and the histograms of the whole run.
    pub(super) fn settled(self) -> (BTreeMap<String, Latencies>, BTreeMap<String, Histogram<u64>>) {
        let (mut latencies, mut wholes) = (BTreeMap::new(), BTreeMap::new());
        for (tag, mut track) in self.tracks {
            track.settle();
            wholes.insert(tag.clone(), track.whole);
            latencies.insert(tag, Latencies { bins: track.bins, phases: track.phases });
        }
        (latencies, wholes)
    }
}

/// As the generator records: three digits, of any size.
fn log_histogram() -> Histogram<u64> {
    Histogram::new(3).expect("three digits are allowed")
}
