//! Placements: GameLift's rate, its queue, and the way of an outcome.

use reports::format::SuspectKind::{FunctionErrors, GameliftRate, PlacementCapacity, SnsDelivery};

use super::Case;
use super::world::{Load, World, delay};
use crate::planted::draw::{Accepted, Draw, Expected};

pub(super) const CASES: &[Case] = &[
    Case::new("P19", "calls a second of GameLift", rate),
    Case::new("P20", "placements that take longer than their queue waits", queue),
    Case::new("P21", "outcomes that are delivered again", redelivered),
];

fn rate(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let (limit, strength) = (dice.whole(10..20), dice.strength());
    let quiet = f64::from(limit) * 0.4;
    world.rate("placement_request", quiet).load(Load::up_to(f64::from(limit) * strength / quiet, &mut dice));
    world.fault.set("gamelift.requests_per_second", limit).set("gamelift.request_burst", limit / 2);
    world.cured_by("four times the rate", "gamelift.requests_per_second", limit * 4);
    world.not_cured_by_the_accounts_concurrency();
    world.draw(
        format!("{limit} a second, {strength} x that"),
        Expected::FirstSuspect(vec![Accepted::new(GameliftRate, "")]),
    )
}

fn queue(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let (timeout_s, factor) = (dice.whole(1..3), dice.number(0.9..1.6));
    world.load(Load::moderate(&mut dice));
    world.profile.set("gamelift.queue_timeout_s", timeout_s);
    let own_ms = f64::from(timeout_s) * factor * 1e3;
    world.fault.set("gamelift.placement", world.delay_from_then_on((150.0, 400.0), own_ms, own_ms * 1.4));
    world.cured_by("as many game servers as before", "gamelift.placement", delay(150.0, 400.0));
    world.not_cured_by_the_accounts_concurrency();
    world.draw(
        format!("{factor} x the time-out of {timeout_s} s"),
        Expected::FirstSuspect(vec![Accepted::new(PlacementCapacity, "")]),
    )
}

fn redelivered(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let rate = dice.number(0.3..0.7);
    world.load(Load::moderate(&mut dice)).rate("placement_request", 10.0);
    world.profile.set("sns.retry_scale", 0.02);
    let key = "lambda.functions.OnPlacementEvent.error_rate";
    world.fault.set(key, world.rate_from_then_on(rate));
    world.cured_by("no errors", key, 0.0);
    world.not_cured_by_the_accounts_concurrency();
    world.draw(
        format!("OnPlacementEvent fails in {:.0} %", rate * 100.0),
        Expected::FirstSuspect(vec![
            Accepted::new(FunctionErrors, "OnPlacementEvent"),
            Accepted::new(SnsDelivery, ""),
        ]),
    )
}
