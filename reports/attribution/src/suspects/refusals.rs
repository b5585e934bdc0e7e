//! Refusals as accounts: each failed request is matched to a counter of what refused it.

use crate::candidate::Candidate;
use crate::felt::Felt;
use crate::observed::Run;

pub(super) fn candidates(_run: &Run<'_>, _felt: &[Felt]) -> Vec<Candidate> {
    Vec::new()
}
