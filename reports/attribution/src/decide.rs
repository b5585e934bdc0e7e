//! From candidates to suspects: path, order, and at least half explained.

use reports::format::{Correlation, Outcome, Symptom};

use crate::candidate::Candidate;
use crate::observed::Run;

/// Writes outcome, symptoms, suspects and what lacks.
pub(crate) fn decide(
    _run: &Run<'_>,
    symptoms: Vec<Symptom>,
    candidates: Vec<Candidate>,
    correlation: &mut Correlation,
) {
    correlation.outcome = Some(match (symptoms.is_empty(), candidates.is_empty()) {
        (true, _) => Outcome::NothingGaveWay,
        (false, true) => Outcome::NotEnoughData,
        (false, false) => Outcome::Suspects,
    });
    correlation.symptoms = symptoms;
}
