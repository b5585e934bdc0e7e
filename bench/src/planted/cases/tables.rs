//! Tables: slow, out of capacity as a whole, or with one hot key.

use reports::format::SuspectKind::{HotPartition, SlowDependency, TableThroughput};

use super::Case;
use super::world::{Load, World, delay};
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
        world.fault.set(&key, world.delay_from_then_on(OWN, own_ms, own_ms * 1.3));
        world.cured_by("its latency as before", key, delay(OWN.0, OWN.1));
    }
    world.not_cured_by_the_accounts_concurrency();
    world.draw(
        format!("{table} takes {own_ms} ms"),
        Expected::FirstSuspect(vec![Accepted::new(SlowDependency, table)]),
    )
}

fn throughput(case: &'static str, seed: u64) -> Draw {
    let (mut world, mut dice) = World::new(case, seed);
    let (units, strength) = (dice.whole(8..14), dice.strength().max(1.3));
    let of_index = dice.one(&[true, false]);
    // Recipients are not spread evenly over the partitions of the index: only so much is beyond every one of them.
    let strength = if of_index { strength.max(2.0) } else { strength };
    let capacity = f64::from(units) * 4.0;
    let quiet = capacity * 0.3;
    world.rate("send_message", quiet).load(Load::up_to(capacity * strength / quiet, &mut dice));
    let [table, index] = ["partition_write_units", "index_partition_write_units"]
        .map(|key| format!("tables.per_table.Messages.{key}"));
    let (limited, ample, resource) =
        if of_index { (index, table, "Messages/RecipientIdIndex") } else { (table, index, "Messages") };
    world.fault.set(&ample, 1_000).set(&limited, units);
    world.cured_by("ten times the units", &limited, units * 10);
    world.not_cured_by_the_accounts_concurrency();
    world.draw(
        format!("{resource}: 4 partitions of {units} units, {strength} x the capacity"),
        Expected::FirstSuspect(vec![
            Accepted::new(TableThroughput, resource),
            Accepted::with_an_or(HotPartition, resource),
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
    world.cured_by("ten times the units", key, units * 10);
    world.not_cured_by("units of the table itself", "tables.per_table.Messages.partition_write_units", 2_000);
    world.draw(
        format!("the index of Messages: partitions of {units} units, {strength} x two of them"),
        Expected::FirstSuspect(vec![Accepted::new(HotPartition, "Messages/RecipientIdIndex")]),
    )
}
