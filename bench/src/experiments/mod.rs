//! Two claims about serverless game backends, as experiments: arms that differ in one thing, run in turn, and a page that compares them.
//!
//! ```text
//! experiment: a scenario and arms (keys of scenario and profile)
//!    ─▶ runs: `loadgen run`, arm by arm, so many times over; a run that is not valid is made again
//!    ─▶ figures: histograms merged over an arm's runs, metrics by phase
//!    ─▶ reports::format::experiment ─▶ page, tables of docs/experiments.md
//! ```

mod arm;
mod error;
mod figures;
mod layouts;
mod markdown;
mod push_versus_poll;
mod runs;

pub use arm::{Arm, Experiment, Outcome, all};
pub use error::ExperimentError;
pub use markdown::markdown;
pub use runs::{Group, Options, Runner};
