//! Functions that are slow, time out or fail, the generator that has no core, and two faults at once.

use reports::format::SuspectKind::{FunctionErrors, FunctionTimeout, SlowDependency, SlowFunction};

use super::Case;
use super::world::{Load, World, delay};
use crate::planted::draw::{Accepted, Draw, Expected};

pub(super) const CASES: &[Case] = &[
    Case::new("P5", "a function's own work", slow),
    Case::new("P7", "a function that runs into its time-out", timed_out),
    Case::new("P8", "errors of a function", failing),
    Case::new("P23", "a generator without a core of its own", starved),
    Case::new("P24", "two faults on paths that share nothing", two_faults),
];

/// What a duration is without a fault.
const OWN: (f64, f64) = (4.0, 10.0);

fn slow(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let function = dice.one(&[
        "SendMessage",
        "Default",
        "SessionPlacementRequest",
        "OnMessageInserted",
        "OnPlacementUpdated",
    ]);
    // A placement takes longer anyhow, and its promise is wider.
    let least = if function == "OnPlacementUpdated" { 1_000.0 } else { 350.0 };
    let own_ms = dice.number(least..least * 2.0);
    world.load(Load::moderate(&mut dice));
    let key = format!("lambda.functions.{function}.duration");
    world.fault.set(&key, world.delay_from_then_on(OWN, own_ms, own_ms * 1.3));
    world.cured_by("its duration as before", &key, delay(OWN.0, OWN.1));
    world.not_cured_by_the_accounts_concurrency();
    world.draw(
        format!("{function} takes {own_ms} ms"),
        Expected::FirstSuspect(vec![
            Accepted::new(SlowFunction, function),
            Accepted::with_an_or(SlowDependency, function),
        ]),
    )
}

fn timed_out(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let function = dice.one(&["SendMessage", "Default", "SessionPlacementRequest"]);
    // Lambda's time-outs are whole seconds.
    let (timeout_s, factor) = (1.0, dice.number(0.95..1.6));
    world.load(Load::moderate(&mut dice));
    world.profile.set(format!("lambda.functions.{function}.timeout_s"), timeout_s);
    let own_ms = timeout_s * 1e3 * factor;
    let key = format!("lambda.functions.{function}.duration");
    world.fault.set(&key, world.delay_from_then_on(OWN, own_ms, own_ms * 1.5));
    world.cured_by("its duration as before", key, delay(OWN.0, OWN.1));
    world.not_cured_by_the_accounts_concurrency();
    world.draw(
        format!("{function} takes {factor} x its time-out of {timeout_s} s"),
        // Where the time-out is not known, it may be errors as well.
        Expected::FirstSuspect(vec![
            Accepted::new(FunctionTimeout, function),
            Accepted::with_an_or(FunctionErrors, function),
        ]),
    )
}

fn failing(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let function = dice.one(&["SendMessage", "Default", "SessionPlacementRequest"]);
    let rate = dice.number(0.08..0.6);
    world.load(Load::moderate(&mut dice));
    let key = format!("lambda.functions.{function}.error_rate");
    world.fault.set(&key, world.rate_from_then_on(rate));
    world.cured_by("no errors", key, 0.0);
    world.not_cured_by_the_accounts_concurrency();
    world.draw(
        format!("{function} fails in {:.0} %", rate * 100.0),
        Expected::FirstSuspect(vec![Accepted::new(FunctionErrors, function)]),
    )
}

fn starved(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    world.load(Load::moderate(&mut dice)).rate("send_message", dice.number(200.0..300.0)).starved();
    world.draw("busy loops on the generator's core", Expected::InvalidRun)
}

fn two_faults(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let (rate, slow_ms) = (dice.number(0.2..0.6), dice.number(400.0..700.0));
    let (failing, slow) = dice.one(&[
        ("Default", "OnMessageInserted"),
        ("Default", "SendMessage"),
        ("SessionPlacementRequest", "SendMessage"),
    ]);
    world.load(Load::moderate(&mut dice));
    world.fault.set(format!("lambda.functions.{failing}.error_rate"), world.rate_from_then_on(rate));
    world.fault.set(
        format!("lambda.functions.{slow}.duration"),
        world.delay_from_then_on(OWN, slow_ms, slow_ms * 1.3),
    );
    world.draw(
        format!("{failing} fails in {:.0} %, and {slow} takes {slow_ms} ms", rate * 100.0),
        Expected::FirstSuspect(vec![
            Accepted::new(FunctionErrors, failing),
            Accepted::new(SlowFunction, slow),
            Accepted::with_an_or(SlowDependency, slow),
        ]),
    )
}
