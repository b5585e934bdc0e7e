//! Streams: lanes that are full, and records that cannot be read.

use reports::format::SuspectKind::{FunctionErrors, PoisonRecord, SlowDependency, SlowFunction, StreamLanes};

use super::Case;
use super::world::{Load, World, delay};
use crate::planted::draw::{Accepted, Draw, Expected};

pub(super) const CASES: &[Case] = &[
    Case::new("P11", "lanes of a stream, with slow pushes", lanes),
    Case::new("P12", "records that no function can read", poison),
];

fn lanes(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let (push_ms, strength) = (dice.number(40.0..70.0), dice.strength());
    // One shard, one batch at once, one record each: own work, a look-up and the push.
    let capacity = 1e3 / (push_ms + 12.0);
    world.profile.set("streams.batch_size", 1).set("gateway.push_delay", delay(push_ms, push_ms * 1.3));
    world.set("operations.placement_request.rate", 2);
    let mut limit = crate::planted::settings::Settings::default();
    limit.set("tables.stream_shards", 1).set("streams.per_stream.Messages.parallelization_factor", 1);
    world.cured_by("more lanes", "streams.per_stream.Messages.parallelization_factor", 10);
    world.not_cured_by_the_accounts_concurrency();
    if seed % 3 == 2 {
        // The pushes get slow, and fill the lanes.
        let quiet = capacity * 0.6;
        world.rate("send_message", quiet);
        let slow_ms = (1e3 / quiet - 12.0) * strength.max(1.3);
        let slow = world.delay_from_then_on((push_ms, push_ms * 1.3), slow_ms, slow_ms * 1.3);
        world.fault = limit;
        world.fault.set("gateway.push_delay", slow);
        return world.draw(
            format!("one lane, pushes slow down from {push_ms} to {slow_ms:.0} ms"),
            Expected::FirstSuspect(vec![
                Accepted::new(StreamLanes, "Messages"),
                Accepted::with_an_or(SlowFunction, "OnMessageInserted"),
                Accepted::new(SlowDependency, ""),
            ]),
        );
    }
    let quiet = capacity * 0.4;
    world.rate("send_message", quiet).load(Load::up_to(capacity * strength / quiet, &mut dice));
    world.fault = limit;
    world.draw(
        format!("one lane, pushes of {push_ms} ms, {strength} x the capacity"),
        Expected::FirstSuspect(vec![Accepted::new(StreamLanes, "Messages")]),
    )
}

fn poison(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let (rate, attempts) = (dice.number(0.03..0.12), dice.whole(4..8));
    world.load(Load::moderate(&mut dice));
    world.profile.set("streams.retry_pause_ms", 150).set("streams.max_retry_attempts", attempts);
    let key = "streams.per_stream.Messages.poison_rate";
    world.fault.set(key, world.rate_from_then_on(rate));
    world.cured_by("no such records", key, 0.0);
    world.not_cured_by("more lanes", "streams.per_stream.Messages.parallelization_factor", 10);
    world.draw(
        format!("{:.0} % of the records, tried {attempts} times", rate * 100.0),
        Expected::FirstSuspect(vec![
            Accepted::new(PoisonRecord, "Messages"),
            Accepted::with_an_or(FunctionErrors, "OnMessageInserted"),
        ]),
    )
}
