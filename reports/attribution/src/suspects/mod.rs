//! What may explain the symptoms, a module for each family: refusals as accounts, queues as slopes, durations as changed
//! hops.

mod durations;
mod queues;
mod refusals;

use reports::format::Symptom;

use crate::candidate::Candidate;
use crate::observed::Run;

/// Every candidate, in no order.
pub(crate) fn candidates(run: &Run<'_>, symptoms: &[Symptom]) -> Vec<Candidate> {
    let mut all = refusals::candidates(run, symptoms);
    all.extend(queues::candidates(run, symptoms));
    all.extend(durations::candidates(run, symptoms));
    all
}
