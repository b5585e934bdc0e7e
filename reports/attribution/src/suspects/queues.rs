//! Queues as slopes: what waits grows while more comes in than goes out.
//!
//! | module | queue |
//! |---|---|
//! | [`super::streams`] | a table's stream before its function |
//! | [`super::placements`] | placements before a game server |
//! | [`super::topics`] | a topic's events before their function |

use super::{placements, streams, topics};
use crate::candidate::Candidate;
use crate::felt::Felt;
use crate::observed::Run;

pub(super) fn candidates(run: &Run<'_>, felt: &[Felt]) -> Vec<Candidate> {
    let families = [streams::candidates, placements::candidates, topics::candidates];
    Candidate::merged(families.into_iter().flat_map(|find| find(run, felt)))
}
