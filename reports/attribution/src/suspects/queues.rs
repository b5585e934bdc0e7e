//! Queues as slopes: what waits grows while more comes in than goes out.

use crate::candidate::Candidate;
use crate::felt::Felt;
use crate::observed::Run;

pub(super) fn candidates(_run: &Run<'_>, _felt: &[Felt]) -> Vec<Candidate> {
    Vec::new()
}
