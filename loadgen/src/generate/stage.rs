//! How far a run is: the workers are told when to begin and when, and why, to stop.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::record::{Class, classes};
use crate::verdict::ending::{EarlyEnd, Ending};

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// The workers prepare.
    Preparing,
    /// The plan is carried out.
    Running {
        /// Zero of the run's axis, on the machine's monotonic clock.
        zero: Duration,
    },
    /// The run is over.
    Stopped(StopReason),
}

/// Why a run is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StopReason {
    /// The plan has been carried out.
    Finished,
    /// Ctrl-C or SIGTERM.
    Interrupted,
    /// Going on would show nothing more.
    EndedEarly,
}

impl StopReason {
    /// How the run ended, with the reason of an early end.
    pub(crate) fn ending(self, early_end: Option<EarlyEnd>) -> Ending {
        match (self, early_end) {
            (Self::Interrupted, _) => Ending::Interrupted,
            (Self::EndedEarly, Some(early_end)) => Ending::Early(early_end),
            (Self::Finished | Self::EndedEarly, _) => Ending::Finished,
        }
    }

    /// The class of the arrivals that the run did not reach.
    pub(crate) const fn class_of_unreached(self) -> &'static Class {
        match self {
            Self::EndedEarly => &classes::UNSENT_ENDED_EARLY,
            Self::Finished | Self::Interrupted => &classes::UNSENT_INTERRUPTED,
        }
    }
}
