//! What may explain the symptoms, a module for each family: refusals as accounts, queues as slopes, durations as changed
//! hops.
//!
//! | module | of what |
//! |---|---|
//! | [`refusals`] | accounts: [`lambda`] (with [`limits`] and [`memory`]), [`tables`], [`gamelift`], [`gateway`] |
//! | [`queues`] | what waits: [`streams`], [`placements`], [`topics`]; [`backlog`] is what grows |
//! | [`durations`] | what takes longer: functions by [`hops`] ([`traced`], or by metrics), what they call ([`dependencies`]), [`cold_starts`], [`network`], [`holders`] of a shared function, [`slow_clients`] |
//! | [`generator`] | the generator itself |
//! | [`matching`] | how much of a symptom a counter accounts for |
//! | [`evidence`] | a series with what it shows |

mod backlog;
mod cold_starts;
mod dependencies;
mod durations;
mod evidence;
mod gamelift;
mod gateway;
pub(crate) mod generator;
mod holders;
mod hops;
mod lambda;
mod limits;
mod matching;
mod memory;
mod network;
mod placements;
mod plateau;
mod queues;
mod refusals;
mod slow_clients;
mod streams;
mod tables;
mod took;
mod topics;
mod traced;

use crate::candidate::Candidate;
use crate::felt::Felt;
use crate::observed::Run;

/// Every candidate, in no order, each kind of each place once.
pub(crate) fn candidates(run: &Run<'_>, felt: &[Felt]) -> Vec<Candidate> {
    let families = [refusals::candidates, queues::candidates, durations::candidates];
    Candidate::merged(families.into_iter().flat_map(|find| find(run, felt)))
}
