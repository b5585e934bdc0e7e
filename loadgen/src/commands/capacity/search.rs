//! Which load to try next: steps that double, then bisection, each level decided by the majority of its runs. Pure.
//!
//! ```text
//! start ─▶ held: twice as much, and so on ─▶ failed (confirmed): between the two ─▶ … ─▶ narrow enough,
//!       ─▶ failed: half as much, and so on ─▶ held ─────────┘                            both ends confirmed
//! ```
//!
//! One run that holds is enough to go on upwards; one that fails is tried again first, because a mishap looks like a
//! limit. The lower end of the final interval is confirmed too: were it luck, the search goes on below it.
//!
//! A level that the generator spoiled bounds the search, because no figure above it can be used, but never the knee:
//! only a level that *failed* is the upper end of the knee's interval.

use reports::capacity::{Ended, Level, Outcome, wilson};

/// What the search is to do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// First level.
    pub start: f64,
    /// Lowest level.
    pub least: f64,
    /// Highest level.
    pub most: f64,
    /// Widest interval that counts as found, as a share of its lower end.
    pub precision: f64,
    /// Runs of a level at most; the majority decides.
    pub repeats: u32,
    /// Levels are whole numbers.
    pub whole: bool,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Next {
    /// Run this level.
    Try(f64),
    /// Nothing more.
    End(Ended),
}

/// A search under way.
#[derive(Debug, Clone)]
pub struct Search {
    rules: Rules,
    /// Ascending.
    levels: Vec<LevelTally>,
}

#[derive(Debug, Clone, Copy)]
struct LevelTally {
    level: f64,
    held: u32,
    failed: u32,
    invalid: u32,
    /// Whether it cannot be tried at all.
    ruled_out: bool,
}

impl LevelTally {
    /// What the majority says; when the runs are used up without one, nothing is known of a level that the generator
    /// spoiled once, and any other does not hold.
    const fn verdict(&self, repeats: u32) -> Option<Outcome> {
        let majority = repeats / 2 + 1;
        let used_up = self.held + self.failed + self.invalid >= repeats;
        if self.held >= majority {
            Some(Outcome::Held)
        } else if self.failed >= majority || (used_up && self.invalid == 0) {
            Some(Outcome::Failed)
        } else if self.ruled_out || self.invalid >= majority || used_up {
            Some(Outcome::Invalid)
        } else {
            None
        }
    }

    /// Whether the level may be taken to hold for now.
    fn holds(&self, repeats: u32) -> bool {
        match self.verdict(repeats) {
            Some(verdict) => verdict == Outcome::Held,
            None => self.failed == 0 && self.invalid == 0,
        }
    }

    fn gives_way(&self, repeats: u32) -> bool {
        matches!(self.verdict(repeats), Some(Outcome::Failed | Outcome::Invalid))
    }
}

impl Search {
    /// A search that has tried nothing.
    #[must_use]
    pub const fn new(rules: Rules) -> Self {
        Self { rules, levels: Vec::new() }
    }

    /// Takes note of a run.
    pub fn record(&mut self, level: f64, outcome: Outcome) {
        let tally = self.tally(level);
        match outcome {
            Outcome::Held => tally.held += 1,
            Outcome::Failed => tally.failed += 1,
            Outcome::Invalid => tally.invalid += 1,
        }
    }

    /// Takes note that the generator cannot even try a level.
    pub fn rule_out(&mut self, level: f64) {
        let tally = self.tally(level);
        tally.invalid += 1;
        tally.ruled_out = true;
    }

    fn tally(&mut self, level: f64) -> &mut LevelTally {
        let at = self.levels.partition_point(|tally| tally.level < level);
        if self.levels.get(at).is_none_or(|tally| tally.level > level) {
            self.levels.insert(at, LevelTally { level, held: 0, failed: 0, invalid: 0, ruled_out: false });
        }
        &mut self.levels[at]
    }

    /// Lowest level that gave way.
    fn upper(&self) -> Option<&LevelTally> {
        self.levels.iter().find(|tally| tally.gives_way(self.rules.repeats))
    }

    /// Highest level that held, below everything that gave way.
    fn lower(&self) -> Option<&LevelTally> {
        self.below().iter().rev().find(|tally| tally.holds(self.rules.repeats))
    }

    /// The levels below everything that gave way.
    fn below(&self) -> &[LevelTally] {
        let end = self.levels.iter().position(|tally| tally.gives_way(self.rules.repeats));
        &self.levels[..end.unwrap_or(self.levels.len())]
    }

    /// Highest level that held so far, below everything that gave way.
    #[must_use]
    pub fn held(&self) -> Option<f64> {
        self.lower().map(|tally| tally.level)
    }

    /// Lowest level that failed its thresholds so far.
    #[must_use]
    pub fn failed(&self) -> Option<f64> {
        let failed = |tally: &&LevelTally| tally.verdict(self.rules.repeats) == Some(Outcome::Failed);
        self.levels.iter().find(failed).map(|tally| tally.level)
    }

    /// What to do next.
    #[must_use]
    pub fn next(&self) -> Next {
        let Rules { start, least, most, repeats, .. } = self.rules;
        if let Some(undecided) = self.below().iter().find(|tally| !tally.holds(repeats)) {
            return Next::Try(undecided.level);
        }
        let confirmed = |low: &LevelTally, ended| {
            if low.verdict(repeats).is_some() { Next::End(ended) } else { Next::Try(low.level) }
        };
        match (self.lower(), self.upper()) {
            (None, None) => Next::Try(self.rounded(start.min(most))),
            (Some(low), None) if low.level >= most => confirmed(low, Ended::NeverFailed),
            (Some(low), None) => Next::Try(self.rounded((low.level * 2.0).min(most))),
            (None, Some(high)) => {
                let half = self.rounded(high.level / 2.0).max(least);
                if half < high.level {
                    Next::Try(half)
                } else {
                    Next::End(self.ended_at(high, Ended::NothingHeld))
                }
            }
            (Some(low), Some(high)) => match self.between(low.level, high.level) {
                Some(level) => Next::Try(level),
                None => confirmed(low, self.ended_at(high, Ended::Found)),
            },
        }
    }

    /// A search whose upper end is the generator's says so.
    fn ended_at(&self, high: &LevelTally, otherwise: Ended) -> Ended {
        if high.verdict(self.rules.repeats) == Some(Outcome::Invalid) {
            Ended::GeneratorLimit
        } else {
            otherwise
        }
    }

    /// The level between two, or `None` where they are near enough.
    fn between(&self, low: f64, high: f64) -> Option<f64> {
        if (high - low) / low <= self.rules.precision {
            return None;
        }
        let level = self.rounded((low * high).sqrt());
        (level > low && level < high).then_some(level)
    }

    fn rounded(&self, level: f64) -> f64 {
        if self.rules.whole { level.round().max(1.0) } else { level }
    }

    /// Every level that was tried, ascending.
    #[must_use]
    pub fn levels(&self) -> Vec<Level> {
        let level = |tally: &LevelTally| Level {
            level: tally.level,
            held: tally.held,
            failed: tally.failed,
            invalid: tally.invalid,
            verdict: tally.verdict(self.rules.repeats),
            held_share: wilson(tally.held, tally.held + tally.failed),
        };
        self.levels.iter().map(level).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULES: Rules =
        Rules { start: 10.0, least: 0.15, most: 1e6, precision: 0.05, repeats: 3, whole: false };

    /// Searches against a target whose answer to the n-th run of all is given; gives the search, its end and its runs.
    fn searched(rules: Rules, mut answer: impl FnMut(f64, u32) -> Outcome) -> (Search, Ended, u32) {
        let mut search = Search::new(rules);
        for run in 0..500 {
            match search.next() {
                Next::Try(level) => search.record(level, answer(level, run)),
                Next::End(ended) => return (search, ended, run),
            }
        }
        panic!("no end: {:?}", search.levels());
    }

    /// The knee's interval, which there is.
    fn interval(search: &Search) -> (f64, f64) {
        (search.held().unwrap(), search.failed().unwrap())
    }

    fn holds_below(knee: f64) -> impl Fn(f64, u32) -> Outcome {
        move |level, _| if level <= knee { Outcome::Held } else { Outcome::Failed }
    }

    proptest! {
        #[test]
        fn the_knee_lies_in_a_narrow_interval_with_confirmed_ends(
            knee in 0.2_f64..200_000.0, precision in 0.01_f64..0.3, repeats in 1_u32..6,
        ) {
            let rules = Rules { precision, repeats, ..RULES };
            let (search, ended, runs) = searched(rules, holds_below(knee));
            prop_assert_eq!(ended, Ended::Found);
            let (low, high) = interval(&search);
            prop_assert!(low <= knee && knee < high, "{low} {knee} {high}");
            prop_assert!(high / low <= 1.0 + precision + 1e-9);
            let majority = repeats / 2 + 1;
            let at = |wanted: f64| search.levels().into_iter().find(|level| level.level == wanted).unwrap();
            prop_assert!(at(low).held >= majority && at(high).failed >= majority);
            prop_assert!(runs <= 120, "{runs} runs");
        }

        #[test]
        fn whatever_the_runs_say_no_level_has_more_than_its_repeats_and_no_spoiled_one_bounds_the_knee(
            answers in prop::collection::vec(prop::sample::select(vec![Outcome::Held, Outcome::Failed, Outcome::Invalid]), 64),
            repeats in 1_u32..6,
        ) {
            let answer = |_, run: u32| answers[run as usize % answers.len()];
            let (search, ended, _) = searched(Rules { repeats, ..RULES }, answer);
            let levels = search.levels();
            prop_assert!(levels.iter().all(|level| level.held + level.failed + level.invalid <= repeats), "{levels:?}");
            let verdict = |wanted: f64| levels.iter().find(|level| level.level == wanted).unwrap().verdict;
            let (low, high) = (search.held(), search.failed());
            prop_assert!(high.is_none_or(|high| verdict(high) == Some(Outcome::Failed)));
            prop_assert!(low.zip(high).is_none_or(|(low, high)| low < high));
            if let Some(low) = low {
                prop_assert_eq!(verdict(low), Some(Outcome::Held));
                // Nothing below what is said to hold has given way.
                let below = levels.iter().filter(|level| level.level < low);
                prop_assert!(below.into_iter().all(|level| matches!(level.verdict, None | Some(Outcome::Held))));
            }
            if ended == Ended::Found {
                let (low, high) = interval(&search);
                prop_assert!(high / low <= 1.05 + 1e-9);
                let between = |level: &Level| level.level > low && level.level < high;
                prop_assert!(!levels.iter().any(between), "{levels:?}");
            }
        }

        #[test]
        fn one_mishap_in_a_while_does_not_move_the_knee(knee in 20.0_f64..5_000.0, first in 0_u32..4) {
            // Never two of three runs in a row, so that no majority is wrong.
            let steady = holds_below(knee);
            let (search, ended, _) = searched(RULES, |level, run| {
                if run % 4 == first { Outcome::Failed } else { steady(level, run) }
            });
            prop_assert_eq!(ended, Ended::Found);
            let (low, high) = interval(&search);
            prop_assert!(low <= knee && knee < high);
        }

        #[test]
        fn sockets_are_whole_numbers(knee in 1_u32..40_000) {
            let rules = Rules { whole: true, precision: 0.001, start: 64.0, ..RULES };
            let (search, ended, _) = searched(rules, holds_below(f64::from(knee)));
            prop_assert_eq!(ended, Ended::Found);
            let (low, high) = interval(&search);
            prop_assert!(search.levels().iter().all(|level| level.level.fract() == 0.0));
            prop_assert!(low <= f64::from(knee) && f64::from(knee) < high);
            prop_assert!(high - low <= (low * 0.001).max(1.0));
        }
    }

    #[test]
    fn a_generator_that_gives_way_first_is_no_knee() {
        let limit = |level: f64, _| if level <= 700.0 { Outcome::Held } else { Outcome::Invalid };
        let (search, ended, _) = searched(RULES, limit);
        assert_eq!(ended, Ended::GeneratorLimit);
        assert_eq!(search.failed(), None);
        assert!(search.held().is_some_and(|held| held <= 700.0 && held > 660.0), "as much as could be shown");
        // A target that fails below the generator's limit has its knee all the same.
        let both =
            |level: f64, run| if level > 300.0 { Outcome::Invalid } else { holds_below(200.0)(level, run) };
        assert_eq!(searched(RULES, both).1, Ended::Found);
    }

    #[test]
    fn a_generator_that_gives_way_within_the_interval_leaves_it_wide() {
        let answer = |level: f64, _| match level {
            ..=160.0 => Outcome::Held,
            ..=300.0 => Outcome::Invalid,
            _ => Outcome::Failed,
        };
        let (search, ended, _) = searched(RULES, answer);
        assert_eq!((ended, search.failed()), (Ended::GeneratorLimit, Some(320.0)));
        assert_eq!(search.held(), Some(160.0), "what the generator spoiled is no end of the knee's interval");
    }

    #[test]
    fn runs_that_are_used_up_without_a_majority_decide_too() {
        let tally =
            |held, failed, invalid| LevelTally { level: 1.0, held, failed, invalid, ruled_out: false };
        assert_eq!(tally(1, 1, 0).verdict(2), Some(Outcome::Failed), "half of the runs is no majority");
        assert_eq!(tally(1, 1, 1).verdict(3), Some(Outcome::Invalid), "nothing is known");
        assert_eq!(tally(1, 1, 0).verdict(3), None);
    }

    #[test]
    fn a_target_without_a_knee_in_reach_differs_from_one_that_holds_nothing() {
        let rules = Rules { most: 100.0, ..RULES };
        let (search, ended, runs) = searched(rules, |_, _| Outcome::Held);
        assert_eq!((ended, search.held(), search.failed()), (Ended::NeverFailed, Some(100.0), None));
        assert_eq!(runs, 6, "10, 20, 40, 80, 100, and 100 again");
        let (search, ended, _) = searched(RULES, |_, _| Outcome::Failed);
        assert_eq!(ended, Ended::NothingHeld);
        assert_eq!(search.held(), None);
        assert_eq!(search.levels()[0].level, RULES.least);
    }

    #[test]
    fn a_lower_end_that_was_luck_is_given_up() {
        // 100 held once by luck, and never again.
        let mut lucky = true;
        let (search, ended, _) = searched(Rules { start: 100.0, ..RULES }, |level, _| {
            let held = level <= 60.0 || (level == 100.0 && std::mem::take(&mut lucky));
            if held { Outcome::Held } else { Outcome::Failed }
        });
        assert_eq!(ended, Ended::Found);
        let (low, high) = interval(&search);
        assert!(low <= 60.0 && high > 60.0, "{low} {high}");
    }
}
