//! What may explain the symptoms, a module for each family: refusals as accounts, queues as slopes, durations as changed
//! hops.

mod backlog;
mod cold_starts;
mod dependencies;
mod durations;
mod evidence;
mod holders;
mod network;
mod placements;
mod queues;
mod refusals;
mod streams;
mod topics;

use crate::candidate::Candidate;
use crate::felt::Felt;
use crate::observed::Run;

/// Every candidate, in no order, each kind of each place once.
pub(crate) fn candidates(run: &Run<'_>, felt: &[Felt]) -> Vec<Candidate> {
    let mut all = refusals::candidates(run, felt);
    all.extend(queues::candidates(run, felt));
    all.extend(durations::candidates(run, felt));
    all.extend(cold_starts::candidates(run, felt));
    all.extend(network::candidates(run, felt));
    all.extend(holders::candidates(run, felt));
    let mut all = evidence::gather(all);
    holders::relate(&mut all);
    all
}
