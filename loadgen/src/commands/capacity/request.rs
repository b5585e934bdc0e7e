//! What a search is asked for.

use std::path::PathBuf;
use std::time::Duration;

use reports::capacity::Vary;
use scenarios::Override;

use crate::cli::{CapacityArgs, JobArgs, Varied};
use crate::live::say;
use crate::workers::split::Workers;

/// What the command line asks for.
#[derive(Debug, Clone)]
pub struct SearchRequest {
    /// The scenario, as `Source::read` takes it.
    pub scenario: PathBuf,
    /// Overrides, `--target` and `--seed` among them.
    pub overrides: Vec<Override>,
    /// The search's folder; default: `runs/capacity-ID`.
    pub out: Option<PathBuf>,
    /// Processes for each run; `None`: one.
    pub workers: Option<Workers>,
    /// What is varied.
    pub vary: Vary,
    /// First level; default: the scenario's.
    pub from: Option<f64>,
    /// Highest level; default: the largest that a scenario may have.
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

impl From<CapacityArgs> for SearchRequest {
    fn from(args: CapacityArgs) -> Self {
        let JobArgs { plan, workers, out, quiet, json } = args.job;
        let overrides = plan.all_overrides();
        Self {
            scenario: plan.scenario,
            overrides,
            out,
            workers,
            vary: match args.vary {
                Varied::Rate => Vary::Rate,
                Varied::Players => Vary::Players,
            },
            from: args.from,
            to: args.to,
            precision: args.precision,
            repeats: args.repeats,
            cool_down: args.cool_down.0,
            max_duration: args.max_duration.0,
            progress: match (quiet, json) {
                (true, _) => Progress::Off,
                (false, true) => Progress::StandardError,
                (false, false) => Progress::StandardOutput,
            },
        }
    }
}

/// Where the progress lines of a search go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Progress {
    /// Standard output, before the result.
    #[default]
    StandardOutput,
    /// Standard error, because the output is for a program.
    StandardError,
    /// Nowhere.
    Off,
}

impl Progress {
    pub(super) fn line(self, line: impl std::fmt::Display) {
        match self {
            // A line that cannot be written is not lost: the result and the search's folder repeat it.
            Self::StandardOutput => drop(output::print(&format!("{line}\n"))),
            Self::StandardError => say(line),
            Self::Off => {}
        }
    }
}
