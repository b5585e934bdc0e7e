//! Durations as changed hops: only means add up.

use reports::format::Symptom;

use crate::candidate::Candidate;
use crate::observed::Run;

pub(super) fn candidates(_run: &Run<'_>, _symptoms: &[Symptom]) -> Vec<Candidate> {
    Vec::new()
}
