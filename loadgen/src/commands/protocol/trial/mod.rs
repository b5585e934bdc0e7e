//! `protocol try`: two players do each of a protocol's operations once, and every message is shown with what it was taken
//! for and why.
//!
//! ```text
//! protocol ─▶ scenario (two players, each operation once) ─▶ workers::alone, the engine of `run`
//!                 shown ◀─ narrator (a sight in words) ◀─ player::Tap ◀─┘
//!                                            missing (what did not come) ◀─ what was counted
//! ```

mod attempt;
mod missing;
mod narrator;
mod scenario;
mod shown;

pub(super) use attempt::attempt;
