//! Why the load could not be generated.

use std::io;
use std::time::Duration;

use goose::GooseError;
use tokio::task::JoinError;

/// Why the load could not be generated: what failed, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// Ctrl-C and SIGTERM would not be noticed.
    #[error(
        "cannot listen for signals (Ctrl-C, SIGTERM): {0}; raise the limit of open files (`ulimit -n`) if it is reached"
    )]
    Signals(#[source] io::Error),
    /// goose, which starts the players' tasks, did not do so.
    #[error(
        "goose, which starts the players, {0}; run again with LOADGEN_LOG=goose=debug to see what it does"
    )]
    Goose(#[source] GooseProblem),
    /// A part of the program panicked.
    #[error(
        "{part} stopped unexpectedly: {source}; this is a fault of loadgen, please report it with the lines above"
    )]
    Panicked {
        /// Which part.
        part: &'static str,
        /// What it said.
        source: JoinError,
    },
    /// A worker's process could not be started.
    #[error(
        "worker {index} could not be started: {source}; use fewer `--workers`, or raise the limits of processes and open \
         files (`ulimit -u`, `ulimit -n`)"
    )]
    WorkerNotStarted {
        /// Which, from 0.
        index: u32,
        /// What the system says.
        source: io::Error,
    },
    /// A worker's process ended before the run began.
    #[error("worker {index} (process {pid}) {problem}")]
    WorkerLost {
        /// Which, from 0.
        index: u32,
        /// Its process.
        pid: u32,
        /// What happened.
        problem: WorkerProblem,
    },
    /// Ctrl-C or SIGTERM before the plan began: there is nothing to keep.
    #[error("interrupted before the run began; nothing was measured")]
    Interrupted,
}

/// What goose did instead of running the players.
#[derive(Debug, thiserror::Error)]
pub enum GooseProblem {
    /// All its users ended while the run went on.
    #[error("ended before the run")]
    Ended,
    /// It refused its configuration, or failed.
    #[error("failed ({0})")]
    Failed(#[source] Box<GooseError>),
    /// It panicked.
    #[error("panicked ({0})")]
    Panicked(#[source] JoinError),
}

/// Why a worker's process does not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkerProblem {
    /// It reported an error.
    Failed(String),
    /// It ended; how, as far as that is known.
    Ended(Option<String>),
    /// It has sent nothing for this long.
    Silent(Duration),
}

impl std::error::Error for WorkerProblem {}

impl std::fmt::Display for WorkerProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Failed(error) => write!(f, "failed: {error}"),
            Self::Ended(how) => {
                let how = how.as_deref().unwrap_or("for an unknown reason");
                write!(
                    f,
                    "ended ({how}); look for its last messages above, and in the kernel's log for its out-of-memory killer"
                )
            }
            Self::Silent(time) => write!(
                f,
                "has sent nothing for {} s; look for its last messages above, and whether its machine was paused",
                time.as_secs()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_failed_and_what_to_do() {
        let full = || io::Error::from_raw_os_error(24);
        let lost = |problem| GenerateError::WorkerLost { index: 1, pid: 42, problem };
        for (error, said) in [
            (GenerateError::Signals(full()), ["listen for signals", "Too many open files", "ulimit -n"]),
            (GenerateError::Goose(GooseProblem::Ended), ["goose", "ended before the run", "LOADGEN_LOG"]),
            (
                GenerateError::WorkerNotStarted { index: 3, source: full() },
                ["worker 3", "Too many open files", "fewer `--workers`"],
            ),
            (
                lost(WorkerProblem::Failed("no token: set auth.issuer".into())),
                ["worker 1 (process 42)", "failed:", "set auth.issuer"],
            ),
            (
                lost(WorkerProblem::Ended(Some("signal: 9 (SIGKILL)".into()))),
                ["worker 1 (process 42)", "ended (signal: 9 (SIGKILL))", "out-of-memory"],
            ),
            (
                lost(WorkerProblem::Silent(Duration::from_secs(30))),
                ["worker 1", "nothing for 30 s", "paused"],
            ),
            (GenerateError::Interrupted, ["interrupted", "before the run began", "nothing was measured"]),
        ] {
            let text = error.to_string();
            assert!(said.iter().all(|part| text.contains(part)), "{text}");
        }
    }

    #[tokio::test]
    async fn a_part_that_panicked_is_named() {
        let source = tokio::spawn(async { panic!("no disk") }).await.unwrap_err();
        let text = GenerateError::Panicked { part: "the collector", source }.to_string();
        assert!(text.starts_with("the collector stopped unexpectedly") && text.contains("no disk"), "{text}");
    }
}
