//! The run's seconds on a grid coarse enough to draw.

use crate::folder::RunFolder;
use crate::format::{Phase, SeriesLine, Suspect};

/// A line of a chart has at most this many points: more would not be seen and would not fit into a mail.
pub(in crate::html) const MAX_POINTS: usize = 480;

/// As many suspects are marked on the charts.
const MARKED: usize = 3;

/// How several seconds become one point. Percentiles are never averaged: the worst second stands for its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::html) enum Fold {
    /// For rates: totals remain what they were.
    Mean,
    /// For everything else: no peak is lost.
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
    groups: Vec<Vec<&'a SeriesLine>>,
}

impl<'a> Timeline<'a> {
    pub(in crate::html) fn of(folder: &'a RunFolder, suspects: &[Suspect]) -> Self {
        let phases = folder.manifest.phases.as_slice();
        let measured_end = folder.series.iter().map(|line| line.t as f64 + 1.0).fold(0.0, f64::max);
        // A killed run measured less than its plan: the axis then shows what is missing.
        let end_s = phases.iter().map(|phase| phase.end_s).fold(measured_end, f64::max).max(1.0);
        let per = (end_s / MAX_POINTS as f64).ceil().max(1.0);
        let points = (measured_end / per).ceil() as usize;
        let mut groups = vec![Vec::new(); points];
        for line in &folder.series {
            if let Some(group) = groups.get_mut((line.t as f64 / per) as usize) {
                group.push(line);
            }
        }
        let suspects = suspects.iter().map(|suspect| {
            // A moment is still to be seen.
            let from = suspect.from_s.clamp(0.0, end_s);
            (from, suspect.to_s.clamp(from, end_s).max((from + per).min(end_s)))
        });
        let suspects = suspects.take(MARKED).collect();
        Self { end_s, grid: Grid { start: 0.0, step: per }, phases, suspects, groups }
    }

    /// One value for each point of the grid, made from those of its seconds.
    pub(in crate::html) fn values(
        &self,
        fold: Fold,
        value: impl Fn(&SeriesLine) -> Option<f64>,
    ) -> Vec<Option<f64>> {
        self.groups.iter().map(|group| fold.fold(group.iter().filter_map(|line| value(line)))).collect()
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
