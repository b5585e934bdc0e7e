//! Which load to try next: steps that double, then bisection, each level decided by the majority of its runs. Pure.
//!
//! ```text
//! start ─▶ held: twice as much, and so on ─▶ failed (confirmed): between the two ─▶ … ─▶ narrow enough,
//!       ─▶ failed: half as much, and so on ─▶ held ─────────┘                            both ends confirmed
//! ```
//!
//! One run that holds is enough to go on upwards; one that fails is tried again first, because a mishap looks like a
//! limit. The lower end of the final interval is confirmed too: were it luck, the search goes on below it.

use reports::capacity::{Ended, Level, Outcome, wilson};

/// How far the search goes below its start before it gives up: 1/64.
const HALVINGS: i32 = 6;

/// What the search is to do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// First level.
    pub start: f64,
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
    levels: Vec<Tally>,
}

#[derive(Debug, Clone, Copy)]
struct Tally {
    level: f64,
    held: u32,
    failed: u32,
    invalid: u32,
}

impl Tally {
    /// What the majority says.
    const fn verdict(&self, repeats: u32) -> Option<Outcome> {
        let majority = repeats / 2 + 1;
        if self.held >= majority {
            Some(Outcome::Held)
        } else if self.failed >= majority {
            Some(Outcome::Failed)
        } else if self.invalid >= majority {
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
        let at = self.levels.partition_point(|tally| tally.level < level);
        if self.levels.get(at).is_none_or(|tally| tally.level > level) {
            self.levels.insert(at, Tally { level, held: 0, failed: 0, invalid: 0 });
        }
        let tally = &mut self.levels[at];
        match outcome {
            Outcome::Held => tally.held += 1,
            Outcome::Failed => tally.failed += 1,
            Outcome::Invalid => tally.invalid += 1,
        }
    }

    /// Lowest level that gave way.
    fn upper(&self) -> Option<&Tally> {
        self.levels.iter().find(|tally| tally.gives_way(self.rules.repeats))
    }

    /// Highest level that held, below everything that gave way.
    fn lower(&self) -> Option<&Tally> {
        self.below().iter().rev().find(|tally| tally.holds(self.rules.repeats))
    }

    /// The levels below everything that gave way.
    fn below(&self) -> &[Tally] {
        let end = self.levels.iter().position(|tally| tally.gives_way(self.rules.repeats));
        &self.levels[..end.unwrap_or(self.levels.len())]
    }

    /// The interval so far: the highest level that held, and the lowest above it that gave way and how.
    #[must_use]
    pub fn bracket(&self) -> (Option<f64>, Option<(f64, Outcome)>) {
        let upper = self.upper().and_then(|tally| Some((tally.level, tally.verdict(self.rules.repeats)?)));
        (self.lower().map(|tally| tally.level), upper)
    }

    /// What to do next.
    #[must_use]
    pub fn next(&self) -> Next {
        let Rules { start, most, repeats, .. } = self.rules;
        if let Some(undecided) = self.below().iter().find(|tally| !tally.holds(repeats)) {
            return Next::Try(undecided.level);
        }
        let confirmed = |low: &Tally, ended| {
            if low.verdict(repeats).is_some() { Next::End(ended) } else { Next::Try(low.level) }
        };
        match (self.lower(), self.upper()) {
            (None, None) => Next::Try(self.rounded(start.min(most))),
            (Some(low), None) if low.level >= most => confirmed(low, Ended::NeverFailed),
            (Some(low), None) => Next::Try(self.rounded((low.level * 2.0).min(most))),
            (None, Some(high)) => {
                let half = self.rounded(high.level / 2.0);
                let enough = half < start * 0.5_f64.powi(HALVINGS) || half >= high.level || half <= 0.0;
                if enough { Next::End(self.ended_at(high, Ended::NothingHeld)) } else { Next::Try(half) }
            }
            (Some(low), Some(high)) => match self.between(low.level, high.level) {
                Some(level) => Next::Try(level),
                None => confirmed(low, self.ended_at(high, Ended::Found)),
            },
        }
    }

    /// A search whose upper end is the generator's says so.
    fn ended_at(&self, high: &Tally, otherwise: Ended) -> Ended {
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
        let level = |tally: &Tally| Level {
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

    const RULES: Rules = Rules { start: 10.0, most: 1e6, precision: 0.05, repeats: 3, whole: false };

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
            let (low, high) = search.bracket();
            let (low, (high, outcome)) = (low.unwrap(), high.unwrap());
            prop_assert!(low <= knee && knee < high, "{low} {knee} {high}");
            prop_assert!(high / low <= 1.0 + precision + 1e-9);
            prop_assert_eq!(outcome, Outcome::Failed);
            let majority = repeats / 2 + 1;
            let at = |wanted: f64| search.levels().into_iter().find(|level| level.level == wanted).unwrap();
            prop_assert!(at(low).held >= majority && at(high).failed >= majority);
            prop_assert!(runs <= 120, "{runs} runs");
        }

        #[test]
        fn one_mishap_in_a_while_does_not_move_the_knee(knee in 20.0_f64..5_000.0, first in 0_u32..4) {
            // Never two of three runs in a row, so that no majority is wrong.
            let steady = holds_below(knee);
            let (search, ended, _) = searched(RULES, |level, run| {
                if run % 4 == first { Outcome::Failed } else { steady(level, run) }
            });
            prop_assert_eq!(ended, Ended::Found);
            let (low, high) = search.bracket();
            prop_assert!(low.unwrap() <= knee && knee < high.unwrap().0);
        }

        #[test]
        fn sockets_are_whole_numbers(knee in 1_u32..40_000) {
            let rules = Rules { whole: true, precision: 0.001, start: 64.0, ..RULES };
            let (search, ended, _) = searched(rules, holds_below(f64::from(knee)));
            prop_assert_eq!(ended, Ended::Found);
            let (low, high) = search.bracket();
            prop_assert!(search.levels().iter().all(|level| level.level.fract() == 0.0));
            let (low, high) = (low.unwrap(), high.unwrap().0);
            prop_assert!(low <= f64::from(knee) && f64::from(knee) < high);
            prop_assert!(high - low <= (low * 0.001).max(1.0));
        }
    }

    #[test]
    fn a_generator_that_gives_way_first_is_no_knee() {
        let limit = |level: f64, _| if level <= 700.0 { Outcome::Held } else { Outcome::Invalid };
        let (search, ended, _) = searched(RULES, limit);
        assert_eq!(ended, Ended::GeneratorLimit);
        assert!(matches!(search.bracket(), (Some(low), Some((_, Outcome::Invalid))) if low <= 700.0));
        // A target that fails below the generator's limit has its knee all the same.
        let both =
            |level: f64, run| if level > 300.0 { Outcome::Invalid } else { holds_below(200.0)(level, run) };
        assert_eq!(searched(RULES, both).1, Ended::Found);
    }

    #[test]
    fn a_target_without_a_knee_in_reach_is_told_from_one_that_holds_nothing() {
        let rules = Rules { most: 100.0, ..RULES };
        let (search, ended, runs) = searched(rules, |_, _| Outcome::Held);
        assert_eq!((ended, search.bracket()), (Ended::NeverFailed, (Some(100.0), None)));
        assert_eq!(runs, 6, "10, 20, 40, 80, 100, and 100 again");
        let (search, ended, _) = searched(RULES, |_, _| Outcome::Failed);
        assert_eq!(ended, Ended::NothingHeld);
        assert_eq!(search.bracket().0, None);
        assert!(search.levels()[0].level >= 10.0 / 64.0);
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
        let (low, high) = search.bracket();
        assert!(low.unwrap() <= 60.0 && high.unwrap().0 > 60.0, "{low:?} {high:?}");
    }
}
