//! A run at the resolution of its page: at most [`MAX_BINS`] bins of whole seconds, made in one pass over the folder's streams.
//!
//! Percentiles are never averaged and never the highest of their seconds: the histograms of a bin's seconds are merged, and the
//! [`Distribution`] of the bin says its percentiles, at most [`RESOLUTION`] too high. The highest p99 that a single second had is kept
//! beside it ([`Peak`]). The figures of the whole run stay those of the summary and of the folder's own histograms.
//!
//! `latency.hlog` holds measured arrivals only; seconds of other phases have their own percentiles (`series.jsonl`), which bins of a
//! single second show and longer bins cannot.

mod buckets;
mod distribution;
mod embed;
mod grid;
mod latencies;
mod seconds;
mod sum;

use std::collections::BTreeMap;
use std::ops::Range;

use hdrhistogram::Histogram;
use jiff::Timestamp;

use crate::folder::Tag;
use crate::format::{Latency, Manifest, Phase, Summary};
use crate::stalls::Stalls;

pub use buckets::{RESOLUTION, SUB_BUCKETS};
pub use distribution::Distribution;
pub use embed::embed;
pub use grid::{Grid, MAX_BINS};
pub use seconds::{Bin, Peak, Seen};

pub(crate) use latencies::{Intervals, Recorded};
pub(crate) use seconds::Seconds;

use latencies::Latencies;

/// Of what has no latency.
static NOTHING: Distribution = Distribution::EMPTY;

/// A run in at most [`MAX_BINS`] bins.
#[derive(Debug, Clone)]
pub struct Digest {
    grid: Grid,
    phases: Vec<Phase>,
    bins: Vec<Bin>,
    measured_bins: Vec<Bin>,
    of_phases: Vec<Bin>,
    whole: Bin,
    measured: Bin,
    latencies: BTreeMap<String, Latencies>,
    called_for: BTreeMap<String, u64>,
    errors: BTreeMap<(String, String), Seen>,
    first: Option<(u64, Timestamp)>,
    last: Option<(u64, Timestamp)>,
    stalls: Stalls,
    lost: BTreeMap<String, Vec<u64>>,
}

/// The passes that make a digest: one over the series, and one or several over parts of the log.
#[derive(Debug)]
pub(crate) struct Passes {
    pub(crate) seconds: Seconds,
    pub(crate) intervals: Intervals,
}

impl Passes {
    /// For a run whose last second is about `end_s`: a later one makes the bins longer.
    pub(crate) fn new(manifest: &Manifest, summary: Option<&Summary>, end_s: f64) -> Self {
        let planned = manifest.phases.iter().map(|phase| phase.end_s).fold(end_s, f64::max);
        let grid = Grid::until(planned);
        Self {
            seconds: Seconds::new(manifest, summary, grid),
            intervals: Intervals::new(&manifest.phases, grid),
        }
    }

    /// The digest, and by tag the histograms of the whole run.
    pub(crate) fn end(self, manifest: &Manifest) -> (Digest, BTreeMap<String, Histogram<u64>>) {
        let Self { mut seconds, mut intervals } = self;
        while seconds.grid.step_s < intervals.grid().step_s {
            seconds.widen();
        }
        while intervals.grid().step_s < seconds.grid.step_s {
            intervals.widen();
        }
        seconds.settle();
        let (latencies, wholes) = intervals.settled();
        let Seconds {
            grid,
            mut bins,
            mut measured_bins,
            phases: mut of_phases,
            called_for,
            errors,
            first,
            last,
            stalls,
            lost,
            ..
        } = seconds;
        let length = latencies.values().map(|all| all.bins.len()).max().unwrap_or(0).max(bins.len());
        bins.resize(length, Bin::default());
        measured_bins.resize(length, Bin::default());
        let of_whole = |tag: &str| wholes.get(tag).map(Latency::of).unwrap_or_default();
        let [mut whole, mut measured] = [&bins, &measured_bins].map(|bins| seconds::all(bins));
        whole.fill(of_whole);
        measured.fill(of_whole);
        let of = |tag: &str, of: fn(&Latencies) -> &Vec<Distribution>, number: usize| {
            latencies
                .get(tag)
                .and_then(|all| of(all).get(number))
                .map_or_else(Default::default, Distribution::latency)
        };
        for (number, bin) in bins.iter_mut().enumerate() {
            bin.fill(|tag| of(tag, |all| &all.bins, number));
        }
        for (number, phase) in of_phases.iter_mut().enumerate() {
            phase.fill(|tag| of(tag, |all| &all.phases, number));
        }
        let digest = Digest {
            grid: Grid { bins: length, ..grid },
            phases: manifest.phases.clone(),
            bins,
            measured_bins,
            of_phases,
            whole,
            measured,
            latencies,
            called_for,
            errors,
            first,
            last,
            stalls: stalls.finish(),
            lost,
        };
        (digest, wholes)
    }
}

impl Digest {
    /// The bins of the run.
    #[must_use]
    pub const fn grid(&self) -> Grid {
        self.grid
    }

    /// End of the last second that was written, in seconds from the run's start; 0 when there is none.
    #[must_use]
    pub fn measured_end_s(&self) -> f64 {
        self.last.map_or(0.0, |(t, _)| t as f64 + 1.0)
    }

    /// End of the time axis: of the plan, or of what was written where that is later; at least 1 s.
    #[must_use]
    pub fn end_s(&self) -> f64 {
        self.phases.iter().map(|phase| phase.end_s).fold(self.measured_end_s(), f64::max).max(1.0)
    }

    /// The bins, each the sum of its seconds. As many as the [`grid`](Self::grid) says.
    #[must_use]
    pub fn bins(&self) -> &[Bin] {
        &self.bins
    }

    /// Of each bin the seconds that count: those of measured phases, as the summary has them.
    #[must_use]
    pub fn measured_bins(&self) -> &[Bin] {
        &self.measured_bins
    }

    /// The sums of the plan's phases, in their order. What comes after the last one counts for it.
    #[must_use]
    pub fn phases(&self) -> &[Bin] {
        &self.of_phases
    }

    /// The sum of all seconds, warm-up included.
    #[must_use]
    pub const fn whole(&self) -> &Bin {
        &self.whole
    }

    /// The sum of the seconds that count: all but those of phases that are not measured.
    #[must_use]
    pub const fn measured(&self) -> &Bin {
        &self.measured
    }

    /// The tags of the log, as text, in their order.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.latencies.keys().map(String::as_str)
    }

    /// The latencies of one bin. Empty where the log has none: its arrivals were not measured, or none was answered.
    #[must_use]
    pub fn bin(&self, tag: Tag<'_>, bin: usize) -> &Distribution {
        self.of_tag(&tag.to_string()).get(bin).unwrap_or(&NOTHING)
    }

    /// The latencies of some bins together; those that do not exist are empty.
    #[must_use]
    pub fn over(&self, tag: Tag<'_>, bins: Range<usize>) -> Distribution {
        let mut sum = Distribution::default();
        let tag = tag.to_string();
        self.of_tag(&tag).iter().take(bins.end).skip(bins.start).for_each(|bin| sum.add(bin));
        sum
    }

    /// The latencies of a phase of the plan, to the second. What comes after the last phase counts for it.
    #[must_use]
    pub fn phase(&self, tag: Tag<'_>, phase: usize) -> &Distribution {
        let all = self.latencies.get(&tag.to_string());
        all.and_then(|all| all.phases.get(phase)).unwrap_or(&NOTHING)
    }

    /// The bins that a stretch of time touches.
    #[must_use]
    pub fn window(&self, from_s: f64, to_s: f64) -> Range<usize> {
        let step = self.grid.step_s as f64;
        let bin = |at: f64| (at.max(0.0) as usize).min(self.grid.bins);
        let first = bin((from_s / step).floor());
        first..bin((to_s / step).ceil()).max(first)
    }

    /// The second with the highest p99 of all.
    #[must_use]
    pub fn worst(&self, tag: Tag<'_>) -> Option<Peak> {
        self.whole.peaks.get(&tag.to_string()).copied()
    }

    /// In how many measured seconds an operation was called for: not while players connect, nor while the last answers are awaited.
    #[must_use]
    pub fn seconds_called_for(&self, operation: &str) -> u64 {
        self.called_for.get(operation).copied().unwrap_or(0)
    }

    /// When the classes of an operation's errors were counted; `socket` has the ends of dropped sockets.
    pub fn errors(&self, operation: &str) -> impl Iterator<Item = (&str, Seen)> {
        let of_it = self.errors.iter().filter(move |((name, _), _)| name == operation);
        of_it.map(|((_, class), seen)| (class.as_str(), *seen))
    }

    /// Moments of the measured seconds in which nobody was answered.
    #[must_use]
    pub const fn stalls(&self) -> &Stalls {
        &self.stalls
    }

    /// For each bin how many pushes of its sends were lost, of a kind; shorter than the bins where the last of them lost none. A loss stands
    /// in the second in which it was given up where the summary does not say how long that takes.
    #[must_use]
    pub fn lost_at_send(&self, kind: &str) -> &[u64] {
        self.lost.get(kind).map_or(&[], Vec::as_slice)
    }

    /// The run's first second: its start from the run's start, and in UTC.
    pub(crate) const fn first(&self) -> Option<(u64, Timestamp)> {
        self.first
    }

    /// The run's last second: its start from the run's start, and in UTC.
    pub(crate) const fn last(&self) -> Option<(u64, Timestamp)> {
        self.last
    }

    fn of_tag(&self, tag: &str) -> &[Distribution] {
        self.latencies.get(tag).map_or(&[], |all| &all.bins)
    }
}
