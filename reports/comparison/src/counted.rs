//! Counts of each second, as a part and its whole: failures of arrivals, completions of seconds, durations of invocations.

use std::ops::Range;

/// A ratio of one run, second by second.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counted {
    /// Part and whole of each point.
    points: Vec<(f64, f64)>,
    /// The points of each stretch.
    stretches: Vec<Range<usize>>,
    /// Seconds of a point.
    second_s: f64,
    /// Part and whole of the run, where its summary knows them better than the seconds do.
    totals: (f64, f64),
}

impl Counted {
    /// The parts and wholes of points that are all alike, each of `second_s` seconds.
    #[must_use]
    pub fn new(points: Vec<(f64, f64)>, second_s: f64) -> Self {
        let whole = 0..points.len();
        Self::of_stretches(points, std::slice::from_ref(&whole), second_s)
    }

    /// The same with stretches that each have a level of their own. Those without a whole tell nothing.
    pub(crate) fn of_stretches(points: Vec<(f64, f64)>, stretches: &[Range<usize>], second_s: f64) -> Self {
        let has_whole =
            |stretch: &&Range<usize>| points[(*stretch).clone()].iter().any(|(_, whole)| *whole > 0.0);
        let stretches = stretches.iter().filter(has_whole).cloned().collect();
        let totals = points.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
        Self { points, stretches, second_s, totals }
    }

    /// Part and whole as the run's summary has them.
    #[must_use]
    pub fn with_totals(self, part: f64, whole: f64) -> Self {
        Self { totals: (part, whole), ..self }
    }

    pub(crate) fn points(&self) -> &[(f64, f64)] {
        &self.points
    }

    pub(crate) fn stretches(&self) -> &[Range<usize>] {
        &self.stretches
    }

    pub(crate) fn second_s(&self) -> f64 {
        self.second_s
    }

    pub(crate) fn totals(&self) -> (f64, f64) {
        self.totals
    }

    /// How many points have a whole.
    pub(crate) fn filled(&self) -> usize {
        self.points.iter().filter(|(_, whole)| *whole > 0.0).count()
    }
}
