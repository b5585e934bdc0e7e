//! How a run came to its end.

use reports::format::{EndedEarly, RunState, Threshold as Judged};
use scenarios::Plan;

/// How a run came to its end.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// Its plan was carried out.
    Finished,
    /// By Ctrl-C or SIGTERM.
    Interrupted,
    /// By one of its own rules.
    Early(EarlyEnd),
}

/// Why a run ended before its plan was carried out.
#[derive(Debug, Clone, PartialEq)]
pub struct EarlyEnd {
    /// In a sentence without its full stop.
    pub reason: String,
    /// The threshold that failed: its position in the plan, and its result at that instant.
    pub threshold: Option<(usize, Judged)>,
}

impl Ending {
    /// The state in the manifest.
    #[must_use]
    pub const fn state(&self) -> RunState {
        match self {
            Self::Finished => RunState::Finished,
            Self::Interrupted => RunState::Interrupted,
            Self::Early(_) => RunState::EndedEarly,
        }
    }

    /// The entry in the summary, for a run that was `at_s` seconds into its plan.
    #[must_use]
    pub fn ended_early(&self, plan: &Plan, at_s: f64) -> Option<EndedEarly> {
        let reason = match self {
            Self::Finished => return None,
            Self::Interrupted => "interrupted by Ctrl-C or SIGTERM".into(),
            Self::Early(early) => early.reason.clone(),
        };
        Some(EndedEarly { at_s, planned_s: plan.end().as_secs_f64(), reason })
    }
}
