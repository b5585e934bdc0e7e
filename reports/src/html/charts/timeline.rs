//! The run's seconds on a grid coarse enough to draw.

use crate::digest::{Bin, Digest};
use crate::folder::Tag;
use crate::format::{Phase, SeriesLine, Suspect};

/// As many suspects are marked on the charts.
const MARKED: usize = 3;

/// How several points become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::html) enum Fold {
    /// For rates: totals remain what they were.
    Mean,
    /// For states: no peak is lost.
    Max,
}

impl Fold {
    /// Folds what is there; `None` when nothing is.
    fn fold(self, values: impl Iterator<Item = f64>) -> Option<f64> {
        let (mut count, mut sum, mut max) = (0_u32, 0.0, f64::NEG_INFINITY);
        for value in values {
            count += 1;
            sum += value;
            max = value.max(max);
        }
        match self {
            _ if count == 0 => None,
            Self::Mean => Some(sum / f64::from(count)),
            Self::Max => Some(max),
        }
    }

    /// Groups of `per` neighbouring points as one each.
    pub(super) fn groups(self, values: &[Option<f64>], per: usize) -> Vec<Option<f64>> {
        values.chunks(per.max(1)).map(|group| self.fold(group.iter().copied().flatten())).collect()
    }
}

/// Equal stretches of time: where the first begins, and their length, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::html) struct Grid {
    pub(in crate::html) start: f64,
    pub(in crate::html) step: f64,
}

/// A run's time axis and its seconds.
pub(in crate::html) struct Timeline<'a> {
    /// End of the axis in seconds since the run's start.
    pub(in crate::html) end_s: f64,
    /// Seconds of one point.
    pub(in crate::html) grid: Grid,
    /// The plan's phases.
    pub(in crate::html) phases: &'a [Phase],
    /// When each suspect gave way, in seconds since the run's start, best first.
    pub(in crate::html) suspects: Vec<(f64, f64)>,
    digest: &'a Digest,
}

impl<'a> Timeline<'a> {
    pub(in crate::html) fn of(digest: &'a Digest, phases: &'a [Phase], suspects: &[Suspect]) -> Self {
        // A killed run measured less than its plan: the axis then shows what is missing.
        let end_s = digest.end_s();
        let step = digest.grid().step_s as f64;
        let suspects = suspects.iter().map(|suspect| {
            // A moment is still to be seen.
            let from = suspect.from_s.clamp(0.0, end_s);
            (from, suspect.to_s.clamp(from, end_s).max((from + step).min(end_s)))
        });
        let suspects = suspects.take(MARKED).collect();
        Self { end_s, grid: Grid { start: 0.0, step }, phases, suspects, digest }
    }

    /// One value for each point of the grid, of the sum of its seconds: for a rate by the second, for what a [`Bin`] says is the highest of
    /// its seconds, and for the percentiles of its histogram as it is.
    pub(in crate::html) fn values(
        &self,
        fold: Fold,
        value: impl Fn(&SeriesLine) -> Option<f64>,
    ) -> Vec<Option<f64>> {
        let of_bin = |bin: &Bin| {
            let value = value(&bin.sum).filter(|_| bin.seconds > 0)?;
            Some(if fold == Fold::Mean { value / bin.seconds as f64 } else { value })
        };
        self.digest.bins().iter().map(of_bin).collect()
    }

    /// For each point how many pushes of its sends were lost, by the second.
    pub(in crate::html) fn lost(&self, kind: &str) -> Vec<Option<f64>> {
        let lost = self.digest.lost_at_send(kind).iter().copied().chain(std::iter::repeat(0));
        let of_bin = |(bin, lost): (&Bin, u64)| (bin.seconds > 0).then(|| lost as f64 / bin.seconds as f64);
        self.digest.bins().iter().zip(lost).map(of_bin).collect()
    }

    /// For each point the highest p99 that one of its seconds had, in microseconds.
    pub(in crate::html) fn peaks(&self, tag: Tag<'_>) -> Vec<Option<f64>> {
        let tag = tag.to_string();
        self.digest.bins().iter().map(|bin| bin.peaks.get(&tag).map(|peak| peak.p99_us as f64)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_keeps_totals_of_rates_and_peaks_of_everything_else() {
        let values = [Some(1.0), Some(3.0), None, None, Some(8.0)];
        assert_eq!(Fold::Mean.groups(&values, 2), [Some(2.0), None, Some(8.0)]);
        assert_eq!(Fold::Max.groups(&values, 2), [Some(3.0), None, Some(8.0)]);
        assert_eq!(Fold::Max.groups(&values, 0), values);
    }
}
