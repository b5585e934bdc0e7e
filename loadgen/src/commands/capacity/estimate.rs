//! How long a search will take: the search itself, played against targets whose knees are known.

use std::fmt;
use std::time::Duration;

use humantime::format_duration;
use reports::capacity::Outcome;

use super::search::{Next, Rules, Search};

/// Knees that are played, as factors of the first level: from well below what the scenario asks for to far above.
const KNEES: [f64; 7] = [0.4, 0.7, 1.3, 2.5, 5.0, 10.0, 20.0];
/// What a run takes beyond its plan: starting a backend, waiting for the last pushes, the report.
const AROUND: Duration = Duration::from_secs(3);

/// What a search will likely take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Estimate {
    /// Fewest and most runs.
    runs: (u32, u32),
    /// One run.
    run: Duration,
    /// Between two of them.
    pause: Duration,
}

impl Estimate {
    /// `run` is the length of the first level's plan; where the search is `bounded`, there may be no knee below its end.
    pub(super) fn of(rules: Rules, bounded: bool, run: Duration, pause: Duration) -> Self {
        let knees = KNEES.iter().map(|factor| rules.start * factor).chain(bounded.then_some(f64::INFINITY));
        let runs: Vec<_> = knees.map(|knee| runs(rules, knee)).collect();
        let (least, most) = (runs.iter().min().copied(), runs.iter().max().copied());
        Self { runs: (least.unwrap_or(1), most.unwrap_or(1)), run: run + AROUND, pause }
    }

    fn length(self, runs: u32) -> Duration {
        self.run * runs + self.pause * runs.saturating_sub(1)
    }

    /// The estimate in words.
    pub(super) fn sentence(self, limit: Duration) -> impl fmt::Display {
        let (least, most) = self.runs;
        let (short, long) = (self.length(least), self.length(most));
        let end = if long > limit {
            format!("; no run begins that would end after {}", format_duration(limit))
        } else {
            String::new()
        };
        format!(
            "{least} to {most} runs of about {} with {} between them: likely {} to {}{end}",
            format_duration(rounded(self.run)),
            format_duration(self.pause),
            format_duration(rounded(short)),
            format_duration(rounded(long)),
        )
    }
}

/// Runs until the search has found a knee that is as sharp as can be.
fn runs(rules: Rules, knee: f64) -> u32 {
    let mut search = Search::new(rules);
    let mut runs = 0;
    while let Next::Try(level) = search.next() {
        search.record(level, if level <= knee { Outcome::Held } else { Outcome::Failed });
        runs += 1;
    }
    runs
}

/// Whole seconds, and whole tens of them beyond two minutes.
fn rounded(length: Duration) -> Duration {
    let seconds = length.as_secs_f64().round() as u64;
    Duration::from_secs(if seconds < 120 { seconds } else { seconds.div_ceil(10) * 10 })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules =
        Rules { start: 10.0, least: 10.0 / 64.0, most: 1e6, precision: 0.05, repeats: 1, whole: false };

    #[test]
    fn an_estimate_counts_the_runs_that_the_search_makes() {
        // 10 fails, 5 holds, then four bisections of a factor of two to within 5 %.
        assert_eq!(runs(RULES, 7.0), 6);
        // 10, 20, 40 hold, 80 fails, then as before.
        assert_eq!(runs(RULES, 50.0), 8);
        let estimate = Estimate::of(RULES, false, Duration::from_secs(27), Duration::from_secs(2));
        assert_eq!(estimate.run, Duration::from_secs(30));
        assert_eq!(estimate.runs.0, 6);
        let words = estimate.sentence(Duration::from_secs(3_600)).to_string();
        assert!(
            words.starts_with("6 to ")
                && words.contains(" runs of about 30s with 2s between them: likely 3m 10s to "),
            "{words}"
        );
        let words = estimate.sentence(Duration::from_secs(60)).to_string();
        assert!(words.ends_with("; no run begins that would end after 1m"), "{words}");
    }
}
