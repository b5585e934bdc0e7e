//! `loadgen capacity`: the highest rate, or number of sockets, that holds the scenario's thresholds.
//!
//! ```text
//! search (pure: which level next) ─▶ step (a child `loadgen run`, its verdict) ─▶ search ─▶ … ─▶ knee and its interval
//! ```
//!
//! `capacity.json` and `capacity.html` are written after every step, so that a search that ends early, however it does,
//! leaves what it has found.

mod driver;
mod estimate;
mod search;
mod step;

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use output::Look;
use reports::capacity::{Capacity, Ended, SCHEMA_VERSION, Vary};
use reports::folder::{self, FolderError};
use reports::html::ReportError;
use scenarios::{Checked, Mistakes, Override, Source};

use driver::Hunt;
use estimate::Estimate;
pub use search::{Next, Rules, Search};
use step::Load;

use crate::checked;
use crate::exit::Exit;
use crate::generate::error::GenerateError;
use crate::generate::signals::outlive_the_terminal;
use crate::live::say;
use crate::run;
use crate::workers::split::MachineError;
use crate::workers::split::Workers;

/// As much as any scenario may say.
const MOST: f64 = 1e6;
/// The search goes down to this share of its start before it gives up: six halvings.
const LEAST: f64 = 1.0 / 64.0;

/// What the command line asks for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The scenario, as [`Source::read`] takes it.
    pub scenario: PathBuf,
    /// Overrides, `--target` and `--seed` among them.
    pub overrides: Vec<Override>,
    /// The search's folder; left out: `runs/capacity-ID`.
    pub out: Option<PathBuf>,
    /// Processes for each run; `None`: one.
    pub workers: Option<Workers>,
    /// What is varied.
    pub vary: Vary,
    /// First level; left out: the scenario's.
    pub from: Option<f64>,
    /// Highest level; left out: as much as a scenario may say.
    pub to: Option<f64>,
    /// Widest interval that counts as found, as a share.
    pub precision: f64,
    /// Runs of a level at most.
    pub repeats: u32,
    /// Pause between two runs.
    pub cool_down: Duration,
    /// No run begins that would likely end after this.
    pub max_duration: Duration,
    /// Where the line of each step goes.
    pub progress: Progress,
}

/// Where the lines go that tell how far a search is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Progress {
    /// Standard output, before the result.
    #[default]
    Output,
    /// Standard error, because the output is for a program.
    Aside,
    /// Nobody wants them.
    Nowhere,
}

impl Progress {
    fn line(self, line: impl std::fmt::Display) {
        match self {
            // Told by the result that follows, and kept in the search's folder.
            Self::Output => drop(output::print(&format!("{line}\n"))),
            Self::Aside => say(line),
            Self::Nowhere => {}
        }
    }
}

/// What a search found, and where it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What it found.
    pub capacity: Capacity,
    /// Its folder.
    pub dir: PathBuf,
}

/// Why a search did not happen, or could not go on. What was found so far is in the search's folder.
#[derive(Debug, thiserror::Error)]
pub enum CapacityError {
    /// The scenario is wrong.
    #[error("{0}")]
    Scenario(#[from] Mistakes),
    /// There is nothing to vary.
    #[error(
        "the scenario has no operation with a rate; add one, or search for sockets with `--vary players`"
    )]
    NoRate,
    /// Nothing could fail.
    #[error("the scenario has no thresholds: every load would hold; add one, e.g. \"error_rate < 1%\"")]
    NoThresholds,
    /// The range is none.
    #[error("--from {from} lies above --to {to}")]
    Range {
        /// First level.
        from: f64,
        /// Highest level.
        to: f64,
    },
    /// The folder cannot be written.
    #[error("{0}")]
    Folder(#[from] FolderError),
    /// The page cannot be made.
    #[error("{0}")]
    Report(#[from] ReportError),
    /// Ctrl-C would not be noticed.
    #[error("{0}")]
    Signals(#[from] GenerateError),
    /// A level of the search is none that the scenario can have.
    #[error("a load of {level} cannot be tried: {mistakes}; keep the search off it with --from and --to")]
    Level {
        /// With its unit.
        level: String,
        /// What is wrong with it.
        mistakes: Mistakes,
    },
    /// More workers than players.
    #[error("{0}")]
    Machine(#[from] MachineError),
    /// Nobody could connect: there is no target to test.
    #[error("run {number}: no player could connect ({errors}); the target is not there, or went down")]
    NobodyIn {
        /// Its number.
        number: u32,
        /// Classes of the handshakes' errors.
        errors: String,
    },
    /// A run ended without a verdict.
    #[error("run {number} ended without a verdict: {problem}")]
    Step {
        /// Its number.
        number: u32,
        /// What it said.
        problem: String,
    },
}

impl CapacityError {
    /// The exit code that the error stands for.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Scenario(_)
            | Self::NoRate
            | Self::NoThresholds
            | Self::Range { .. }
            | Self::Level { .. }
            | Self::Machine(_)
            | Self::Folder(FolderError::NotEmpty { .. }) => Exit::Usage,
            _ => Exit::Failure,
        }
    }
}

/// The exit code that a search's end stands for.
#[must_use]
pub const fn exit(ended: Ended) -> Exit {
    match ended {
        Ended::Found | Ended::NeverFailed => Exit::Fine,
        Ended::NothingHeld => Exit::ThresholdFailed,
        Ended::GeneratorLimit => Exit::Invalid,
        Ended::OutOfTime | Ended::Unfinished => Exit::Failure,
        Ended::Interrupted => Exit::Interrupted,
    }
}

/// Searches, and leaves a folder with `capacity.json`, `capacity.html` and every run.
///
/// # Errors
/// [`CapacityError`].
pub async fn find(request: &Request) -> Result<Found, CapacityError> {
    outlive_the_terminal()?;
    let source = Source::read(&request.scenario)?;
    let Checked { plan, .. } = checked::check(&source, &request.overrides)?;
    let load = Load { plan: &plan, vary: request.vary };
    if load.as_written() <= 0.0 {
        return Err(CapacityError::NoRate);
    }
    if plan.thresholds.is_empty() {
        return Err(CapacityError::NoThresholds);
    }
    let (from, to) = (request.from.unwrap_or_else(|| load.as_written()), request.to.unwrap_or(MOST));
    if from > to {
        return Err(CapacityError::Range { from, to });
    }
    let rules = rules(request, from, to);
    let search = Search::new(rules);
    let identity = run::identity(&plan);
    let dir =
        request.out.clone().unwrap_or_else(|| Path::new("runs").join(format!("capacity-{}", identity.id)));
    let capacity = Capacity {
        schema_version: SCHEMA_VERSION,
        name: plan.name.clone(),
        target: identity.target,
        version: identity.version,
        vary: request.vary,
        precision: request.precision,
        repeats: request.repeats,
        thresholds: plan.thresholds.iter().map(ToString::to_string).collect(),
        started_at: Timestamp::now(),
        ..Capacity::default()
    };
    let mut hunt = Hunt { request, source: &source, load, search, capacity, dir: &dir };
    if let Next::Try(first) = hunt.search.next() {
        // What is wrong from the start is told before anything is written.
        let run = hunt.tried(first)?.length;
        folder::make(&dir)?;
        let estimate = Estimate::of(rules, request.to.is_some(), run, request.cool_down);
        request.progress.line(estimate.sentence(request.max_duration));
    }
    let ended = hunt.run().await;
    if !hunt.capacity.steps.is_empty() || ended.is_ok() {
        hunt.keep(*ended.as_ref().unwrap_or(&Ended::Unfinished))?;
    }
    if ended.is_err() && hunt.capacity.steps.is_empty() {
        // Only where that leaves them empty, so that the search can be tried again in its place.
        let _ = std::fs::remove_dir(dir.join(driver::STEPS));
        let _ = std::fs::remove_dir(&dir);
    }
    let capacity = hunt.capacity;
    if ended.is_err() && !capacity.steps.is_empty() {
        request.progress.line(text(&capacity, &dir, Look::of_stderr()));
    }
    ended.map(|_| Found { capacity, dir })
}

/// What a search found, for a terminal.
#[must_use]
pub fn text(capacity: &Capacity, dir: &Path, look: Look) -> String {
    format!(
        "\n{}{}",
        look.wrapped(&reports::capacity::text(capacity), "  "),
        dir.join(reports::capacity::PAGE).display()
    )
}

fn rules(request: &Request, from: f64, to: f64) -> Rules {
    let whole = request.vary == Vary::Players;
    let least = from * LEAST;
    // A worker without a player has nothing to do.
    let workers = match request.workers {
        Some(Workers::Count(count)) => f64::from(count.get()),
        _ => 1.0,
    };
    Rules {
        start: from,
        least: if whole { least.ceil().max(workers) } else { least },
        most: if whole { to.floor() } else { to },
        precision: request.precision,
        repeats: request.repeats,
        whole,
    }
}
