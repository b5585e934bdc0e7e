//! What each command does, and the one place that prints.
//!
//! ```text
//! Command ─▶ execute ─▶ Answer (exit code, text, JSON) ─▶ print ─▶ standard output: the text, or one JSON object
//!                   └─▶ Failure ────────────────────────▶ print ─▶ standard error, and that object
//! ```
//!
//! Results go to standard output, everything else to standard error. A reader that has gone away is no error.

mod answer;
pub mod capacity;
mod compare;
pub mod correlate;
pub mod doctor;
mod execute;
mod failure;
mod history;
mod print;
mod protocol;
mod report;
mod runs;
mod scenario;

pub use execute::carry_out;
pub use failure::Failure;
