//! The plan of a scenario, put together from what each table comes to.

use std::time::Duration;

use super::context::Check;
use super::messages::Surroundings;
use super::{
    auth, cloudwatch, disruptions, feeders, journeys, operations, phases, prices, protocol, rooms, target,
    thresholds, topology, way,
};
use crate::keys::scenario::Scenario;
use crate::plan::{Plan, Target};

/// The plan; a wrong value is reported to `check` and replaced by a sound one.
pub(super) fn plan(check: &mut Check<'_>, scenario: &Scenario) -> Plan {
    let protocol = protocol::protocol(check, scenario);
    let outline = protocol.outline();
    let target = target::target(check, &scenario.target);
    let auth = auth::auth(check, scenario, &target, outline);
    let (mut phases, load) = phases::phases(check, scenario);
    let (feeders, rooms) = (feeders::feeders(check, scenario), rooms::rooms(check, scenario));
    let around = Surroundings { ids: &auth.ids, rooms: &rooms, feeders: &feeders };
    let mut operations = operations::operations(check, scenario, &*protocol, &around, &load);
    let requested = operations::requested(outline, &operations);
    let pushes = operations::pushes(check, scenario, outline, &requested);
    let length = phases.last().map_or(Duration::ZERO, |last| last.end);
    let journeys = journeys::journeys(check, scenario, outline, &mut operations, &pushes, length);
    let disruptions = disruptions::disruptions(check, scenario, &phases);
    let (thresholds, judged_phases) =
        thresholds::thresholds(check, scenario, outline, &mut phases, &operations, &pushes);
    Plan {
        name: scenario.name.clone(),
        players: scenario.players,
        seed: scenario.seed,
        connect_timeout: check.positive("/sockets/connect_timeout", scenario.sockets.connect_timeout),
        players_per_goose_user: scenario.sockets.per_goose_user,
        source_addresses: target::addresses(check, &scenario.sockets.source_addresses),
        max_message_bytes: scenario.sockets.max_message_bytes,
        feeders,
        rooms,
        journeys,
        disruptions,
        phases,
        poll: operations::poll(check, scenario, &operations, &target),
        grace: check.within_a_day("/deliveries/grace", scenario.deliveries.grace),
        load,
        way: way::way(check, scenario, &target, outline, &auth),
        thresholds,
        judged_phases,
        cloudwatch: cloudwatch::series(
            check,
            &scenario.cloudwatch,
            matches!(target, Target::Embedded { .. }),
        ),
        topology: topology::topology(check, scenario, outline, &operations),
        prices: prices::prices(check, &scenario.prices),
        requested,
        operations,
        pushes,
        auth,
        target,
        protocol,
    }
}
