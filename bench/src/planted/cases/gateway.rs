//! The front: its rates, players that do not read, and who vouches for players.

use reports::format::SuspectKind::{
    ConnectRate, FunctionErrors, IdentityProvider, MessageRate, ReservedConcurrency, SlowClient,
    SlowDependency, SlowFunction,
};

use super::Case;
use super::world::{Load, PLACEMENT, SEND_MESSAGE, UNKNOWN_ROUTE, World, delay};
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
    world.not_cured_by_the_accounts_concurrency();
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
    world.not_cured_by_the_accounts_concurrency();
    world.draw(
        format!("{limit} a second, {strength} x that"),
        Expected::FirstSuspect(vec![Accepted::new(MessageRate, "")]),
    )
}

fn slow_readers(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    const PEAK: f64 = 3.0;
    let (share, bytes) = (dice.number(0.3..0.5), dice.whole(40_000..70_000));
    let (quiet, strength) = (dice.number(6.0..9.0), dice.one(&[1.6, 2.0, 2.5]));
    let (players, recipients) = (16.0, 4.0);
    // Under load a slow player gets so much more than it reads, in the quiet phase less.
    let delay_ms = strength * 1e3 / (quiet * recipients / players * PEAK);
    world.set("slow_readers.share", share).set("slow_readers.delay", format!("\"{delay_ms:.0}ms\""));
    // Long messages, to several players each; little of them lies in the buffers of the two machines, and one lane pushes them all.
    world.set("slow_readers.receive_buffer", 4_096).set("players", players);
    world.set("operations.send_message.size", 20_000).set("operations.send_message.fan_out", recipients);
    world.rate("send_message", quiet).load(Load::up_to(PEAK, &mut dice));
    world.profile.set("gateway.send_buffer_bytes", 32_768);
    world.profile.set("gateway.outgoing_bytes_per_connection", 100_000_000);
    world.profile.set("streams.per_stream.Messages.parallelization_factor", 1);
    let key = "gateway.outgoing_bytes_per_connection";
    world.fault.set(key, bytes);
    world.cured_by("a larger buffer", key, 100_000_000);
    world.not_cured_by_the_accounts_concurrency();
    world.draw(
        format!(
            "{:.0} % of the players are sent {strength} x what they read, {bytes} bytes may wait",
            share * 100.0
        ),
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

/// A provider that slows down while players connect.
fn slow_from_connecting_on(own_ms: f64) -> String {
    let (p50, p99) = OWN;
    format!(
        "{{ p50_ms = {p50}, p99_ms = {p99}, fault = {{ from_s = 4.5, p50_ms = {own_ms}, p99_ms = {} }} }}",
        own_ms * 1.3
    )
}

fn slow_provider(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let own_ms = dice.number(700.0..1_500.0);
    // Players come for ten seconds; after four of them the provider slows down.
    world.set("players", 80).set("sockets.connect_rate", 8).load(Load::moderate(&mut dice));
    world.fault.set("identity.latency", slow_from_connecting_on(own_ms));
    world.cured_by("its latency as before", "identity.latency", delay(OWN.0, OWN.1));
    world.not_cured_by_the_accounts_concurrency();
    world.draw(format!("{own_ms} ms"), Expected::FirstSuspect(provider()))
}

fn slow_provider_single(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let (own_ms, limit) = (dice.number(900.0..1_500.0), dice.whole(18..24));
    // Players come for ten seconds, and handshakes alone do not fill what is reserved; those who leave and come back do, once all are
    // there. With more of it handshakes are slow all the same, so the provider is first. Which route is slow no figure of one function
    // tells, hence the `or`.
    world.set("players", 80).set("sockets.connect_rate", 8).load(Load::moderate(&mut dice));
    world.set("churn.session", "\"2s to 4s\"").set("churn.pause", "\"200ms to 600ms\"");
    world.profile.set("lambda.layout", "\"single\"");
    world.profile.set("lambda.reserved_concurrency", limit);
    world.fault.set("identity.latency", slow_from_connecting_on(own_ms));
    world.cured_by("its latency as before", "identity.latency", delay(OWN.0, OWN.1));
    world.not_cured_by("ten times the reserved concurrency", "lambda.reserved_concurrency", limit * 10);
    let mut accepted = provider();
    for kind in [SlowFunction, SlowDependency, ReservedConcurrency] {
        accepted.push(Accepted::with_an_or(kind, "Backend"));
    }
    world.draw(format!("{own_ms} ms, {limit} reserved for everything"), Expected::FirstSuspect(accepted))
}

fn failing_provider(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let rate = dice.number(0.2..0.9);
    world.comings_and_goings().load(Load::moderate(&mut dice));
    world.fault.set("identity.failure_rate", world.rate_from_then_on(rate));
    world.cured_by("no failures", "identity.failure_rate", 0.0);
    world.not_cured_by_the_accounts_concurrency();
    world.draw(format!("fails in {:.0} %", rate * 100.0), Expected::FirstSuspect(provider()))
}
