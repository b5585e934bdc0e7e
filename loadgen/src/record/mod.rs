//! Recording: what happens is an [`Event`]; the [`Observer`] counts it; the [`Recorder`] keeps the counts.
//!
//! ```text
//! player, pacer, sweeps ─▶ Observer::observe(Event) ─▶ a tally per thread ─▶ Recorder::drain, once a second
//!                                                  └─▶ goose's own metrics (a copy of connects and answers)
//! ```
//!
//! Only [`event`] knows which counters an event moves and of which events a sample is kept.

pub mod class;
pub mod class_counts;
pub mod classes;
pub mod disruptions;
pub mod event;
pub mod goose;
pub mod latencies;
pub mod measures;
pub mod names;
pub mod observer;
pub mod recorder;
pub mod samples;
pub mod tally;
#[cfg(test)]
mod tests;
pub mod thread_tally;

pub use class::Class;
pub use class_counts::Classes;
pub use disruptions::{ChurnTally, DisruptionsTally, FaultTally, ReconnectTally};
pub use event::Event;
pub use goose::GooseSample;
pub use latencies::Latencies;
pub use measures::{DeliveryTally, FrameTally, Measures, MeteredTally, OperationTally, SocketTally};
pub use names::Names;
pub use observer::Observer;
pub use recorder::Recorder;
pub use samples::{Sample, Samples};
pub use tally::Tally;
pub use thread_tally::ThreadTally;
