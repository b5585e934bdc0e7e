//! Workers: a run split over processes, so that there can be more sockets than one process may open.
//!
//! ```text
//! run ─▶ worker i of n: players and arrivals i, i + n, i + 2n, …, on the run's own clock
//!     ◀─ each second's counts and histograms, added up bucket by bucket, never averaged
//! worker ─▶ run ─▶ worker: pushes of its sends that others' players received; whose socket is open
//! ```
//!
//! Every worker has the whole plan and does its part of it ([`Shard`](scenarios::shard::Shard)), so that they are
//! together exactly the plan whatever their number. The run itself opens no socket: it starts the workers, agrees with
//! them on an instant to begin at, hands on what they tell each other ([`relay`]), adds up their seconds and writes the
//! run folder. They share the machine's monotonic clock; that it is one clock is checked all the same, and how surely is
//! stated ([`offset`]).
//!
//! A worker ends when its stream to the run does, however that dies. A worker that dies makes the run invalid, and
//! what the others did is still reported.

mod conductor;
mod gather;
pub mod link;
mod process;
pub mod split;
mod worker;

use crate::health::clock_offset::Offset;
use crate::health::sample::Watched;
use crate::record::ThreadTally;

pub(crate) use conductor::{Split, conduct};
pub use worker::work;

/// The hidden command under which this program is a worker.
pub const COMMAND: &str = "worker";

/// What one worker did.
#[derive(Debug)]
pub struct Worker {
    /// Which, from 0.
    pub index: u32,
    /// Its process.
    pub pid: u32,
    /// Its players.
    pub players: u32,
    /// What it recorded, up to the last second that it told of.
    pub total: ThreadTally,
    /// What its process was like.
    pub watched: Watched,
    /// Its clock against the run's.
    pub offset: Option<Offset>,
    /// Receipts that it handed on to other workers.
    pub passed: u64,
    /// Why it did not come to its end.
    pub lost: Option<String>,
}
