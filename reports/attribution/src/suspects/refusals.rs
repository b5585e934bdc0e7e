//! Refusals as accounts: each failed request is matched to a counter of what refused it.

use reports::format::Symptom;

use crate::candidate::Candidate;
use crate::observed::Run;

pub(super) fn candidates(_run: &Run<'_>, _symptoms: &[Symptom]) -> Vec<Candidate> {
    Vec::new()
}
