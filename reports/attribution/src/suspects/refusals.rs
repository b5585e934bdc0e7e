//! Refusals as accounts: each failed request is matched to a counter of what refused it.

use super::{gamelift, gateway, lambda, tables};
use crate::candidate::Candidate;
use crate::felt::Felt;
use crate::observed::Run;

/// Candidates of the same kind and stage are one.
pub(super) fn candidates(run: &Run<'_>, felt: &[Felt]) -> Vec<Candidate> {
    let all = [lambda::candidates, tables::candidates, gamelift::candidates, gateway::candidates];
    Candidate::merged(all.into_iter().flat_map(|find| find(run, felt)))
}
