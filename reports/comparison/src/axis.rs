//! Which seconds of a run count, and which of them are alike: the measured ones, phase by phase.
//!
//! A phase has a level of its own, so resampling never exchanges seconds of two phases. What comes after the last phase, while the run
//! waits for answers, counts as of its last second; what comes before the first one is a stretch of its own, in which players connect.

use std::ops::Range;

use reports::format::{Manifest, Phase};

/// Most points of a run: longer runs have points of several seconds.
const MOST_POINTS: usize = 2_048;

/// The points of a run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Axis {
    /// The point of each second, and whether the second is measured.
    seconds: Vec<(usize, bool)>,
    /// The points of each stretch.
    stretches: Vec<Range<usize>>,
    /// Seconds of a point.
    second_s: usize,
    points: usize,
}

impl Axis {
    /// The axis of a run whose plan was carried out for `seconds` seconds.
    pub(crate) fn new(manifest: &Manifest, seconds: usize) -> Self {
        let middle = |second: usize| second as f64 + 0.5;
        let measured = |second: usize| manifest.measures(middle(second));
        let second_s = (0..seconds).filter(|second| measured(*second)).count().div_ceil(MOST_POINTS).max(1);
        let mut axis =
            Self { seconds: Vec::with_capacity(seconds), stretches: Vec::new(), second_s, points: 0 };
        let (mut current, mut within) = (None, 0);
        for second in 0..seconds {
            if !measured(second) {
                // It lends what is measured in it to the next point.
                axis.seconds.push((axis.points, false));
                continue;
            }
            let own = stretch(&manifest.phases, middle(second));
            if current != Some(own) {
                axis.stretches.push(axis.points..axis.points);
                (current, within) = (Some(own), 0);
            }
            axis.points += usize::from(within % second_s == 0);
            within += 1;
            if let Some(last) = axis.stretches.last_mut() {
                last.end = axis.points;
            }
            axis.seconds.push((axis.points - 1, true));
        }
        axis
    }

    /// The point of a second; the last one for what is later.
    pub(crate) fn point(&self, second: usize) -> usize {
        let point = self.seconds.get(second).map_or(self.points, |(point, _)| *point);
        point.min(self.points.saturating_sub(1))
    }

    /// The point of a second that is measured, and of what is later.
    pub(crate) fn measured(&self, second: usize) -> Option<usize> {
        match self.seconds.get(second) {
            Some((point, measured)) => measured.then_some(*point),
            None => self.points.checked_sub(1),
        }
    }

    /// How many points there are.
    pub(crate) fn points(&self) -> usize {
        self.points
    }

    /// Seconds of a point.
    pub(crate) fn second_s(&self) -> f64 {
        self.second_s as f64
    }

    /// The stretches of alike points.
    pub(crate) fn stretches(&self) -> &[Range<usize>] {
        &self.stretches
    }

    /// The point of a second of a measured phase: not of the time before the first.
    pub(crate) fn of_a_phase(&self, second: usize, manifest: &Manifest) -> Option<usize> {
        let within = |phase: &Phase| (phase.start_s..phase.end_s).contains(&(second as f64 + 0.5));
        self.measured(second).filter(|_| manifest.phases.iter().any(within))
    }
}

/// 0 before the first phase, else its number from 1.
fn stretch(phases: &[Phase], at_s: f64) -> usize {
    phases.iter().rposition(|phase| phase.start_s <= at_s).map_or(0, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(phases: &[(f64, f64, bool)]) -> Manifest {
        let phase = |(start_s, end_s, measured): &(f64, f64, bool)| Phase {
            name: String::new(),
            start_s: *start_s,
            end_s: *end_s,
            measured: *measured,
        };
        Manifest { phases: phases.iter().map(phase).collect(), ..Manifest::default() }
    }

    #[test]
    fn phases_are_stretches_and_the_rest_goes_to_its_neighbours() {
        // Players connect for two seconds, two of warm-up, three and four measured, one of waiting.
        let manifest = manifest(&[(2.0, 4.0, false), (4.0, 7.0, true), (7.0, 11.0, true)]);
        let axis = Axis::new(&manifest, 11);
        assert_eq!(axis.stretches(), [0..2, 2..5, 5..9]);
        assert_eq!([0, 1, 2, 3, 4, 10, 11, 50].map(|second| axis.point(second)), [0, 1, 2, 2, 2, 8, 8, 8]);
        assert_eq!(
            [1, 2, 3, 4, 11].map(|second| axis.measured(second)),
            [Some(1), None, None, Some(2), Some(8)]
        );
        assert_eq!(
            [1, 3, 4, 11].map(|second| axis.of_a_phase(second, &manifest)),
            [None, None, Some(2), None]
        );
        assert_eq!(axis.points(), 9);
    }

    #[test]
    fn a_day_has_points_of_many_seconds_and_a_run_without_phases_one_stretch() {
        let axis = Axis::new(&manifest(&[(0.0, 86_400.0, true)]), 86_400);
        assert_eq!((axis.second_s() as u32, axis.points()), (43, 2_010));
        let axis = Axis::new(&Manifest::default(), 30);
        assert_eq!((axis.points(), axis.stretches()), (30, &[0..30][..]));
    }
}
