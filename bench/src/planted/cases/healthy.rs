//! Runs in which nothing may be named: all is well, or what looks like a fault hurts nobody.

use super::Case;
use super::world::{LOADED_S, Load, World, delay};
use crate::planted::draw::{Draw, Expected};

pub(super) const CASES: &[Case] = &[
    Case::new("H1", "steady", steady),
    Case::new("H2", "a ramp to 80 % of the rates of requests and of GameLift", ramp),
    Case::new("H3", "waves", sine),
    Case::new("H4", "a spike within the scaling rate", spike),
    Case::new("H5", "cold starts, fewer than the quantile leaves out", cold_starts),
    Case::new("H6", "slow, and always so", slow),
    Case::new("H7", "heavy-tailed jitter", jitter),
    Case::new("H8", "a function that nobody waits for fails as a phase begins", coincidence),
    Case::new("H9", "strong correlation with the load", correlated),
    Case::new("H10", "stream throttles retried in time", throttles),
    Case::new("H11", "concurrency at its limit, nothing refused", at_the_limit),
    Case::new("H12", "an account that others nearly fill", foreign),
    Case::new("H13", "faults that are too weak", weak),
    Case::new("H14", "storms, leavers, malformed messages, slow readers by scenario", disrupted),
    Case::new("H15", "pushes to players who left", gone),
    Case::new("H16", "late, missing and partial points", late_points),
    Case::new("H17", "a run of seconds", short),
    Case::new("H18", "unprocessed keys, retried", unprocessed),
    Case::new("H19", "two ramps that coincide", two_ramps),
    Case::new("H20", "the saw tooth of batching windows", batching),
];

fn nothing(world: World, what: impl Into<String>) -> Draw {
    world.draw(what, Expected::NothingNamed)
}

fn steady(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let rate = dice.number(10.0..60.0);
    world.rate("send_message", rate);
    if dice.one(&[true, false]) {
        world.at_random("send_message");
    }
    nothing(world, format!("{rate} messages a second"))
}

fn ramp(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let peak = dice.number(2.0..3.0);
    world.load(Load::Ramp(peak));
    // Requests a second: 20 messages and 6 placements are two each.
    let requests = (58.0 * peak / 0.8).ceil();
    world.profile.set("gateway.requests_per_second", requests).set("gateway.request_burst", requests);
    let calls = (6.0 * peak / 0.8).ceil();
    world.profile.set("gamelift.requests_per_second", calls).set("gamelift.request_burst", calls);
    nothing(world, format!("{peak} x, of {requests} requests and {calls} calls of GameLift a second"))
}

fn sine(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let peak = dice.number(2.0..4.0);
    world.load(Load::Sine(peak / 2.0, peak));
    nothing(world, format!("waves up to {peak} x"))
}

fn spike(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let peak = dice.number(4.0..7.0);
    world.load(Load::Spike(peak));
    world.profile.set("lambda.scaling_environments", 60);
    nothing(world, format!("{peak} x, 60 environments at once"))
}

fn cold_starts(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let init = dice.number(150.0..400.0);
    world.load(Load::Step(dice.number(1.5..3.0)));
    // Players come slowly: of many at once a third would meet a cold start, which is more than the promise of handshakes leaves out.
    world.set("sockets.connect_rate", 5);
    world.profile.set("lambda.init", delay(init, init * 1.3));
    nothing(world, format!("{init} ms each"))
}

fn slow(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let own_ms = dice.number(80.0..160.0);
    world.load(Load::moderate(&mut dice));
    world.profile.set("lambda.duration", delay(own_ms, own_ms * 1.2));
    nothing(world, format!("every function takes {own_ms} ms"))
}

fn jitter(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let p99 = dice.number(200.0..500.0);
    world.load(Load::moderate(&mut dice));
    world.profile.set("gateway.ack_delay", delay(5.0, p99)).set("gateway.push_delay", delay(5.0, p99));
    nothing(world, format!("5 ms, p99 {p99} ms"))
}

fn coincidence(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let rate = dice.number(0.3..1.0);
    world.comings_and_goings().load(Load::moderate(&mut dice));
    let failing = world.rate_from_then_on(rate);
    world.profile.set("lambda.functions.Disconnect.error_rate", failing);
    nothing(world, format!("Disconnect fails in {:.0} %", rate * 100.0))
}

fn correlated(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let peak = dice.number(4.0..6.0);
    world.load(Load::Ramp(peak)).at_random("send_message");
    nothing(world, format!("a ramp to {peak} x"))
}

fn throttles(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let rate = dice.number(0.05..0.3);
    world.load(Load::moderate(&mut dice));
    world.profile.set("lambda.functions.OnMessageInserted.throttle_rate", rate);
    world.profile.set("streams.retry_pause_ms", 5).set("streams.retry_pause_cap_ms", 20);
    nothing(world, format!("OnMessageInserted is throttled in {:.0} %", rate * 100.0))
}

fn at_the_limit(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let lanes = dice.one(&[2_u32, 4]);
    world.load(Load::moderate(&mut dice)).rate("send_message", 60.0);
    world.profile.set("tables.stream_shards", lanes).set("streams.parallelization_factor", 1);
    world.profile.set("lambda.functions.OnMessageInserted.reserved_concurrency", lanes);
    nothing(world, format!("{lanes} lanes, as many reserved"))
}

fn foreign(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let (limit, share) = (dice.whole(100..200), dice.number(0.6..0.75));
    world.load(Load::moderate(&mut dice));
    world.profile.set("lambda.account_concurrency", limit);
    world.profile.set("lambda.foreign_concurrency", (f64::from(limit) * share).round());
    nothing(world, format!("{:.0} % of {limit}", share * 100.0))
}

fn weak(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    world.load(Load::moderate(&mut dice));
    let what = match seed % 3 {
        0 => {
            let own_ms = dice.number(20.0..60.0);
            let slower = world.delay_from_then_on((4.0, 10.0), own_ms, own_ms * 1.3);
            world.profile.set("lambda.functions.SendMessage.duration", slower);
            format!("SendMessage takes {own_ms} ms instead of 4")
        }
        1 => {
            let own_ms = dice.number(10.0..30.0);
            let slower = world.delay_from_then_on((3.0, 8.0), own_ms, own_ms * 1.3);
            world.profile.set("tables.per_table.Messages.latency.batch_put", slower);
            format!("Messages takes {own_ms} ms instead of 3")
        }
        _ => {
            let limit = dice.whole(30..60);
            world.profile.set("lambda.functions.SendMessage.reserved_concurrency", limit);
            format!("{limit} reserved, of which a tenth is needed")
        }
    };
    nothing(world, what)
}

fn disrupted(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    world.load(Load::moderate(&mut dice));
    let what = dice.one(&["a storm", "leavers", "malformed messages", "slow readers"]);
    match what {
        "a storm" => {
            world.set("storms", "[{ at = \"5s\", share = 0.4, over = \"2s\" }]");
            world.set("reconnect.policy", "\"exponential\"").set("reconnect.base", "\"200ms\"");
        }
        "leavers" => drop(world.comings_and_goings()),
        "malformed messages" => {
            world.set("malformed.bad_json", 2).set("malformed.binary", 0.3);
            world.set("reconnect.policy", "\"constant\"").set("reconnect.base", "\"200ms\"");
        }
        _ => drop(world.set("slow_readers.share", 0.1).set("slow_readers.delay", "\"60ms\"")),
    }
    nothing(world, what)
}

fn gone(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let rate = dice.number(20.0..50.0);
    world.comings_and_goings().rate("send_message", rate).load(Load::moderate(&mut dice));
    nothing(world, format!("{rate} messages a second to players who come and go"))
}

fn late_points(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    world.load(Load::up_to(dice.number(1.5..3.0), &mut dice));
    nothing(world, "a healthy run, whose points are late, missing and partial in the views")
}

fn short(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let seconds = dice.whole(3..6);
    world.set("phases", format!("[{{ kind = \"hold\", duration = \"{seconds}s\" }}]"));
    nothing(world, format!("{seconds} s"))
}

fn unprocessed(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let rate = dice.number(0.02..0.1);
    world.load(Load::moderate(&mut dice));
    let fault = world.rate_from_then_on(rate);
    world.profile.set("tables.unprocessed_rate", fault);
    nothing(world, format!("{:.0} % of keys and items", rate * 100.0))
}

fn two_ramps(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let (peak, base) = (dice.number(2.0..4.0), dice.number(4.0..9.0));
    world.load(Load::Ramp(peak)).rate("placement_request", base).at_random("placement_request");
    nothing(world, format!("messages and placements rise to {peak} x in {LOADED_S} s"))
}

fn batching(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let window_ms = dice.whole(100..250);
    world.load(Load::moderate(&mut dice));
    world.profile.set("streams.batch_window_ms", window_ms);
    nothing(world, format!("batches wait for {window_ms} ms"))
}
