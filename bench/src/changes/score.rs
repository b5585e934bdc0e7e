//! How well places are found.

use std::collections::BTreeSet;

/// Counts of what was found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Score {
    /// Changes that were found.
    pub found: u64,
    /// Of these, those at the very point.
    pub exact: u64,
    /// Changes that were missed.
    pub missed: u64,
    /// What was told and is none.
    pub wrong: u64,
}

impl Score {
    /// Of one series: a change counts as found where one was told within `margin` points, each told one for one change.
    #[must_use]
    pub fn of(truth: &[usize], told: &[usize], margin: usize) -> Self {
        let mut open: BTreeSet<usize> = told.iter().copied().collect();
        let mut score = Self::default();
        for &change in truth {
            let nearest = open.iter().copied().min_by_key(|place| place.abs_diff(change));
            match nearest.filter(|place| place.abs_diff(change) <= margin) {
                Some(place) => {
                    open.remove(&place);
                    score.found += 1;
                    score.exact += u64::from(place == change);
                }
                None => score.missed += 1,
            }
        }
        score.wrong = open.len() as u64;
        score
    }

    /// Both together.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            found: self.found + other.found,
            exact: self.exact + other.exact,
            missed: self.missed + other.missed,
            wrong: self.wrong + other.wrong,
        }
    }

    /// Harmonic mean of precision and recall, 0 to 1.
    #[must_use]
    pub fn f1(&self) -> f64 {
        let all = 2 * self.found + self.missed + self.wrong;
        if all == 0 { 1.0 } else { 2.0 * self.found as f64 / all as f64 }
    }
}

/// F1 of a series that several people have annotated (G. van den Burg, C. Williams 2020, arXiv 2003.06222, section 4.2): precision
/// against all annotations together, recall as the mean over the annotators; the first point counts as a change of everybody, and a
/// margin of five points is allowed.
#[must_use]
pub fn f1_of_annotators(annotators: &[Vec<usize>], told: &[usize]) -> f64 {
    let with_first = |places: &[usize]| places.iter().copied().chain([0]).collect::<BTreeSet<_>>();
    let told = with_first(told);
    let all: BTreeSet<usize> = annotators.iter().flat_map(|places| with_first(places)).collect();
    let precision = hits(&all, &told) as f64 / told.len() as f64;
    let recalls = annotators.iter().map(|places| {
        let places = with_first(places);
        hits(&places, &told) as f64 / places.len() as f64
    });
    let recall = recalls.sum::<f64>() / annotators.len() as f64;
    2.0 * precision * recall / (precision + recall)
}

/// Changes with a told place of their own: none stands for two.
fn hits(truth: &BTreeSet<usize>, told: &BTreeSet<usize>) -> usize {
    /// Points that an annotation may lie from it.
    const MARGIN: usize = 5;
    let mut open = told.clone();
    truth
        .iter()
        .filter(|change| {
            let nearest = open.iter().copied().filter(|place| place.abs_diff(**change) <= MARGIN);
            let nearest = nearest.min_by_key(|place| place.abs_diff(**change));
            nearest.is_some_and(|place| open.remove(&place))
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_by_hand() {
        let score = Score::of(&[10, 30], &[11, 50], 2);
        assert_eq!(score, Score { found: 1, exact: 0, missed: 1, wrong: 1 });
        assert!((score.f1() - 0.5).abs() < 1e-12);
        assert!((Score::of(&[], &[], 2).f1() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_published_scores_of_finding_nothing() {
        // TCPDBench, analysis/output/scores/default_f1_scores.json, method zero: centralia, nile, quality_control_4.
        for (annotators, published) in [
            (vec![vec![3, 12], vec![], vec![12], vec![4, 8, 12], vec![]], 0.762_886_597_938_144_4),
            (vec![vec![], vec![28], vec![], vec![28], vec![28]], 0.823_529_411_764_705_8),
            (vec![vec![338], vec![], vec![], vec![159, 238, 342, 468], vec![340]], 0.780_487_804_878_048_9),
        ] {
            let f1 = f1_of_annotators(&annotators, &[]);
            assert!((f1 - published).abs() < 1e-9, "{f1} {published}");
        }
        // And of methods that find the Nile's.
        let nile = [vec![], vec![28], vec![], vec![28], vec![28]];
        assert!((f1_of_annotators(&nile, &[28]) - 1.0).abs() < 1e-9);
    }
}
