//! What a command that failed has to say.

use history::HistoryError;
use output::Exit;
use reports::folder::FolderError;
use reports::format::Summary;
use reports::html::ReportError;
use scenarios::Mistakes;
use serde_json::{Value, json};

use super::capacity::CapacityError;
use crate::run::RunError;

/// Why, and the exit code.
#[derive(Debug)]
pub struct Failure {
    pub(super) exit: Exit,
    /// The message on standard error.
    pub(super) problem: String,
    /// The mistakes of the scenario, where that is what it is.
    mistakes: Option<Mistakes>,
    /// The summary of a run whose folder could not be written.
    pub(super) summary: Option<Box<Summary>>,
}

impl Failure {
    /// A mistake on the command line or in the scenario.
    pub(super) fn usage(problem: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, problem: problem.into(), mistakes: None, summary: None }
    }

    /// A failure of the machine.
    pub(super) fn machine(problem: impl Into<String>) -> Self {
        Self { exit: Exit::Failure, ..Self::usage(problem) }
    }

    /// The object that `--json` prints.
    pub(super) fn json(&self) -> Value {
        let mut said = json!({"error": self.problem.trim_end()});
        if let Some(Mistakes(mistakes)) = &self.mistakes {
            let mistake = |one: &scenarios::Mistake| json!({"place": one.place, "key": one.key, "problem": one.problem, "remedy": one.remedy});
            said["mistakes"] = mistakes.iter().map(mistake).collect();
        }
        if let Some(summary) = &self.summary {
            said["summary"] = json!(summary);
        }
        said
    }
}

impl From<Mistakes> for Failure {
    fn from(mistakes: Mistakes) -> Self {
        let problem = mistakes.to_string();
        Self { mistakes: Some(mistakes), ..Self::usage(problem) }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Scenario(mistakes) => mistakes.into(),
            RunError::NotKept { error, summary } => {
                Self { summary: Some(summary), ..Self::machine(error.to_string()) }
            }
            error => Self { exit: error.exit(), ..Self::usage(error.to_string()) },
        }
    }
}

impl From<CapacityError> for Failure {
    fn from(error: CapacityError) -> Self {
        match error {
            CapacityError::Scenario(mistakes) => mistakes.into(),
            error => Self { exit: error.exit(), ..Self::usage(error.to_string()) },
        }
    }
}

impl From<HistoryError> for Failure {
    fn from(error: HistoryError) -> Self {
        match error {
            HistoryError::NotASource { .. }
            | HistoryError::Unfinished { .. }
            | HistoryError::Missing { .. } => Self::usage(error.to_string()),
            HistoryError::Folder(error) => error.into(),
            error => Self::machine(error.to_string()),
        }
    }
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        RunError::from(error).into()
    }
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        RunError::from(error).into()
    }
}
