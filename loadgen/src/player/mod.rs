//! Players: each is a task with a socket, driven by arrivals that the pacer hands over.
//!
//! ```text
//! task ─▶ connect ─▶ lifecycle ─▶ session ─▶ context ─▶ record::Observer, delivery, think_time
//!                  (reconnects)  (one socket)  (one player)
//! ```
//!
//! The pacer's thread and the players' tasks meet in [`Players`]: a small mailbox per player (no channel, whose
//! first block alone would cost more than the rest of an idle player), the waker of its task, and whether its
//! socket is open. A worker plays its own players only, but knows the presence of all: recipients are drawn among all.

mod addresses;
mod answer;
mod backoff;
mod commands;
mod connect;
mod context;
mod disruptions;
mod error;
pub mod expiry;
mod extra;
mod handshake;
mod handshake_values;
mod journey;
mod kept;
mod lifecycle;
pub(crate) mod peers;
mod poll;
pub mod probe;
mod proxy;
mod rest;
mod roster;
mod send_values;
mod session;
mod shared;
mod tap;
mod task;
#[cfg(test)]
mod test_protocol;
mod think_queue;
mod think_time;
mod upgrade;

pub use addresses::Targets;
pub use disruptions::{make_disruptions, settle_commands};
pub use error::{ConnectError, EndpointError, HandshakeError};
pub use handshake::{Endpoint, has_more_sources};
pub use rest::Rest;
pub use roster::Players;
pub use shared::Play;
pub use tap::{Fate, Offer, Purpose, Sight, Tap};
pub use task::play;
pub use think_queue::{ThinkQueue, ThinkTimer};
pub use think_time::{Pause, ThinkTime};
