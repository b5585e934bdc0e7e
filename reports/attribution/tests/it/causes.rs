//! Queues, durations, what fills the environments: a planted signature of each, and what looks like it.

use reports::format::{LimitKind, Outcome, SuspectKind, Threshold};

use crate::made::{BUSY, Made, SECONDS, first, full};

/// A threshold that broke.
fn broken(made: &mut Made, expression: &str) {
    made.thresholds.push(Threshold {
        expression: expression.into(),
        observed: Some(1.0),
        passed: false,
        ..Threshold::default()
    });
}

/// Sets a table's latency and calls in each busy second, and before.
fn table(made: &mut Made, table: &str, operation: &str, calls: f64, calm_ms: f64, busy_ms: f64) {
    let name = full(table);
    let dimensions = [("TableName", name.as_str()), ("Operation", operation)];
    for t in 10..SECONDS {
        let ms = if BUSY.contains(&t) { busy_ms } else { calm_ms };
        let mean = made.series("AWS/DynamoDB", "SuccessfulRequestLatency", "Average", &dimensions);
        crate::made::set(mean, t as f64, ms);
        let count = made.series("AWS/DynamoDB", "SuccessfulRequestLatency", "SampleCount", &dimensions);
        crate::made::set(count, t as f64, calls);
    }
}

/// The points of a metric of the mapping of a table.
fn events(made: &mut Made, table: &str, metric: &str, value: f64) {
    let uuid = format!("uuid-{table}");
    for t in BUSY {
        let series = made.series("AWS/Lambda", metric, "Sum", &[("EventSourceMappingUUID", &uuid)]);
        crate::made::set(series, t as f64, value);
    }
}

/// A slow SendMessage: 300 ms more, of which players feel all.
fn slow_send() -> Made {
    let mut made = Made::healthy();
    made.slows("send_message.response", 312_000);
    made.busy("Duration", "Average", "SendMessage", 310.0);
    made.busy("Duration", "Maximum", "SendMessage", 900.0);
    made
}

#[test]
fn a_function_that_takes_longer_is_named_with_what_it_may_call() {
    let made = slow_send();
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((SuspectKind::SlowFunction, "SendMessage")), "{correlation:#?}");
    let suspect = &correlation.suspects[0];
    assert!(!suspect.or.is_empty() && suspect.explained > 0.95, "{suspect:#?}");
    assert_eq!((suspect.observed, suspect.unit.as_str()), (Some(310.0), "ms"));
    assert!((29.0..=31.0).contains(&suspect.from_s), "{suspect:#?}");
    assert!(suspect.evidence[0].says.contains("the same offered load"), "{suspect:#?}");
}

#[test]
fn a_busy_processor_leaves_no_doubt() {
    let mut made = slow_send();
    for t in 10..SECONDS {
        let ms = if BUSY.contains(&t) { 290.0 } else { 8.0 };
        let name = full("SendMessage");
        let busy = made.series("LambdaInsights", "cpu_total_time", "Average", &[("function_name", &name)]);
        crate::made::set(busy, t as f64, ms);
    }
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((SuspectKind::SlowFunction, "SendMessage")), "{correlation:#?}");
    assert!(correlation.suspects[0].or.is_empty(), "{correlation:#?}");
}

#[test]
fn a_table_that_takes_longer_is_named_and_not_its_caller() {
    let mut made = slow_send();
    table(&mut made, "Messages", "BatchWriteItem", 100.0, 4.0, 295.0);
    table(&mut made, "Connections", "Query", 200.0, 3.0, 3.5);
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((SuspectKind::SlowDependency, "Messages")), "{correlation:#?}");
    assert_eq!(correlation.suspects.len(), 1, "{correlation:#?}");
}

#[test]
fn a_table_that_others_call_often_is_not_accused_of_a_functions_own_work() {
    let mut made = slow_send();
    table(&mut made, "Messages", "BatchWriteItem", 100.0, 4.0, 4.5);
    table(&mut made, "Connections", "Query", 40_000.0, 3.0, 3.1);
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((SuspectKind::SlowFunction, "SendMessage")), "{correlation:#?}");
}

#[test]
fn what_no_hop_explains_is_not_named() {
    let mut made = Made::healthy();
    made.slows("send_message.response", 312_000);
    made.busy("Duration", "Average", "SendMessage", 60.0);
    let correlation = made.attributed();
    assert_eq!(correlation.outcome, Some(Outcome::NotEnoughData), "{correlation:#?}");
    assert!(correlation.suspects.is_empty());
}

#[test]
fn a_function_that_is_slow_from_the_start_is_held_against_the_promise() {
    let mut made = Made::healthy();
    for (_, tag, times) in &mut made.times {
        if tag == "send_message.response" {
            times.iter_mut().for_each(|time| *time = 480_000);
        }
    }
    for t in 10..SECONDS {
        made.point("Duration", "Average", "SendMessage", t as f64, 450.0);
    }
    assert_eq!(
        made.attributed().outcome,
        Some(Outcome::NothingGaveWay),
        "slow, and always so, without a promise"
    );
    broken(&mut made, "send_message.response_time.p90 < 300ms");
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((SuspectKind::SlowFunction, "SendMessage")), "{correlation:#?}");
    assert!((correlation.suspects[0].explained - 450.0 / 480.0).abs() < 0.01, "{correlation:#?}");
}

#[test]
fn a_tail_is_explained_by_invocations_beyond_the_bound() {
    let tail = |ms: f64| {
        let mut made = Made::healthy();
        for (_, tag, times) in &mut made.times {
            if tag == "send_message.response" {
                times.iter_mut().take(2).for_each(|time| *time = 800_000);
            }
        }
        for t in 10..SECONDS {
            made.point("Duration", "Average", "SendMessage", t as f64, 25.0);
            made.point("Duration", "p50", "SendMessage", t as f64, 9.0);
            made.point("Duration", "p90", "SendMessage", t as f64, 12.0);
            made.point("Duration", "p99", "SendMessage", t as f64, ms);
        }
        broken(&mut made, "send_message.response_time.p99 < 250ms");
        made.attributed()
    };
    // At least 1 % of the invocations took longer than the bound, 2 % of the answers did.
    let correlation = tail(790.0);
    assert_eq!(first(&correlation), Some((SuspectKind::SlowFunction, "SendMessage")), "{correlation:#?}");
    assert!((correlation.suspects[0].explained - 0.5).abs() < 0.01, "{correlation:#?}");
    // Below the bound the function explains nothing of it.
    assert_eq!(tail(200.0).outcome, Some(Outcome::NotEnoughData));
}

#[test]
fn an_authorizer_that_waits_is_the_identity_provider() {
    let mut made = Made::healthy();
    for t in 0..10_u64 {
        made.times.push((t, "connect.response".into(), vec![1_100_000; 20]));
        made.point("Duration", "Average", "Authorizer", t as f64, 1_050.0);
    }
    // The phase of connecting has no figures of its own here: it counts as measured.
    made.measure_connects();
    broken(&mut made, "connect.response_time.p90 < 500ms");
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((SuspectKind::IdentityProvider, "Authorizer")), "{correlation:#?}");
    assert!(!correlation.suspects[0].or.is_empty());
}

/// Deliveries that come later and later, from the middle of the run on, as the age of the stream's records grows.
fn behind(slope: f64) -> Made {
    let mut made = Made::healthy();
    for t in 10..SECONDS {
        let waited_s = if BUSY.contains(&t) { slope * (t - BUSY.start + 1) as f64 } else { 0.02 };
        made.point("IteratorAge", "Maximum", "OnMessageInserted", t as f64, waited_s * 1e3);
        let out = if BUSY.contains(&t) { (100.0 * (1.0 - slope)).max(1.0) } else { 100.0 };
        let us = ((waited_s + 0.04) * 1e6) as u64;
        let times =
            made.times.iter_mut().find(|(at, tag, _)| *at == t && tag == "message.each").expect("a second");
        times.2 = vec![us; out as usize];
    }
    made.limit(LimitKind::OpenShards, &full("Messages"), 1.0);
    made.limit(LimitKind::ParallelizationFactor, "uuid-Messages", 2.0);
    made.limit(LimitKind::BatchSize, "uuid-Messages", 10.0);
    made
}

#[test]
fn full_lanes_are_named_with_slope_and_flow() {
    let mut made = behind(0.25);
    made.busy("ConcurrentExecutions", "Maximum", "OnMessageInserted", 2.0);
    events(&mut made, "Messages", "InvokedEventCount", 400.0);
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((SuspectKind::StreamLanes, "Messages")), "{correlation:#?}");
    let suspect = &correlation.suspects[0];
    assert_eq!((suspect.limit, suspect.observed), (Some(2.0), Some(2.0)));
    assert!((28.0..=31.0).contains(&suspect.from_s), "the onset is where the slope begins: {suspect:#?}");
    assert!(suspect.evidence[0].says.contains("0.25"), "{suspect:#?}");
}

#[test]
fn a_push_that_slows_down_fills_the_lanes_and_is_named() {
    let mut made = behind(0.25);
    made.busy("ConcurrentExecutions", "Maximum", "OnMessageInserted", 2.0);
    made.busy("Duration", "Average", "OnMessageInserted", 900.0);
    let correlation = made.attributed();
    assert_eq!(
        first(&correlation),
        Some((SuspectKind::SlowFunction, "OnMessageInserted")),
        "{correlation:#?}"
    );
    let lanes = correlation.suspects[0].evidence.iter().any(|one| one.series.starts_with("IteratorAge"));
    assert!(lanes, "the lane is its limit: {correlation:#?}");
}

#[test]
fn lanes_with_room_are_not_accused() {
    let mut made = behind(0.25);
    made.limit(LimitKind::ParallelizationFactor, "uuid-Messages", 10.0);
    made.busy("ConcurrentExecutions", "Maximum", "OnMessageInserted", 2.0);
    events(&mut made, "Messages", "InvokedEventCount", 40.0);
    let correlation = made.attributed();
    assert_ne!(first(&correlation).map(|(kind, _)| kind), Some(SuspectKind::StreamLanes), "{correlation:#?}");
}

#[test]
fn a_poison_record_blocks_its_lane_without_an_error() {
    let mut made = behind(1.0);
    events(&mut made, "Messages", "InvokedEventCount", 40.0);
    events(&mut made, "Messages", "FailedInvokeEventCount", 3.0);
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((SuspectKind::PoisonRecord, "Messages")), "{correlation:#?}");
    // With errors of the function the records are not what fails.
    made.busy("Errors", "Sum", "OnMessageInserted", 3.0);
    let correlation = made.attributed();
    assert_ne!(
        first(&correlation).map(|(kind, _)| kind),
        Some(SuspectKind::PoisonRecord),
        "{correlation:#?}"
    );
}

#[test]
fn h20_the_saw_tooth_of_batching_windows() {
    let mut made = Made::healthy();
    for t in 10..SECONDS {
        made.point(
            "IteratorAge",
            "Maximum",
            "OnMessageInserted",
            t as f64,
            if t % 2 == 0 { 200.0 } else { 20.0 },
        );
    }
    made.limit(LimitKind::OpenShards, &full("Messages"), 2.0);
    made.busy("ConcurrentExecutions", "Maximum", "OnMessageInserted", 2.0);
    assert_eq!(made.attributed().outcome, Some(Outcome::NothingGaveWay));
    // Nor where deliveries are late for another reason.
    made.slows("message.each", 900_000);
    let correlation = made.attributed();
    assert_eq!(correlation.outcome, Some(Outcome::NotEnoughData), "{correlation:#?}");
}

/// A queue's series in the busy seconds, and before.
fn queue(made: &mut Made, metric: &str, statistic: &str, calm: f64, busy: f64) {
    let name = full("Queue");
    for t in 10..SECONDS {
        let value = if BUSY.contains(&t) { busy } else { calm };
        let series = made.series("AWS/GameLift", metric, statistic, &[("QueueName", &name)]);
        crate::made::set(series, t as f64, value);
    }
}

#[test]
fn placements_that_wait_for_a_game_server() {
    let mut made = Made::healthy();
    made.slows("placement.each", 2_300_000);
    queue(&mut made, "AverageWaitTime", "Average", 0.25, 2.2);
    queue(&mut made, "PlacementsStarted", "Sum", 20.0, 20.0);
    queue(&mut made, "QueueDepth", "Maximum", 6.0, 44.0);
    made.limit(LimitKind::QueueTimeoutS, &full("Queue"), 10.0);
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((SuspectKind::PlacementCapacity, "Queue")), "{correlation:#?}");
    let depth = &correlation.suspects[0].evidence[1];
    assert!(depth.says.contains("44 placements waited at most"), "{depth:#?}");
}

#[test]
fn placements_that_the_queue_gives_up() {
    let mut made = Made::healthy();
    made.fails("placement_request", "placement_timed_out", 12);
    queue(&mut made, "AverageWaitTime", "Average", 0.25, 1.0);
    queue(&mut made, "PlacementsStarted", "Sum", 20.0, 20.0);
    queue(&mut made, "PlacementsTimedOut", "Sum", 0.0, 12.0);
    made.limit(LimitKind::QueueTimeoutS, &full("Queue"), 1.0);
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((SuspectKind::PlacementCapacity, "Queue")), "{correlation:#?}");
    assert_eq!(correlation.suspects[0].limit, Some(1.0));
}

/// Environments that start, of the last hundred milliseconds of which players feel.
fn inits(made: &mut Made, count: f64) {
    let name = full("SendMessage");
    for t in BUSY {
        let starts = made.series("Lambda/Reports", "ColdStarts", "Sum", &[("FunctionName", &name)]);
        crate::made::set(starts, t as f64, count);
        let took = made.series("LambdaInsights", "init_duration", "Average", &[("function_name", &name)]);
        crate::made::set(took, t as f64, 600.0);
    }
}

#[test]
fn cold_starts_lift_quantiles_above_their_share() {
    let tail = |starts: f64| {
        let mut made = Made::healthy();
        for (t, tag, times) in &mut made.times {
            if tag == "send_message.response" && BUSY.contains(t) {
                times.iter_mut().take(4).for_each(|time| *time = 612_000);
            }
        }
        inits(&mut made, starts);
        broken(&mut made, "send_message.response_time.p99 < 250ms");
        made.attributed()
    };
    let correlation = tail(4.0);
    assert_eq!(first(&correlation), Some((SuspectKind::ColdStarts, "SendMessage")), "{correlation:#?}");
    // One in two hundred can lift no p99.
    assert_eq!(tail(0.5).outcome, Some(Outcome::NotEnoughData));
}

#[test]
fn everything_slower_by_the_same_time_is_the_network_or_the_gateways_front() {
    let mut made = Made::healthy();
    made.slows("send_message.response", 112_000);
    made.slows("placement_request.response", 115_000);
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((SuspectKind::Network, "network")), "{correlation:#?}");
    assert!(correlation.suspects[0].or[0].contains("gateway"), "{correlation:#?}");
    // One of them alone tells nothing.
    let mut made = Made::healthy();
    made.slows("send_message.response", 112_000);
    assert_eq!(made.attributed().outcome, Some(Outcome::NotEnoughData));
}

#[test]
fn load_alone_accuses_nobody() {
    // Twice the load, and both player and function take longer with it: no promise says that it is too long.
    let mut made = slow_send();
    for t in BUSY {
        let second = made.lines[t as usize].operations.get_mut("send_message").expect("sends");
        (second.offered, second.sent, second.completed) = (200, 200, 200);
    }
    let correlation = made.attributed();
    assert!(correlation.suspects.is_empty(), "{correlation:#?}");
    // With a promise the rise is what it is, and the loads are said.
    broken(&mut made, "send_message.response_time.p90 < 300ms");
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((SuspectKind::SlowFunction, "SendMessage")), "{correlation:#?}");
    assert!(correlation.suspects[0].evidence[0].says.contains("200.0 now"), "{correlation:#?}");
}

#[test]
fn minutes_prove_no_correlation() {
    let mut made = Made::healthy();
    made.by_minute();
    assert!(made.attributed().correlations.iter().all(|pair| pair.coefficient.is_none()));
}

#[test]
fn more_time_than_concurrency_allows_is_noted() {
    let mut made = Made::healthy();
    assert!(made.attributed().notes.is_empty());
    made.busy("Invocations", "Sum", "SendMessage", 900.0);
    let notes = made.attributed().notes;
    assert!(notes.iter().any(|note| note.starts_with("SendMessage: in 20 of")), "{notes:#?}");
}

#[test]
fn what_nobody_declared_is_found_where_invocations_follow_a_varying_load() {
    let mut made = slow_send();
    made.topology = reports::format::Topology::default();
    made.document().wiring = reports::format::Wiring::default();
    for t in 10..SECONDS {
        let rate = 60 + 2 * (t % 30);
        let second = made.lines[t as usize].operations.get_mut("send_message").expect("sends");
        (second.offered, second.sent, second.completed) = (rate, rate, rate);
        made.point("Invocations", "Sum", "SendMessage", t as f64, rate as f64);
    }
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((SuspectKind::SlowFunction, "SendMessage")), "{correlation:#?}");
    assert!(correlation.notes.iter().any(|note| note.contains("follow the arrivals")), "{correlation:#?}");
    // At a steady load every function of that rate would fit.
    let mut made = slow_send();
    made.topology = reports::format::Topology::default();
    made.document().wiring = reports::format::Wiring::default();
    assert!(made.attributed().suspects.is_empty());
}

#[test]
fn a_concurrency_that_slowness_filled_is_its_consequence() {
    // 100 a second at 10 ms hold one execution; at 300 ms they need 30 and have 10.
    let mut made = slow_send();
    made.fails("send_message", "internal_server_error", 60);
    made.busy("Throttles", "Sum", "SendMessage", 60.0);
    made.busy("Invocations", "Sum", "SendMessage", 40.0);
    made.busy("ConcurrentExecutions", "Maximum", "SendMessage", 10.0);
    made.limit(LimitKind::ReservedConcurrency, &full("SendMessage"), 10.0);
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((SuspectKind::SlowFunction, "SendMessage")), "{correlation:#?}");
    let failures = correlation.symptoms.iter().position(|one| one.unit == "share").expect("failures");
    assert!(correlation.suspects[0].symptoms.contains(&failures), "{correlation:#?}");
    // At the same duration as before the concurrency is what gave way.
    for statistic in ["Average", "Maximum"] {
        made.busy("Duration", statistic, "SendMessage", 10.0);
    }
    for (_, tag, times) in &mut made.times {
        if tag == "send_message.response" {
            times.iter_mut().for_each(|time| *time = 12_000);
        }
    }
    let correlation = made.attributed();
    assert_eq!(
        first(&correlation),
        Some((SuspectKind::ReservedConcurrency, "SendMessage")),
        "{correlation:#?}"
    );
}

#[test]
fn those_who_are_served_need_not_be_slower_where_a_slow_part_fills_the_rest() {
    // One function does everything: 60 of 100 requests a second find its executions taken by handshakes that wait for the provider.
    let mut made = Made::healthy();
    for route in &mut made.document().wiring.routes {
        if !route.authorizer.is_empty() {
            route.authorizer = full("SendMessage");
        }
    }
    made.fails("send_message", "internal_server_error", 60);
    broken(&mut made, "send_message.error_rate < 1%");
    made.busy("Throttles", "Sum", "SendMessage", 60.0);
    made.busy("Invocations", "Sum", "SendMessage", 40.0);
    made.busy("Duration", "Average", "SendMessage", 300.0);
    made.busy("ConcurrentExecutions", "Maximum", "SendMessage", 10.0);
    made.limit(LimitKind::ReservedConcurrency, &full("SendMessage"), 10.0);
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((SuspectKind::SlowFunction, "SendMessage")), "{correlation:#?}");
    let or = &correlation.suspects[0].or;
    assert!(or.iter().any(|or| or.contains("identity provider")), "{or:?}");
    assert_eq!(correlation.suspects.len(), 1, "the concurrency is its consequence: {correlation:#?}");
}

#[test]
fn outcomes_that_wait_before_their_function() {
    let mut made = Made::healthy();
    made.slows("placement.each", 2_300_000);
    for t in 10..SECONDS {
        let age = if BUSY.contains(&t) { 2_000.0 } else { 20.0 };
        made.point("AsyncEventAge", "Maximum", "OnPlacementEvent", t as f64, age);
    }
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((SuspectKind::SnsDelivery, "OnPlacementEvent")), "{correlation:#?}");
    assert!(
        correlation.suspects[0].evidence[0].says.contains("0 errors and 0 throttles"),
        "{correlation:#?}"
    );
}
