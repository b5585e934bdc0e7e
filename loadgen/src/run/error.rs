//! Why a run did not happen, or could not be kept.

use output::Exit;
use reports::folder::FolderError;
use reports::format::Summary;
use reports::html::ReportError;
use scenarios::Mistakes;

use crate::auth::AuthError;
use crate::embedded::EmbeddedError;
use crate::generate::error::GenerateError;
use crate::live::LiveError;
use crate::player::EndpointError;
use crate::workers::split::MachineError;

/// Why a run did not happen, or could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The scenario is wrong.
    #[error("{0}")]
    Scenario(#[from] Mistakes),
    /// The machine cannot hold the plan.
    #[error("{0}")]
    Machine(#[from] MachineError),
    /// The embedded backend did not start.
    #[error("{0}")]
    Embedded(#[from] EmbeddedError),
    /// The target cannot be tried.
    #[error("{0}")]
    Endpoint(#[from] EndpointError),
    /// A window on the run cannot be opened.
    #[error("{0}")]
    Live(#[from] LiveError),
    /// There are no tokens.
    #[error("{0}")]
    Auth(#[from] AuthError),
    /// The run folder cannot be written or read.
    #[error("{0}")]
    Folder(#[from] FolderError),
    /// The run came to its end, and not all of it could be written. What could not be kept is at least shown.
    #[error("{error}")]
    NotKept {
        /// What could not be written, and why.
        error: FolderError,
        /// What came of the run.
        summary: Box<Summary>,
    },
    /// The report cannot be made.
    #[error("{0}")]
    Report(#[from] ReportError),
    /// The load could not be generated.
    #[error("{0}")]
    Generate(#[from] GenerateError),
}

impl RunError {
    /// The exit code that the error stands for.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Scenario(_)
            | Self::Machine(_)
            | Self::Live(_)
            | Self::Folder(FolderError::NotEmpty { .. }) => Exit::Usage,
            Self::Generate(GenerateError::Interrupted) => Exit::Interrupted,
            _ => Exit::Failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interruption_is_no_failure() {
        let error = RunError::from(GenerateError::Interrupted);
        assert_eq!(error.exit(), Exit::Interrupted);
        let error = RunError::from(GenerateError::Signals(std::io::ErrorKind::Other.into()));
        assert_eq!(error.exit(), Exit::Failure);
        assert!(error.to_string().starts_with("cannot listen for signals"), "{error}");
    }
}
