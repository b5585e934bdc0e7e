//! What a run came to, before it is judged.

use super::ending::Ending;
use crate::health::clock_offset::Offset;
use crate::health::sample::Watched;
use crate::record::ThreadTally;

/// What a run came to.
#[derive(Debug, Clone, Copy)]
pub struct Totals<'r> {
    /// Everything recorded.
    pub tally: &'r ThreadTally,
    /// Highest number of sockets open at once.
    pub peak_open: u64,
    /// The health of all processes that generated the load.
    pub watched: &'r Watched,
    /// What each worker did: at least one.
    pub workers: &'r [WorkerTotals],
    /// How it came to its end.
    pub ending: &'r Ending,
}

/// What one worker did.
#[derive(Debug, Default)]
pub struct WorkerTotals {
    /// Which, from 0.
    pub index: u32,
    /// Its players.
    pub players: u32,
    /// The health of its process.
    pub watched: Watched,
    /// Its process, where that is not the run's own. In the run's own process it is the only worker: everything recorded
    /// is its.
    pub process: Option<ProcessTotals>,
    /// Why it ended before the run.
    pub lost: Option<String>,
}

/// What is known of a worker that is a process of its own.
#[derive(Debug, Default)]
pub struct ProcessTotals {
    /// Its id.
    pub pid: u32,
    /// What the worker recorded, up to the last second that was received from it.
    pub total: ThreadTally,
    /// Its clock against the run's.
    pub offset: Option<Offset>,
    /// Receipts that it forwarded to other workers.
    pub receipts_forwarded: u64,
}
