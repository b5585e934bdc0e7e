//! Why a search did not happen, or could not go on.

use output::Exit;
use reports::folder::FolderError;
use reports::html::ReportError;
use scenarios::Mistakes;

use crate::generate::error::GenerateError;
use crate::workers::split::MachineError;

/// Why a search did not happen, or could not go on. What was found so far is in the search's folder.
#[derive(Debug, thiserror::Error)]
pub enum CapacityError {
    /// The scenario is wrong.
    #[error("{0}")]
    Scenario(#[from] Mistakes),
    /// There is nothing to vary.
    #[error(
        "the scenario has no operation with a rate; add one, or vary the number of players with `--vary players`"
    )]
    NoRate,
    /// Nothing could fail.
    #[error("the scenario has no thresholds, so no load could fail; add one, e.g. \"error_rate < 1%\"")]
    NoThresholds,
    /// The range is empty.
    #[error("--from {from} is above --to {to}; lower --from or raise --to")]
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
    /// The scenario is not valid at this level.
    #[error("a load of {level} cannot be tried: {mistakes}; exclude it with --from and --to")]
    Level {
        /// With its unit.
        level: String,
        /// What is wrong with it.
        mistakes: Mistakes,
    },
    /// More workers than players.
    #[error("{0}")]
    Machine(#[from] MachineError),
    /// No player could connect: there is no target to test.
    #[error("run {number}: no player could connect ({errors}); check that the target is running")]
    NothingConnected {
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
        /// What it printed.
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
