//! The promises to the players that broke: per operation and delivery, what and when.
//!
//! | module | finds |
//! |---|---|
//! | [`wrong`] | failures and losses, by comparing shares |
//! | [`slower`] | broken latency thresholds; where there are none, quantiles that left those of the quietest phase |
//! | [`stretch`] | the time in which something shows |

mod slower;
mod stretch;
mod wrong;

use std::collections::BTreeSet;

use crate::felt::Felt;
use crate::observed::{Player, Promise, Run};

/// Probability of a false alarm among all tests of a run.
const ALPHA: f64 = 0.05;

/// Every symptom of the run.
pub(crate) fn find(run: &Run<'_>) -> Vec<Felt> {
    let players = players(run);
    let promises = promises(run);
    let mut felt = wrong::find(run, &players, &promises);
    felt.extend(slower::find(run, &players, &promises));
    felt
}

/// Thresholds that failed and that no symptom stands for: they are of what attribution does not look at.
pub(crate) fn not_looked_at(run: &Run<'_>, felt: &[Felt]) -> Vec<String> {
    let promises = promises(run);
    let is_covered = |expression: &str| {
        let told = felt.iter().any(|felt| felt.symptom.threshold == expression);
        let of_all = promises.iter().any(|p| p.threshold.expression == expression && p.player.is_none());
        told || (of_all && felt.iter().any(Felt::is_failures))
    };
    let failed =
        run.summary.thresholds.iter().filter(|threshold| !threshold.passed && threshold.observed.is_some());
    failed
        .map(|threshold| threshold.expression.clone())
        .filter(|expression| !is_covered(expression))
        .collect()
}

/// The operations and deliveries that are asked of the target; journeys as a whole are not.
fn players(run: &Run<'_>) -> Vec<Player> {
    let operations: BTreeSet<&String> = run.lines().flat_map(|line| line.operations.keys()).collect();
    let deliveries: BTreeSet<&String> = run.lines().flat_map(|line| line.deliveries.keys()).collect();
    let is_journey = |name: &str| run.summary.operations.get(name).is_some_and(|o| o.is_journey());
    // Where the protocol does not fit, what was not understood may be what counts as lost.
    let fits = run.summary.frames.as_ref().is_none_or(|frames| frames.fit());
    operations
        .into_iter()
        .filter(|name| !is_journey(name))
        .map(|name| Player::Operation(name.clone()))
        .chain(deliveries.into_iter().filter(|_| fits).map(|name| Player::Delivery(name.clone())))
        .collect()
}

/// The scenario's promises to the players.
fn promises<'a>(run: &'a Run<'_>) -> Vec<Promise<'a>> {
    let is_delivery = |name: &str| {
        run.summary.deliveries.contains_key(name)
            || run.lines().any(|line| line.deliveries.contains_key(name))
    };
    run.summary.thresholds.iter().filter_map(|threshold| Promise::of(threshold, is_delivery)).collect()
}
