//! `loadgen capacity`: the highest rate, or number of sockets, that holds the scenario's thresholds.
//!
//! ```text
//! search (pure: which level next) ─▶ step (a child `loadgen run`, its verdict) ─▶ search ─▶ … ─▶ knee and its interval
//! ```
//!
//! `capacity.json` and `capacity.html` are written after every step, so that a search that ends early, however it does,
//! leaves what it has found.

mod search;
mod step;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reports::capacity::{Capacity, Ended, Knee, Outcome, SCHEMA_VERSION, Step, Vary};
use reports::folder::{self, FolderError};
use reports::html::ReportError;
use scenarios::{Checked, Mistakes, Override};

pub use search::{Next, Rules, Search};
use step::{Load, Order, Ran};

use crate::exit::Exit;
use crate::generate::Interruption;
use crate::run::{self, RunError};
use crate::workers::Workers;

/// The folder of the runs within the search's.
const STEPS: &str = "steps";
/// As much as any scenario may say.
const MOST: f64 = 1e6;

/// What the command line asks for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The scenario file.
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
    /// No line per step, no summary.
    pub quiet: bool,
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
    /// Signals cannot be heard.
    #[error("{0}")]
    Signals(#[from] RunError),
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
        Ended::OutOfTime => Exit::Failure,
        Ended::Interrupted => Exit::Interrupted,
    }
}

/// Searches, and leaves a folder with `capacity.json`, `capacity.html` and every run.
///
/// # Errors
/// [`CapacityError`].
pub async fn find(request: &Request) -> Result<Capacity, CapacityError> {
    let Checked { plan, .. } = scenarios::load(&request.scenario, &request.overrides)?;
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
    let mut search = Search::new(Rules {
        start: from,
        most: to,
        precision: request.precision,
        repeats: request.repeats,
        whole: request.vary == Vary::Players,
    });
    let identity = run::identity(&plan);
    let dir =
        request.out.clone().unwrap_or_else(|| Path::new("runs").join(format!("capacity-{}", identity.id)));
    folder::make(&dir)?;
    let mut interruption = Interruption::listen()?;
    let mut capacity = Capacity {
        schema_version: SCHEMA_VERSION,
        name: plan.name.clone(),
        target: identity.target,
        version: identity.version,
        vary: request.vary,
        precision: request.precision,
        repeats: request.repeats,
        thresholds: plan.thresholds.iter().map(|threshold| threshold.expression.clone()).collect(),
        started_at: Timestamp::now(),
        ..Capacity::default()
    };
    let (began, mut longest) = (Instant::now(), Duration::ZERO);
    capacity.ended = loop {
        let level = match search.next() {
            Next::Try(level) => level,
            Next::End(ended) => break ended,
        };
        let number = capacity.steps.len() as u32 + 1;
        if number > 1 {
            if began.elapsed() + request.cool_down + longest > request.max_duration {
                break Ended::OutOfTime;
            }
            tokio::select! {
                () = tokio::time::sleep(request.cool_down) => {}
                () = interruption.heard() => break Ended::Interrupted,
            }
        }
        let before = Instant::now();
        let order = Order {
            scenario: &request.scenario,
            overrides: [request.overrides.clone(), load.overrides(level)].concat(),
            // Repeats of a level are other draws of the same plan.
            seed: plan.seed.wrapping_add(u64::from(number) - 1),
            workers: request.workers,
            dir: &dir,
            run: Path::new(STEPS).join(format!("{number:03}")),
            number,
            level,
        };
        let step = match order.carry_out(&mut interruption).await? {
            Ran::Judged(step) => *step,
            Ran::Interrupted => break Ended::Interrupted,
        };
        longest = longest.max(before.elapsed());
        search.record(level, step.outcome);
        if !request.quiet {
            println!("{}", line(&step, request.vary, &search));
        }
        capacity.steps.push(step);
        note(&mut capacity, &search);
        reports::capacity::write(&dir, &capacity)?;
    };
    note(&mut capacity, &search);
    reports::capacity::write(&dir, &capacity)?;
    if !request.quiet {
        print!("\n{}{}\n", capacity.text(), dir.join(reports::capacity::PAGE).display());
    }
    Ok(capacity)
}

/// What the search has found so far.
fn note(capacity: &mut Capacity, search: &Search) {
    let (low, high) = search.bracket();
    capacity.ended_at = Timestamp::now();
    capacity.levels = search.levels();
    capacity.held = low;
    capacity.knee = match (low, high) {
        (Some(low), Some((high, Outcome::Failed))) => Some(Knee { estimate: low.midpoint(high), low, high }),
        _ => None,
    };
}

/// A step in a line.
fn line(step: &Step, vary: Vary, search: &Search) -> String {
    let outcome = match step.outcome {
        Outcome::Held => "held",
        Outcome::Failed => "failed",
        Outcome::Invalid => "invalid",
    };
    let (low, high) = search.bracket();
    let end = |level: Option<f64>| level.map_or_else(|| "?".into(), |level| vary.show(level));
    let why = step.reason.as_ref().map_or_else(String::new, |reason| format!("  {reason}"));
    format!(
        "{:>3}  {:>12}  {outcome:<7}  completed {:.0}/s, p99 {:.1} ms  [{} to {}]{why}",
        step.number,
        vary.show(step.level),
        step.completed_per_s,
        step.p99_us as f64 / 1_000.0,
        end(low),
        end(high.map(|(level, _)| level)),
    )
}
