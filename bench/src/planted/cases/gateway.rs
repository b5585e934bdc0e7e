//! The front: its rates, players that do not read, and who vouches for players.

use reports::format::SuspectKind::{
    ConnectRate, FunctionErrors, IdentityProvider, MessageRate, ReservedConcurrency, SlowClient,
    SlowDependency, SlowFunction,
};

use super::Case;
use super::world::{Load, PLACEMENT, SEND_MESSAGE, UNKNOWN_ROUTE, World};
use crate::planted::draw::{Accepted, Draw, Expected};

pub(super) const CASES: &[Case] = &[
    Case::new("P13", "new connections a second", connections),
    Case::new("P14", "requests a second of the account", requests),
    Case::new("P15", "players that do not read", slow_readers),
    Case::new("P16", "a slow identity provider", slow_provider),
    Case::new("P17", "a slow identity provider, one function for everything", slow_provider_single),
    Case::new("P18", "an identity provider that fails", failing_provider),
];

/// What a question to the provider takes without a fault.
const OWN: (f64, f64) = (2.0, 5.0);

fn connections(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let limit = dice.whole(8..14);
    world.load(Load::moderate(&mut dice));
    let what = if dice.one(&[true, false]) {
        let strength = dice.strength().max(1.3);
        // A bucket of one second's handshakes, and what is above its rate: the more players, the more are refused.
        world.set("sockets.connect_rate", format!("{:.1}", f64::from(limit) * strength));
        world.set("players", 90);
        format!("{limit} a second, players come at {strength} x that")
    } else {
        world.set("sockets.connect_rate", 8);
        let at = dice.number(3.0..6.0);
        world.set("storms", format!("[{{ at = \"{at}s\", share = 0.9 }}]"));
        world.set("reconnect.policy", "\"constant\"").set("reconnect.base", "\"400ms\"");
        format!("{limit} a second, nine in ten come back at once")
    };
    world.fault.set("gateway.connections_per_second", limit);
    world.cured_by("ten times the rate", "gateway.connections_per_second", limit * 10);
    world.not_cured_by("twice the account's concurrency", "lambda.account_concurrency", 2_000);
    world.draw(what, Expected::FirstSuspect(vec![Accepted::new(ConnectRate, "")]))
}

fn requests(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let strength = dice.strength();
    // A message and a placement are two requests each: the send and the push.
    let quiet = SEND_MESSAGE.1 * 2.0 + PLACEMENT.1 * 2.0 + UNKNOWN_ROUTE.1;
    let limit = (quiet * dice.number(1.8..2.4)).round();
    world.load(Load::up_to(limit * strength / quiet, &mut dice));
    world.fault.set("gateway.requests_per_second", limit).set("gateway.request_burst", (limit / 2.0).round());
    world.cured_by("four times the rate", "gateway.requests_per_second", limit * 4.0);
    world.not_cured_by("twice the account's concurrency", "lambda.account_concurrency", 2_000);
    world.draw(
        format!("{limit} a second, {strength} x that"),
        Expected::FirstSuspect(vec![Accepted::new(MessageRate, "")]),
    )
}

fn slow_readers(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let (share, bytes) = (dice.number(0.3..0.5), dice.whole(30_000..60_000));
    world.rate("send_message", dice.number(50.0..65.0)).set("operations.send_message.size", 30_000);
    world.set("players", 12).set("slow_readers.share", share).set("slow_readers.delay", "\"2s\"");
    world.set("slow_readers.receive_buffer", 4_096);
    world.fault.set("gateway.outgoing_bytes_per_connection", bytes);
    world.cured_by("a larger buffer", "gateway.outgoing_bytes_per_connection", 8_000_000);
    world.draw(
        format!("{:.0} % of the players read a message in 2 s, {bytes} bytes may wait", share * 100.0),
        Expected::FirstSuspect(vec![Accepted::new(SlowClient, "")]),
    )
}

/// The provider has no figures of its own: what calls it may be named where it says so.
fn provider() -> Vec<Accepted> {
    vec![
        Accepted::new(IdentityProvider, ""),
        Accepted::with_an_or(SlowFunction, "Authorizer"),
        Accepted::with_an_or(SlowDependency, "Authorizer"),
        Accepted::with_an_or(FunctionErrors, "Authorizer"),
    ]
}

fn slow_provider(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let own_ms = dice.number(700.0..1_500.0);
    // Players come for ten seconds; after four of them the provider slows down.
    world.set("players", 80).set("sockets.connect_rate", 8).load(Load::moderate(&mut dice));
    world.fault.set(
        "identity.latency",
        format!(
            "{{ p50_ms = 2, p99_ms = 5, fault = {{ from_s = 4.5, p50_ms = {own_ms}, p99_ms = {} }} }}",
            own_ms * 1.3
        ),
    );
    world.not_cured_by("twice the account's concurrency", "lambda.account_concurrency", 2_000);
    world.draw(format!("{own_ms} ms"), Expected::FirstSuspect(provider()))
}

fn slow_provider_single(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let (own_ms, limit) = (dice.number(900.0..1_500.0), dice.whole(8..14));
    world.comings_and_goings().load(Load::moderate(&mut dice));
    world.profile.set("lambda.layout", "\"single\"");
    world.fault.set("lambda.reserved_concurrency", limit);
    world.fault.set("identity.latency", world.delay_from_then_on(OWN, own_ms, own_ms * 1.3));
    // Everything is one function: either is a cure, and which route is slow nobody's figures tell.
    let mut accepted = provider();
    accepted.push(Accepted::new(ReservedConcurrency, "Backend"));
    accepted.push(Accepted::with_an_or(SlowFunction, "Backend"));
    accepted.push(Accepted::with_an_or(SlowDependency, "Backend"));
    world.draw(format!("{own_ms} ms, {limit} reserved for everything"), Expected::FirstSuspect(accepted))
}

fn failing_provider(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let rate = dice.number(0.2..0.9);
    world.comings_and_goings().load(Load::moderate(&mut dice));
    world.fault.set("identity.failure_rate", world.rate_from_then_on(rate));
    world.draw(format!("fails in {:.0} %", rate * 100.0), Expected::FirstSuspect(provider()))
}
