//! What may explain the symptoms, a module for each family: refusals as accounts, queues as slopes, durations as changed
//! hops.

mod durations;
mod queues;
mod refusals;

use crate::candidate::Candidate;
use crate::felt::Felt;
use crate::observed::Run;

/// Every candidate, in no order.
pub(crate) fn candidates(run: &Run<'_>, felt: &[Felt]) -> Vec<Candidate> {
    let mut all = refusals::candidates(run, felt);
    all.extend(queues::candidates(run, felt));
    all.extend(durations::candidates(run, felt));
    all
}
