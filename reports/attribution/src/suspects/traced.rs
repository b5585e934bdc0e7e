//! Hops as players saw them: of a traced run each delivery is split at the backend's stamps (`docs/measuring.md`), second by second.
//!
//! The protocol says in which function a hop is spent. Such a hop is measured on the deliveries themselves, so that its mean is a part of
//! their mean: no metric's period, statistic or clock lies between. What the clocks are apart is in the first and the last hop only, the
//! same before and during a symptom, and cancels in a difference.

use reports::format::{Hop, HopClock};

use super::took::Took;
use crate::compare::{Change, Compared};
use crate::felt::Felt;
use crate::observed::{Player, Point, Points, Run, Trigger};

/// How long a function took of the deliveries of a symptom, by their stamps; `None` where there are none, or no hop is known to be spent
/// in it.
pub(super) fn took(run: &Run<'_>, felt: &Felt, compared: &Compared, full: &str) -> Option<Took> {
    let Player::Delivery(delivery) = &felt.player else { return None };
    let traced = run.summary.hops.as_ref()?;
    let clock = traced.clock?;
    let hops = &traced.deliveries.get(delivery)?.hops;
    let own: Vec<&Hop> = hops.iter().filter(|hop| run.backend.is_called(full, &hop.function)).collect();
    let first = own.first()?;
    let (means, change) = changed(run, delivery, &own, &clock, compared)?;
    let before = hops.iter().find(|hop| hop.to == first.from && hop.function.is_empty());
    let is_read = run.backend.function(full).is_some_and(|f| matches!(f.trigger, Trigger::Stream { .. }));
    let wait = before.filter(|_| is_read && compared.equal);
    let wait = wait.and_then(|wait| changed(run, delivery, &[wait], &clock, compared));
    let waited = wait.map_or(0.0, |(_, wait)| Took::waits(change, wait));
    let names: Vec<&str> = own.iter().map(|hop| hop.name.as_str()).collect();
    Some(Took {
        change,
        means,
        series: format!("hop {} of {delivery}", names.join(" + ")),
        waited,
        compared: compared.clone(),
    })
}

/// The mean of some hops together in milliseconds, second by second, and how it changed.
fn changed(
    run: &Run<'_>,
    delivery: &str,
    hops: &[&Hop],
    clock: &HopClock,
    compared: &Compared,
) -> Option<(Points, Change)> {
    let (mut means, mut counts) = (Vec::new(), Vec::new());
    for line in run.lines() {
        let seconds = line.deliveries.get(delivery).map(|second| &second.hops);
        let of = |hop: &&Hop| {
            let second = seconds?.get(&hop.name)?;
            Some((hop.in_second(second, clock) / 1e3, second.count as f64))
        };
        let all: Option<Vec<(f64, f64)>> = hops.iter().map(of).collect();
        let mean = all.as_ref().map(|all| all.iter().map(|(mean, _)| mean).sum());
        let count = all.and_then(|all| all.first().map(|(_, count)| *count));
        means.push(Point { at_s: line.t as f64, value: mean });
        counts.push(Point { at_s: line.t as f64, value: count });
    }
    let points = |points| Points { period_s: 1.0, points };
    let (means, counts) = (points(means), points(counts));
    let change = compared.change_of_seconds(&means, &counts)?;
    Some((means, change))
}
