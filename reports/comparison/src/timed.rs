//! Times of each second, as counts in the bins of their histograms.

use std::collections::BTreeMap;
use std::ops::Range;

use hdrhistogram::Histogram;
use reports::folder::{FolderError, RunFolder, Tag};
use reports::printable;

use crate::axis::Axis;

/// Samples within a stretch of values: at least `low`, below `high`, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bin {
    pub(crate) low: u64,
    pub(crate) high: u64,
    pub(crate) count: u64,
}

/// The times of one operation or push in one run, second by second.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Timed {
    /// The bins of each point.
    points: Vec<Vec<Bin>>,
    /// The points of each stretch that has samples.
    stretches: Vec<Range<usize>>,
    /// Seconds of a point.
    second_s: f64,
}

impl Timed {
    /// The times of a run whose seconds are all alike, a histogram in microseconds for each.
    #[must_use]
    pub fn new(seconds: &[Histogram<u64>]) -> Self {
        let mut timed = Self { points: vec![Vec::new(); seconds.len()], ..Self::default() };
        for (point, histogram) in seconds.iter().enumerate() {
            timed.add(point, histogram);
        }
        timed.finished(std::slice::from_ref(&(0..seconds.len())), 1.0)
    }

    fn add(&mut self, point: usize, histogram: &Histogram<u64>) {
        let bins = histogram.iter_recorded().map(|step| {
            let value = step.value_iterated_to();
            Bin {
                low: histogram.lowest_equivalent(value),
                high: histogram.next_non_equivalent(value),
                count: step.count_at_value(),
            }
        });
        self.points[point].extend(bins);
    }

    /// Stretches without samples, as of an operation that a phase leaves out, tell nothing.
    fn finished(mut self, stretches: &[Range<usize>], second_s: f64) -> Self {
        let has_samples =
            |stretch: &&Range<usize>| self.points[(*stretch).clone()].iter().any(|bins| !bins.is_empty());
        self.stretches = stretches.iter().filter(has_samples).cloned().collect();
        self.second_s = second_s;
        self
    }

    /// The points of its stretches.
    pub(crate) fn stretches(&self) -> &[Range<usize>] {
        &self.stretches
    }

    pub(crate) fn points(&self) -> &[Vec<Bin>] {
        &self.points
    }

    pub(crate) fn second_s(&self) -> f64 {
        self.second_s
    }

    /// How many points have samples.
    pub(crate) fn filled(&self) -> usize {
        self.points.iter().filter(|bins| !bins.is_empty()).count()
    }
}

/// All that a run's interval log holds.
#[derive(Debug, Default)]
pub struct Recorded(BTreeMap<String, Timed>);

impl Recorded {
    /// Reads the interval log of a folder.
    ///
    /// # Errors
    /// [`FolderError::Interval`] where a line is malformed.
    pub fn of(folder: &RunFolder) -> Result<Self, FolderError> {
        let axis = axis_of(folder);
        let mut recorded: BTreeMap<String, Timed> = BTreeMap::new();
        for interval in folder.intervals() {
            let interval = interval?;
            let tag = printable::line(interval.tag);
            let empty = || Timed { points: vec![Vec::new(); axis.points()], ..Timed::default() };
            let timed = recorded.entry(tag.into_owned()).or_insert_with(empty);
            if axis.points() > 0 {
                timed.add(axis.point(second(interval.start_s)), &interval.histogram);
            }
        }
        let finished =
            |(tag, timed): (String, Timed)| (tag, timed.finished(axis.stretches(), axis.second_s()));
        Ok(Self(recorded.into_iter().map(finished).collect()))
    }

    /// The times under a tag; empty where nothing was recorded.
    #[must_use]
    pub fn timed(&self, tag: Tag<'_>) -> Timed {
        self.0.get(&tag.to_string()).cloned().unwrap_or_default()
    }
}

/// The points of a folder's seconds: those of its plan, as far as the run went.
pub(crate) fn axis_of(folder: &RunFolder) -> Axis {
    let manifest = &folder.manifest;
    let planned = manifest.phases.iter().map(|phase| phase.end_s).fold(0.0, f64::max);
    let run = &folder.summary_or_rebuilt().run;
    let lasted = run.ended_at.duration_since(run.started_at).as_secs_f64();
    // A run that was killed has no end, and one without phases no plan.
    let seconds = if lasted > 0.0 && (planned <= 0.0 || lasted < planned) { lasted } else { planned };
    Axis::new(manifest, second(seconds.ceil()))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds of a run")]
pub(crate) fn second(at_s: f64) -> usize {
    at_s.max(0.0) as usize
}

/// All samples of several runs.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Distribution {
    /// Ascending.
    bins: Vec<Bin>,
    total: u64,
}

impl Distribution {
    pub(crate) fn of<'a>(runs: impl IntoIterator<Item = &'a Timed>) -> Self {
        let mut all: Vec<Bin> =
            runs.into_iter().flat_map(|run| run.points.iter().flatten().copied()).collect();
        all.sort_unstable_by_key(|bin| bin.low);
        let sum = |equal: &[Bin]| Bin {
            low: equal[0].low,
            high: equal.iter().map(|bin| bin.high).max().unwrap_or_default(),
            count: equal.iter().map(|bin| bin.count).sum(),
        };
        let bins: Vec<Bin> = all.chunk_by(|a, b| a.low == b.low).map(sum).collect();
        Self { total: bins.iter().map(|bin| bin.count).sum(), bins }
    }

    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// The value below which the share `q` of the samples lies; within a bin they are taken as spread evenly.
    pub(crate) fn quantile(&self, q: f64) -> f64 {
        let wanted = q * self.total as f64;
        let mut below = 0.0;
        for bin in &self.bins {
            let count = bin.count as f64;
            if below + count >= wanted {
                let share = ((wanted - below) / count).clamp(0.0, 1.0);
                return bin.low as f64 + share * (bin.high - bin.low) as f64;
            }
            below += count;
        }
        self.bins.last().map_or(0.0, |bin| bin.high as f64)
    }

    /// Each bin's lower end, and its samples.
    pub(crate) fn counted(&self) -> Vec<(u64, u64)> {
        self.bins.iter().map(|bin| (bin.low, bin.count)).collect()
    }

    pub(crate) fn bins(&self) -> &[Bin] {
        &self.bins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(values: &[u64]) -> Histogram<u64> {
        let mut histogram = Histogram::new(3).expect("a histogram");
        values.iter().for_each(|value| histogram.record(*value).expect("fits"));
        histogram
    }

    #[test]
    fn histograms_are_merged_and_quantiles_lie_within_their_bins() {
        let seconds: Vec<_> = (0..10).map(|n| histogram(&[n * 10 + 1, n * 10 + 5, n * 10 + 9])).collect();
        let timed = Timed::new(&seconds);
        let all = Distribution::of([&timed, &timed]);
        assert_eq!((all.total(), timed.filled(), timed.stretches()), (60, 10, &[0..10][..]));
        // The fifteenth of thirty is 49, a bin of one microsecond.
        assert!((all.quantile(0.5) - 50.0).abs() < 1e-9, "{}", all.quantile(0.5));
        assert!((all.quantile(1.0) - 100.0).abs() < 1e-9);
        assert!((Distribution::default().quantile(0.5)).abs() < 1e-9);
    }
}
