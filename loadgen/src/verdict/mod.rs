//! The verdict: first whether the figures may be believed, then whether they satisfy the scenario.
//!
//! ```text
//! tallies ─▶ figures (the form of the run folder) ─▶ thresholds ─┐
//! totals ──▶ validity ───────────────────────────────────────────┴▶ summary
//! ```

pub mod ending;
pub(crate) mod figures;
mod hops;
mod observe;
pub mod summary;
pub mod thresholds;
pub mod totals;
pub mod validity;
