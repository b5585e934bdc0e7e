//! What an experiment is made of.

use reports::format::experiment::ExperimentTable;

use super::runs::Group;
use super::{layouts, push_versus_poll};
use crate::planted::Settings;

/// A question, and the runs that answer it.
#[derive(Debug, Clone)]
pub struct Experiment {
    /// E.g. `push-versus-poll`.
    pub name: &'static str,
    /// What it asks.
    pub question: &'static str,
    /// The scenario that all arms share.
    pub scenario: &'static str,
    /// What differs.
    pub arms: Vec<Arm>,
    /// What the spectrum of the page shows.
    pub of: &'static str,
    /// Reads the answer off the runs.
    pub evaluate: fn(&[Group]) -> Outcome,
}

/// One way of doing it.
#[derive(Debug, Clone)]
pub struct Arm {
    /// In a few words, e.g. `poll every 1 s`.
    pub name: &'static str,
    /// What is different in it.
    pub about: &'static str,
    /// Keys of the scenario, on top of what all arms share.
    pub scenario: Settings,
    /// The backend's profile, `profile.toml` beside the scenario.
    pub profile: Settings,
}

impl Arm {
    /// The arm's folder: its name without blanks.
    #[must_use]
    pub fn slug(&self) -> String {
        self.name.replace([' ', '.', ','], "-")
    }
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

/// Every experiment.
#[must_use]
pub fn all() -> Vec<Experiment> {
    vec![push_versus_poll::experiment(), layouts::experiment()]
}
