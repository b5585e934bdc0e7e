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
mod experiment;
mod figures;
mod layouts;
mod markdown;
mod push_versus_poll;
mod runs;

pub use arm::{Arm, Setup};
pub use error::ExperimentError;
pub use experiment::{Experiment, Outcome};
pub use markdown::markdown;
pub use runs::{Group, Options, Runner};

/// Every experiment.
#[must_use]
pub fn all() -> Vec<Experiment> {
    vec![push_versus_poll::experiment(), layouts::experiment()]
}
