//! A second of the run, as a worker hands it over.

use serde::{Deserialize, Serialize};

use crate::health::sample::Second;
use crate::record::ThreadTally;

/// A second, in microseconds.
pub(crate) const SECOND: u64 = 1_000_000;

/// What one worker, or all of them together, did in a second of the run.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct SecondSample {
    /// Which second, from 0.
    pub second: u64,
    /// What was recorded in it.
    pub tally: Box<ThreadTally>,
    /// Sockets open at its end.
    pub open: u64,
    /// The health of the generator in it.
    pub health: Second,
}
