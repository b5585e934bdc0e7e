//! The generator's own health: what its process and its machine did while it measured.

pub mod clock_offset;
pub mod event_loop;
pub mod machine;
mod queues;
pub mod sample;
pub mod watch;
