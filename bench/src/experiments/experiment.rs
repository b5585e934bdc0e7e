//! A question with its runs, and its answer.

use reports::format::experiment::ExperimentTable;

use super::arm::Setup;
use super::runs::Group;

/// A question, and the runs that answer it.
#[derive(Debug, Clone)]
pub struct Experiment {
    /// What runs.
    pub setup: Setup,
    /// What it asks.
    pub question: &'static str,
    /// What the spectrum of the page shows.
    pub of: &'static str,
    /// Reads the answer off the runs.
    pub evaluate: fn(&[Group]) -> Outcome,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Sentences made from the figures, the most important one first.
    pub answers: Vec<String>,
    /// The figures.
    pub tables: Vec<ExperimentTable>,
    /// What the spectrum shows of each arm.
    pub spreads: Vec<hdrhistogram::Histogram<u64>>,
}
