//! Queues as slopes: what waits grows while more comes in than goes out.

use reports::format::Symptom;

use crate::candidate::Candidate;
use crate::observed::Run;

pub(super) fn candidates(_run: &Run<'_>, _symptoms: &[Symptom]) -> Vec<Candidate> {
    Vec::new()
}
