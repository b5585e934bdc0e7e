//! Tables: slow, out of capacity as a whole, or with one hot key.

use reports::format::SuspectKind::{HotPartition, SlowDependency, TableThroughput};

use super::Case;
use super::world::{Load, World};
use crate::planted::draw::{Accepted, Draw, Expected};

pub(super) const CASES: &[Case] = &[
    Case::new("P6", "a slow table", slow),
    Case::new("P9", "capacity of a table, all keys alike", throughput),
    Case::new("P10", "capacity of one partition: a hot recipient", hot_recipient),
];

/// What an operation of a table takes without a fault.
const OWN: (f64, f64) = (3.0, 8.0);

fn slow(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let (table, operations) = dice.one(&[
        ("Messages", &["batch_put", "put"][..]),
        ("Connections", &["query", "batch_get", "get"][..]),
        ("Placements", &["put"][..]),
    ]);
    let own_ms = dice.number(350.0..700.0);
    world.load(Load::moderate(&mut dice));
    for operation in operations {
        let key = format!("tables.per_table.{table}.latency.{operation}");
        world.fault.set(key, world.delay_from_then_on(OWN, own_ms, own_ms * 1.3));
    }
    world.not_cured_by("twice the account's concurrency", "lambda.account_concurrency", 2_000);
    world.draw(
        format!("{table} takes {own_ms} ms"),
        Expected::FirstSuspect(vec![Accepted::new(SlowDependency, table)]),
    )
}

fn throughput(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let (units, strength) = (dice.whole(8..14), dice.strength().max(1.3));
    let capacity = f64::from(units) * 4.0;
    let quiet = capacity * 0.3;
    world.rate("send_message", quiet).load(Load::up_to(capacity * strength / quiet, &mut dice));
    let key = "tables.per_table.Messages.partition_write_units";
    world.fault.set(key, units);
    world.cured_by("four times the units", key, units * 4);
    world.not_cured_by("twice the account's concurrency", "lambda.account_concurrency", 2_000);
    world.draw(
        format!("Messages: 4 partitions of {units} units, {strength} x the capacity"),
        Expected::FirstSuspect(vec![
            Accepted::new(TableThroughput, "Messages"),
            Accepted::with_an_or(HotPartition, "Messages"),
            // The index has partitions of as many units, unless its own are given.
            Accepted::new(TableThroughput, "Messages/RecipientIdIndex"),
            Accepted::with_an_or(HotPartition, "Messages/RecipientIdIndex"),
        ]),
    )
}

fn hot_recipient(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let (units, strength) = (dice.whole(8..14), dice.strength().max(1.3));
    // Two players write to each other: two keys of the index, each in one partition.
    let capacity = f64::from(units) * 2.0;
    let quiet = capacity * 0.3;
    world.rate("send_message", quiet).load(Load::up_to(capacity * strength / quiet, &mut dice));
    world.set("players", 2).set("sockets.connect_rate", 2);
    let key = "tables.per_table.Messages.index_partition_write_units";
    world.fault.set(key, units);
    world.cured_by("four times the units", key, units * 4);
    world.draw(
        format!("the index of Messages: partitions of {units} units, {strength} x two of them"),
        Expected::FirstSuspect(vec![Accepted::new(HotPartition, "")]),
    )
}
