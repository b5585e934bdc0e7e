//! Workers: who generates a run's load. One in the run's own process, or several processes, so that there can be more
//! sockets than one process may open.
//!
//! ```text
//! run ─▶ worker i of n: players and arrivals i, i + n, i + 2n, …, on the run's own clock
//!     ◀─ each second's counts and histograms, added up bucket by bucket, never averaged
//! worker ─▶ run ─▶ worker: pushes of its sends that others' players received; whose socket is open
//! ```
//!
//! Every worker has the whole plan and does its part of it ([`Shard`](scenarios::plan::shard::Shard)), so that they are
//! together exactly the plan whatever their number. Where they are processes, the run itself opens no socket: it starts
//! the workers, agrees with them on an instant to begin at, forwards what they send each other
//! ([`relay`](crate::delivery::relay)), adds up their seconds and writes the run folder. They share the machine's
//! monotonic clock; that it is one clock is checked all the same, and how surely is stated
//! ([`clock_offset`](crate::health::clock_offset)).
//!
//! A worker's process ends when its stream to the run does, however that dies. One that dies makes the run invalid, and
//! what the others did is still reported.

pub(crate) mod alone;
pub(crate) mod coordinator;
mod gather;
mod link;
pub(crate) mod load;
pub mod messages;
mod part;
mod process;
pub mod split;
mod state;
mod worker;

pub use process::COMMAND;
pub use worker::work;
