//! Refusals as accounts: each failed request is matched to a counter of what refused it.

use super::{gamelift, gateway, lambda, tables};
use crate::candidate::Candidate;
use crate::felt::Felt;
use crate::observed::Run;

/// Candidates of the same kind and stage are one.
pub(super) fn candidates(run: &Run<'_>, felt: &[Felt]) -> Vec<Candidate> {
    let all = [lambda::candidates, tables::candidates, gamelift::candidates, gateway::candidates];
    let mut merged: Vec<Candidate> = Vec::new();
    for candidate in all.into_iter().flat_map(|find| find(run, felt)) {
        let known = merged.iter_mut().find(|known| {
            (known.kind, &known.stage, known.limit) == (candidate.kind, &candidate.stage, candidate.limit)
        });
        match known {
            Some(known) => known.take_in(candidate),
            None => merged.push(candidate),
        }
    }
    merged
}
