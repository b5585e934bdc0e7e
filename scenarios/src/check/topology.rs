//! `[functions]`, `[tables]` and `[queues]`: what does the work of each operation, by protocol and scenario.

use std::collections::{BTreeMap, BTreeSet};

use documents::child;
use documents::form::nearest;
use protocol::Outline;
use protocol::outline::Resources;

use super::context::Check;
use crate::keys::scenario::Scenario;
use crate::plan::operation::CONNECT;
use crate::plan::{PlannedOperation, Topology};

/// What is declared of every operation of the plan; what the scenario names replaces what the protocol has.
pub(super) fn topology(
    check: &mut Check<'_>,
    scenario: &Scenario,
    outline: &Outline,
    planned: &[PlannedOperation],
) -> Topology {
    let known: BTreeSet<&str> =
        outline.operations.iter().map(|operation| operation.name.as_str()).chain([CONNECT]).collect();
    let tables =
        [("/functions", &scenario.functions), ("/tables", &scenario.tables), ("/queues", &scenario.queues)];
    for (pointer, named) in tables {
        unknown(check, pointer, named, &known);
    }
    let declared = outline.operations.iter().map(|operation| (operation.name.as_str(), &operation.resources));
    let declared = declared.chain([(CONNECT, &outline.handshake.resources)]);
    let used: BTreeSet<&str> = planned.iter().map(|operation| &*operation.name).collect();
    let operations = declared
        .filter(|(name, _)| used.contains(name))
        .map(|(name, declared)| (name.to_owned(), replaced(scenario, name, declared)))
        .collect();
    let deliveries = outline.pushes.iter().filter_map(|push| {
        let operation = &outline.operations.get(push.operation)?.name;
        used.contains(operation.as_str()).then(|| (push.name.clone(), operation.clone()))
    });
    Topology { operations, deliveries: deliveries.collect() }
}

/// The protocol's resources, each kind replaced where the scenario names it.
fn replaced(scenario: &Scenario, operation: &str, declared: &Resources) -> Resources {
    let of = |named: &BTreeMap<String, Vec<String>>, declared: &Vec<String>| {
        named.get(operation).unwrap_or(declared).clone()
    };
    Resources {
        functions: of(&scenario.functions, &declared.functions),
        tables: of(&scenario.tables, &declared.tables),
        queues: of(&scenario.queues, &declared.queues),
    }
}

fn unknown(
    check: &mut Check<'_>,
    pointer: &str,
    named: &BTreeMap<String, Vec<String>>,
    known: &BTreeSet<&str>,
) {
    for (operation, names) in named {
        let at = child(pointer, operation);
        if !known.contains(operation.as_str()) {
            let all: Vec<String> = known.iter().map(|name| (*name).to_owned()).collect();
            let remedy = match nearest(operation, &all) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("name one of: {}", all.join(", ")),
            };
            check.wrong(&at, "is no operation of the protocol", &remedy);
        }
        if names.iter().any(|name| name.trim().is_empty()) {
            check.wrong(&at, "has an empty name", "write how the resource's name ends, or leave it out");
        }
    }
}
