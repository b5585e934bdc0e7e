//! Limits of concurrency: of a function, of the account, of requests and of new environments.

use reports::format::SuspectKind::{AccountConcurrency, RequestRateCap, ReservedConcurrency, ScalingRate};

use super::Case;
use super::world::{Load, PLACEMENT, SEND_MESSAGE, UNKNOWN_ROUTE, World, delay};
use crate::planted::draw::{Accepted, Draw, Expected};

pub(super) const CASES: &[Case] = &[
    Case::new("P1", "reserved concurrency of a function", reserved),
    Case::new("P2", "concurrency of the account, two functions busy", account),
    Case::new("P3", "ten invocations a second for each unit of concurrency", request_rate),
    Case::new("P4", "new environments after a step", scaling),
    Case::new("P22", "a function with a reserved concurrency of 0", silenced),
    Case::new("P25", "a spike that leaves a storm of retries", retry_storm),
];

/// Functions that answer an operation, and what they take beside the duration of the profile, in milliseconds.
const ROUTES: [(&str, (&str, f64), f64); 3] = [
    ("SendMessage", SEND_MESSAGE, 9.0),
    ("SessionPlacementRequest", PLACEMENT, 25.0),
    ("Default", UNKNOWN_ROUTE, 1.0),
];

fn first(accepted: Accepted) -> Expected {
    Expected::FirstSuspect(vec![accepted])
}

fn reserved(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let (function, (operation, _), beside_ms) = dice.one(&ROUTES);
    let (limit, own_ms, strength) = (dice.whole(3..7), dice.number(60.0..140.0), dice.strength());
    let capacity = f64::from(limit) / (own_ms + beside_ms) * 1e3;
    let quiet = capacity * 0.25;
    world.rate(operation, quiet).load(Load::up_to(capacity * strength / quiet, &mut dice));
    world.profile.set(format!("lambda.functions.{function}.duration"), delay(own_ms, own_ms * 1.2));
    let key = format!("lambda.functions.{function}.reserved_concurrency");
    world.fault.set(&key, limit);
    world.cured_by("twice the reserved concurrency, and what Poisson's peaks need", &key, limit * 2 + 6);
    world.not_cured_by_the_accounts_concurrency();
    world.draw(
        format!("{function}: {limit} reserved, {own_ms} ms, {strength} x the capacity"),
        first(Accepted::new(ReservedConcurrency, function)),
    )
}

fn account(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let (limit, own_ms, strength) = (dice.whole(8..14), dice.number(80.0..160.0), dice.strength().max(1.3));
    let share = dice.number(0.35..0.65);
    // Half of what the account has goes to either of two functions; quiet is a fifth of it.
    let capacity = f64::from(limit) / (own_ms + 9.0) * 1e3;
    let quiet = capacity * 0.2;
    world.rate("send_message", quiet * share).rate("unknown_route", quiet * (1.0 - share));
    world.load(Load::up_to(capacity * strength / quiet, &mut dice));
    for function in ["SendMessage", "Default"] {
        world.profile.set(format!("lambda.functions.{function}.duration"), delay(own_ms, own_ms * 1.2));
    }
    world.fault.set("lambda.account_concurrency", limit);
    world.cured_by("more of the account's concurrency", "lambda.account_concurrency", limit * 3 + 10);
    world.not_cured_by("twice the environments at once", "lambda.scaling_environments", 2_000);
    world.draw(
        format!("{limit} of the account, two functions of {own_ms} ms, {strength} x the capacity"),
        first(Accepted::new(AccountConcurrency, "")),
    )
}

fn request_rate(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let (limit, strength) = (dice.whole(3..6), dice.strength());
    let capacity = f64::from(limit) * 10.0;
    let quiet = capacity * 0.25;
    world.rate("unknown_route", quiet).load(Load::up_to(capacity * strength / quiet, &mut dice));
    world.fault.set("lambda.functions.Default.reserved_concurrency", limit);
    world.fault.set("lambda.requests_per_concurrency", 10);
    world.cured_by("more reserved concurrency", "lambda.functions.Default.reserved_concurrency", limit * 4);
    world.not_cured_by_the_accounts_concurrency();
    world.draw(
        format!("Default: {limit} reserved, fast, {strength} x ten times that a second"),
        first(Accepted::new(RequestRateCap, "Default")),
    )
}

fn scaling(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let (function, (operation, _), beside_ms) = dice.one(&[ROUTES[0], ROUTES[2]]);
    let (limit, own_ms, strength) = (dice.whole(4..6), dice.number(150.0..250.0), dice.strength().max(1.3));
    // Some are there from the quiet phase; so many more may start at once, and as many again in ten seconds.
    let quiet_busy = 2.0;
    let needed = (quiet_busy + f64::from(limit) * 2.0) * strength;
    let quiet = quiet_busy / (own_ms + beside_ms) * 1e3;
    world.rate(operation, quiet).load(Load::Step(needed / quiet_busy));
    world.set("sockets.connect_rate", 20);
    world.profile.set(format!("lambda.functions.{function}.duration"), delay(own_ms, own_ms * 1.2));
    world.fault.set("lambda.scaling_environments", limit);
    world.cured_by("more environments at once", "lambda.scaling_environments", 1_000);
    world.not_cured_by_the_accounts_concurrency();
    world.draw(
        format!("{function}: {limit} environments in 10 s, a step to {needed:.0} at once"),
        // The step is one of every operation: others may need more environments as well.
        first(Accepted::new(ScalingRate, "")),
    )
}

fn silenced(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let function = dice.one(&["SendMessage", "Default", "SessionPlacementRequest", "OnMessageInserted"]);
    world.load(Load::moderate(&mut dice));
    let key = format!("lambda.functions.{function}.reserved_concurrency");
    world.fault.set(&key, 0);
    world.cured_by("some reserved concurrency", &key, 50);
    world.not_cured_by_the_accounts_concurrency();
    world.draw(format!("{function} may not run"), first(Accepted::new(ReservedConcurrency, function)))
}

fn retry_storm(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let (limit, own_ms) = (dice.whole(2..4), dice.number(50.0..80.0));
    let capacity = f64::from(limit) / (own_ms + 15.0) * 1e3;
    let quiet = capacity * 0.3;
    world.rate("send_message", quiet).load(Load::Spike(dice.number(6.0..8.0)));
    world.profile.set("streams.batch_size", 1);
    world.profile.set("lambda.functions.OnMessageInserted.duration", delay(own_ms, own_ms * 1.2));
    let key = "lambda.functions.OnMessageInserted.reserved_concurrency";
    world.fault.set(key, limit);
    world.cured_by("more reserved concurrency", key, limit * 8);
    world.not_cured_by("more lanes", "streams.parallelization_factor", 10);
    world.draw(
        format!("OnMessageInserted: {limit} reserved, {own_ms} ms, a spike"),
        first(Accepted::new(ReservedConcurrency, "OnMessageInserted")),
    )
}
