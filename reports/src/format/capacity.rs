//! `capacity.json`: what a search for the highest load found, and every step on the way.
//!
//! A stable contract like the run folder's (see `docs/capacity.md`). Each step is a run with a folder of its own, named
//! in [`Step::run`], but where the machine could not hold it; a level is a load that was tried, once or several times.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::folder::{self, FolderError};
use crate::html::{RenderError, ReportError};
use crate::human;

/// The search in one object.
pub const CAPACITY: &str = "capacity.json";
/// The self-contained page of it.
pub const PAGE: &str = "capacity.html";
/// Version of `capacity.json`.
pub const SCHEMA_VERSION: u32 = 1;

/// What was varied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vary {
    /// The rates of all operations together: operations per second at load 1.
    #[default]
    Rate,
    /// The number of players, each with a socket.
    Players,
}

impl Vary {
    /// A level with its unit.
    #[must_use]
    pub fn show(self, level: f64) -> String {
        match self {
            Self::Rate => format!("{}/s", human::significant(level)),
            Self::Players => format!("{} players", human::amount(level.round())),
        }
    }
}

/// How a search ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// The knee lies in an interval as narrow as was asked for.
    Found,
    /// Even the highest load that was asked for holds.
    NeverFailed,
    /// Not even the lowest load holds.
    NothingHeld,
    /// The generator gave way before the knee was found, or before its interval was as narrow as was asked for.
    GeneratorLimit,
    /// The time was up.
    OutOfTime,
    /// Stopped by Ctrl-C or SIGTERM.
    Interrupted,
    /// Under way, killed, or given up because a run came to no verdict.
    #[default]
    Unfinished,
}

/// How one step ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All thresholds passed.
    Held,
    /// A threshold failed.
    Failed,
    /// The generator did not keep up with the plan: nothing is known about the target.
    #[default]
    Invalid,
}

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Capacity {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The scenario's name.
    pub name: String,
    /// `embedded`, or the target's URL without query and credentials.
    pub target: String,
    /// Version of loadgen.
    pub version: String,
    /// What was varied.
    pub vary: Vary,
    /// Widest interval that counts as found, as a share of its lower end.
    pub precision: f64,
    /// Runs of a level at most; the majority decides.
    pub repeats: u32,
    /// The scenario's thresholds.
    pub thresholds: Vec<String>,
    /// When the search began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Why it ended.
    pub ended: Ended,
    /// The knee; `None` unless one level held and a higher one failed. Levels that the generator spoiled do not bound it.
    pub knee: Option<Knee>,
    /// Highest level that held, below everything that failed.
    pub held: Option<f64>,
    /// Every level that was tried, ascending.
    pub levels: Vec<Level>,
    /// Every run, in order.
    pub steps: Vec<Step>,
}

/// Where the target stops holding its thresholds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Knee {
    /// Middle of the interval.
    pub estimate: f64,
    /// Highest level that held.
    pub low: f64,
    /// Lowest level above it that failed.
    pub high: f64,
}

/// A load that was tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// The load.
    pub level: f64,
    /// Runs that held.
    pub held: u32,
    /// Runs that failed a threshold.
    pub failed: u32,
    /// Runs that the generator spoiled.
    pub invalid: u32,
    /// What the majority says; `None` when the search went on without a majority.
    pub verdict: Option<Outcome>,
    /// Share of valid runs that hold at this level: Wilson's 95 % interval. Wide with few runs.
    pub held_share: (f64, f64),
}

/// One run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// From 1.
    pub number: u32,
    /// The load.
    pub level: f64,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, where it did not hold.
    pub reason: Option<String>,
    /// Its run folder, from the folder of `capacity.json`; `None` where the machine cannot hold the level, and nothing ran.
    pub run: Option<PathBuf>,
    /// The operation that the times are of, the same in every step: the busiest but `connect`.
    pub operation: String,
    /// Arrivals a second that the plan called for in the measured phases, all operations but `connect`.
    pub offered_per_s: f64,
    /// Answered as expected a second.
    pub completed_per_s: f64,
    /// Share of the arrivals that failed, timed out or were not sent, 0 to 1; `connect` included.
    pub error_share: f64,
    /// Median response time in microseconds; 0 where nothing was measured, as below.
    pub p50_us: u64,
    /// 95th percentile of the response time in microseconds; 0 too in files of versions that did not keep it.
    #[serde(default)]
    pub p95_us: u64,
    /// 99th percentile of the response time in microseconds.
    pub p99_us: u64,
    /// Highest number of sockets open at once.
    pub peak_open: u64,
    /// 99th percentile of the generator's dispatch delay in microseconds.
    pub dispatch_delay_p99_us: u64,
}

/// Wilson's 95 % interval of a share, from `part` of `whole`; without any, all is possible.
#[must_use]
pub fn wilson(part: u32, whole: u32) -> (f64, f64) {
    const Z: f64 = 1.959_963_984_540_054;
    if whole == 0 {
        return (0.0, 1.0);
    }
    let n = f64::from(whole);
    let p = f64::from(part) / n;
    let center = (p + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    ((center - half).max(0.0), (center + half).min(1.0))
}

impl Capacity {
    /// What was found, and what it is worth, in a sentence each.
    pub(crate) fn sentences(&self) -> (String, String) {
        let show = |level: f64| self.vary.show(level);
        let interval =
            self.knee.map(|Knee { low, high, .. }| format!("{} held, {} did not", show(low), show(high)));
        let knee = self.knee.map_or_else(String::new, |knee| format!("Knee at {}", show(knee.estimate)));
        let held = self.held.map_or_else(|| "no load".into(), show);
        let so_far = || match &interval {
            Some(interval) => format!("So far {interval}."),
            None => format!("So far {held} held."),
        };
        match self.ended {
            Ended::Found => (
                format!("{knee}: {}", interval.unwrap_or_default()),
                format!(
                    "The interval is {} % wide; {}.",
                    human::significant(self.knee.map_or(0.0, |knee| (knee.high / knee.low - 1.0) * 100.0)),
                    match self.repeats {
                        1 => "each of its ends is one run".into(),
                        repeats => format!("each of its ends is the majority of up to {repeats} runs"),
                    }
                ),
            ),
            Ended::NeverFailed => (
                format!("No knee up to {held}"),
                "The highest load that was asked for holds; raise --to to go on.".into(),
            ),
            Ended::NothingHeld => (
                "Not even the lowest load holds".into(),
                "Look at the first run's report: the thresholds may ask for more than an idle target gives."
                    .into(),
            ),
            Ended::GeneratorLimit => (
                match &interval {
                    Some(interval) => {
                        format!("The generator gave way within the knee's interval: {interval}")
                    }
                    None => format!("The generator gave way, not the target: {held} held"),
                },
                format!(
                    "{} The runs that are not valid say what the generator lacked, and the remedy.",
                    match self.held {
                        Some(_) => "The knee lies above what held.",
                        None => "Nothing is known about the target.",
                    }
                ),
            ),
            Ended::OutOfTime => ("The time was up before the knee was found".into(), so_far()),
            Ended::Interrupted => ("Interrupted before the knee was found".into(), so_far()),
            Ended::Unfinished => ("The search is not finished".into(), so_far()),
        }
    }

    /// What came of the search, in a phrase.
    #[must_use]
    pub fn headline(&self) -> String {
        self.sentences().0
    }

    /// The search for a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        let (headline, sentence) = self.sentences();
        format!("{headline}\n{sentence}\n")
    }
}

/// Writes `capacity.json` and `capacity.html` into `dir`, replacing what was there.
///
/// # Errors
/// [`ReportError`] when a file cannot be written or the page not be drawn.
pub fn write(dir: &Path, capacity: &Capacity) -> Result<(), ReportError> {
    folder::save_json(dir, CAPACITY, capacity)?;
    folder::save(dir, PAGE, render(capacity)?.as_bytes())?;
    Ok(())
}

/// Reads `capacity.json` from `dir`.
///
/// # Errors
/// [`FolderError`] when it is missing or is not what the format asks for.
pub fn read(dir: &Path) -> Result<Capacity, FolderError> {
    let path = dir.join(CAPACITY);
    let text = std::fs::read_to_string(&path).map_err(FolderError::io("read", &path))?;
    crate::printable::from_json(&text).map_err(|source| FolderError::Json { path, line: None, source })
}

/// The page as one HTML document.
///
/// # Errors
/// [`RenderError`] when a chart cannot be drawn.
pub fn render(capacity: &Capacity) -> Result<String, RenderError> {
    crate::html::capacity(capacity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_gives_the_intervals_of_the_tables() {
        // Newcombe 1998, table I: 81 of 263 gives 0.2553 to 0.3662; 1 of 29 gives 0.0061 to 0.1718.
        let close =
            |(low, high): (f64, f64), (l, h): (f64, f64)| (low - l).abs() < 6e-5 && (high - h).abs() < 6e-5;
        assert!(close(wilson(81, 263), (0.2553, 0.3662)), "{:?}", wilson(81, 263));
        assert!(close(wilson(1, 29), (0.0061, 0.1718)), "{:?}", wilson(1, 29));
        assert_eq!(wilson(0, 0), (0.0, 1.0));
    }
}
