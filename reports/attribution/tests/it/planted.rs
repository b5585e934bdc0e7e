//! One planted signature for each kind of refusal, beside what looks like it.

use reports::format::{LimitKind, Outcome, SuspectKind as K, Threshold};

use crate::made::{BUSY, Made, SECONDS, first, full, set};

const REFUSED: &str = "internal_server_error";

/// A function that is throttled 30 times a second while it is busy, and as many requests that fail.
fn throttled(function: &str, operation: &str, highest: f64) -> Made {
    let mut made = Made::healthy();
    made.fails(operation, REFUSED, 30);
    made.busy("Throttles", "Sum", function, 30.0);
    made.busy("Invocations", "Sum", function, 70.0);
    made.busy("ConcurrentExecutions", "Maximum", function, highest);
    made
}

/// SendMessage with three reserved executions, of which 100 requests a second that take 25 ms each would fill two and a half: by
/// Erlang's loss formula 28 % find all of them busy.
fn three_are_too_few() -> Made {
    let mut made = throttled("SendMessage", "send_message", 3.0);
    for t in 10..SECONDS {
        made.point("Duration", "Average", "SendMessage", t as f64, 25.0);
    }
    made.limit(LimitKind::ReservedConcurrency, &full("SendMessage"), 3.0);
    made
}

#[test]
fn reserved_concurrency() {
    let correlation = three_are_too_few().attributed();
    assert_eq!(correlation.outcome, Some(Outcome::Suspects), "{correlation:#?}");
    assert_eq!(first(&correlation), Some((K::ReservedConcurrency, "SendMessage")));
    let suspect = &correlation.suspects[0];
    assert_eq!(
        (suspect.limit, suspect.observed, suspect.unit.as_str()),
        (Some(3.0), Some(3.0), "executions")
    );
    assert_eq!((suspect.from_s, suspect.to_s, suspect.explained), (30.0, 50.0, 1.0));
    assert_eq!(correlation.symptoms.len(), 1);
    assert_eq!((correlation.symptoms[0].from_s, correlation.symptoms[0].to_s), (30.0, 50.0));
    assert!(suspect.evidence[0].says.contains("600 invocations"), "{suspect:#?}");
    assert_eq!(correlation.headroom[0].share, 1.0, "{:#?}", correlation.headroom);
}

#[test]
fn reserved_concurrency_by_minutes() {
    let mut made = three_are_too_few();
    made.by_minute();
    assert_eq!(first(&made.attributed()), Some((K::ReservedConcurrency, "SendMessage")));
}

#[test]
fn nothing_reserved_and_nothing_left_is_the_account() {
    let mut made = throttled("SendMessage", "send_message", 100.0);
    made.limit(LimitKind::UnreservedConcurrency, "", 1_000.0);
    for t in BUSY {
        set(made.series("AWS/Lambda", "UnreservedConcurrentExecutions", "Maximum", &[]), t as f64, 1_000.0);
    }
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((K::AccountConcurrency, "account")), "{correlation:#?}");
    let told = correlation.suspects[0]
        .evidence
        .iter()
        .any(|evidence| evidence.says.contains("other load in the account"));
    assert!(told, "{correlation:#?}");
}

#[test]
fn ten_a_second_for_each_execution() {
    let mut made = throttled("SendMessage", "send_message", 2.0);
    // 70 accepted a second: a reservation of seven, of which two are used at once.
    made.limit(LimitKind::ReservedConcurrency, &full("SendMessage"), 7.0);
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((K::RequestRateCap, "SendMessage")), "{correlation:#?}");
    assert_eq!(correlation.suspects[0].limit, Some(70.0));
}

#[test]
fn environments_that_may_not_start_yet() {
    let mut made = throttled("SendMessage", "send_message", 52.0);
    made.limit(LimitKind::ScalingEnvironments, "", 50.0);
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((K::ScalingRate, "SendMessage")), "{correlation:#?}");
}

#[test]
fn environments_that_start_slowly_let_an_ever_greater_share_through() {
    let mut made = throttled("SendMessage", "send_message", 5.0);
    for t in BUSY {
        let more = (t - BUSY.start) as f64;
        made.point("ConcurrentExecutions", "Maximum", "SendMessage", t as f64, 5.0 + (more / 2.0).floor());
        made.point("Throttles", "Sum", "SendMessage", t as f64, 40.0 - more);
        made.point("Invocations", "Sum", "SendMessage", t as f64, 60.0 + more);
    }
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((K::ScalingRate, "SendMessage")), "{correlation:#?}");
    assert!(
        correlation.suspects[0].observed.is_some_and(|rate| (rate - 5.0).abs() < 0.5),
        "{correlation:#?}"
    );
}

#[test]
fn throttled_without_a_limit_names_nobody() {
    let made = throttled("SendMessage", "send_message", 20.0);
    let correlation = made.attributed();
    assert_eq!(correlation.outcome, Some(Outcome::NotEnoughData), "{correlation:#?}");
    assert!(correlation.lacking.iter().any(|lack| lack.contains("SendMessage")), "{correlation:#?}");
}

#[test]
fn a_reservation_of_nothing_is_silence() {
    let mut made = Made::healthy();
    for t in 10..60 {
        made.fails_at(t, "send_message", REFUSED, 100);
        made.point("Throttles", "Sum", "SendMessage", t as f64, 100.0);
    }
    for metric in ["Invocations", "Errors", "Duration", "ConcurrentExecutions"] {
        made.document().series.retain(|series| {
            series.metric != metric
                || series.dimensions.get("FunctionName").is_none_or(|name| !name.ends_with("SendMessage"))
        });
    }
    made.limit(LimitKind::ReservedConcurrency, &full("SendMessage"), 0.0);
    // Without Invocations no gap of Throttles is a zero, but its points are what they are.
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((K::ReservedConcurrency, "SendMessage")), "{correlation:#?}");
}

#[test]
fn errors_are_the_functions_and_at_its_timeout_the_timeouts() {
    let mut made = Made::healthy();
    made.fails("send_message", REFUSED, 30);
    made.busy("Errors", "Sum", "SendMessage", 30.0);
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((K::FunctionErrors, "SendMessage")), "{correlation:#?}");
    made.busy("Duration", "Maximum", "SendMessage", 10_000.0);
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((K::FunctionTimeout, "SendMessage")), "{correlation:#?}");
    assert_eq!(correlation.suspects[0].limit, Some(10_000.0));
}

#[test]
fn memory_that_is_used_up() {
    let mut made = Made::healthy();
    made.fails("send_message", REFUSED, 30);
    made.busy("Errors", "Sum", "SendMessage", 30.0);
    made.limit(LimitKind::MemoryMb, &full("SendMessage"), 256.0);
    let name = full("SendMessage");
    for t in BUSY {
        set(
            made.series("LambdaInsights", "used_memory_max", "Maximum", &[("function_name", &name)]),
            t as f64,
            256.0,
        );
    }
    assert_eq!(first(&made.attributed()), Some((K::Memory, "SendMessage")));
}

#[test]
fn an_authorizer_that_fails() {
    let mut made = Made::healthy();
    for t in 2..9 {
        made.fails_at(t, "connect", "http_500", 10);
        made.point("Errors", "Sum", "Authorizer", t as f64, 10.0);
    }
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((K::IdentityProvider, "Authorizer")), "{correlation:#?}");
    assert!(correlation.suspects[0].or[0].contains("Authorizer"));
}

/// Handshakes at a ramp from 20 to 290 a second, of which 60 are let through.
fn refused_at_the_door(cloudwatch: bool) -> Made {
    let mut made = Made::healthy();
    for t in 0..10 {
        let offered: u64 = 20 + 30 * t;
        let refused = offered.saturating_sub(60);
        let line = &mut made.lines[t as usize];
        let second = line.operations.get_mut("connect").expect("connect");
        (second.offered, second.sent, second.completed, second.failed) =
            (offered, offered, offered - refused, refused);
        if refused > 0 {
            second.errors.insert("http_429".into(), refused);
        }
        let sockets = line.sockets.as_mut().expect("sockets");
        (sockets.attempted, sockets.opened, sockets.rejected) = (offered, offered - refused, refused);
    }
    if !cloudwatch {
        made.cloudwatch = None;
    }
    made
}

#[test]
fn connections_per_second() {
    let mut made = refused_at_the_door(true);
    made.limit(LimitKind::ConnectionsPerSecond, "", 60.0);
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((K::ConnectRate, "api")), "{correlation:#?}");
    assert_eq!((correlation.suspects[0].limit, correlation.suspects[0].observed), (Some(60.0), Some(60.0)));
    // The players' own seconds show the plateau.
    assert_eq!(first(&refused_at_the_door(false).attributed()), Some((K::ConnectRate, "api")));
    // Far below the limit it is something else.
    made.limit(LimitKind::ConnectionsPerSecond, "", 500.0);
    assert_eq!(made.attributed().outcome, Some(Outcome::NotEnoughData));
}

#[test]
fn requests_per_second_are_refused_of_every_kind() {
    let mut made = Made::healthy();
    made.fails("send_message", "too_many_requests", 50);
    made.fails("placement_request", "too_many_requests", 10);
    // 120 sent, 120 pushed, 60 refused.
    made.limit(LimitKind::RequestsPerSecond, "", 180.0);
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((K::MessageRate, "api")), "{correlation:#?}");
    assert_eq!(correlation.suspects[0].symptoms.len(), 2);
    let mut one = Made::healthy();
    one.fails("send_message", "too_many_requests", 50);
    one.limit(LimitKind::RequestsPerSecond, "", 190.0);
    for t in BUSY {
        one.lines[t as usize].operations.get_mut("placement_request").expect("placements").sent = 50;
    }
    assert_eq!(
        one.attributed().outcome,
        Some(Outcome::NotEnoughData),
        "a rate of the account spares no kind"
    );
}

#[test]
fn a_table_as_a_whole_and_one_partition() {
    let write = |consumed: f64| {
        let mut made = Made::healthy();
        made.fails("send_message", "status_500", 30);
        let table = full("Messages");
        for t in BUSY {
            let at = t as f64;
            set(
                made.series("AWS/DynamoDB", "WriteThrottleEvents", "Sum", &[("TableName", &table)]),
                at,
                45.0,
            );
            let cause = "WriteKeyRangeThroughputThrottleEvents";
            set(made.series("AWS/DynamoDB", cause, "Sum", &[("TableName", &table)]), at, 45.0);
            let used = "ConsumedWriteCapacityUnits";
            set(made.series("AWS/DynamoDB", used, "Sum", &[("TableName", &table)]), at, consumed);
        }
        made.limit(LimitKind::WriteUnits, &table, 400.0);
        made.limit(LimitKind::PartitionWriteUnits, &table, 100.0);
        made.attributed()
    };
    let whole = write(395.0);
    assert_eq!(first(&whole), Some((K::TableThroughput, "Messages")), "{whole:#?}");
    let one = write(170.0);
    assert_eq!(first(&one), Some((K::HotPartition, "Messages")), "{one:#?}");
    assert_eq!(one.suspects[0].limit, Some(100.0));
}

#[test]
fn an_index_refuses_the_write_of_its_table() {
    let mut made = Made::healthy();
    made.fails("send_message", "status_500", 30);
    let (table, index) = (full("Messages"), "RecipientIdIndex");
    let dimensions = [("TableName", table.as_str()), ("GlobalSecondaryIndexName", index)];
    for t in BUSY {
        set(
            made.series("AWS/DynamoDB", "WriteKeyRangeThroughputThrottleEvents", "Sum", &dimensions),
            t as f64,
            40.0,
        );
    }
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((K::HotPartition, "Messages/RecipientIdIndex")), "{correlation:#?}");
}

#[test]
fn gamelift_lets_75_a_second_start() {
    let mut made = Made::healthy();
    let queue = full("Queue");
    for t in 10..60 {
        let started = if BUSY.contains(&t) { 75.0 } else { 20.0 };
        set(
            made.series("AWS/GameLift", "PlacementsStarted", "Sum", &[("QueueName", &queue)]),
            t as f64,
            started,
        );
    }
    for t in BUSY {
        let second = made.lines[t as usize].operations.get_mut("placement_request").expect("placements");
        (second.offered, second.sent, second.completed) = (100, 100, 100);
        made.fails_at(t, "placement_request", "status_429", 25);
    }
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((K::GameliftRate, "Queue")), "{correlation:#?}");
}

#[test]
fn a_stream_function_at_its_limit_makes_deliveries_late() {
    let mut made = Made::healthy();
    made.slows("message.each", 3_000_000);
    made.busy("Throttles", "Sum", "OnMessageInserted", 8.0);
    made.busy("ConcurrentExecutions", "Maximum", "OnMessageInserted", 1.0);
    made.limit(LimitKind::ReservedConcurrency, &full("OnMessageInserted"), 1.0);
    made.thresholds.push(Threshold {
        expression: "message.each.p99 < 2s".into(),
        observed: Some(3.0),
        passed: false,
        ..Threshold::default()
    });
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((K::ReservedConcurrency, "OnMessageInserted")), "{correlation:#?}");
    assert_eq!(correlation.symptoms[0].threshold, "message.each.p99 < 2s");
    assert_eq!((correlation.symptoms[0].from_s, correlation.symptoms[0].to_s), (30.0, 50.0));
    // The same without a threshold: the p50 left twice that of the quietest phase.
    made.thresholds.clear();
    assert_eq!(first(&made.attributed()), Some((K::ReservedConcurrency, "OnMessageInserted")));
}

#[test]
fn events_of_a_topic_that_fail_come_late() {
    let mut made = Made::healthy();
    made.loses("placement", 6);
    made.busy("Errors", "Sum", "OnPlacementEvent", 6.0);
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((K::SnsDelivery, "OnPlacementEvent")), "{correlation:#?}");
}

#[test]
fn a_table_that_throttles_is_before_the_function_that_fails_of_it() {
    let mut made = Made::healthy();
    made.fails("send_message", REFUSED, 30);
    made.busy("Errors", "Sum", "SendMessage", 30.0);
    let table = full("Messages");
    for t in BUSY {
        set(
            made.series("AWS/DynamoDB", "WriteThrottleEvents", "Sum", &[("TableName", &table)]),
            t as f64,
            45.0,
        );
    }
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((K::HotPartition, "Messages")), "{correlation:#?}");
    assert_eq!(correlation.suspects.len(), 1);
    assert!(correlation.suspects[0].evidence.iter().any(|evidence| evidence.series.starts_with("Errors")));
}

#[test]
fn two_faults_on_disjoint_paths_are_two_suspects() {
    let mut made = three_are_too_few();
    made.fails("placement_request", REFUSED, 8);
    made.busy("Errors", "Sum", "SessionPlacementRequest", 8.0);
    let correlation = made.attributed();
    let mut kinds: Vec<(K, &str)> =
        correlation.suspects.iter().map(|suspect| (suspect.kind, suspect.resource.as_str())).collect();
    kinds.sort_unstable();
    assert_eq!(
        kinds,
        [(K::ReservedConcurrency, "SendMessage"), (K::FunctionErrors, "SessionPlacementRequest")],
        "{correlation:#?}"
    );
}

#[test]
fn an_invalid_run_ends_everything() {
    let mut made = throttled("SendMessage", "send_message", 3.0);
    made.limit(LimitKind::ReservedConcurrency, &full("SendMessage"), 3.0);
    made.valid = false;
    made.invalid_reasons = vec!["p99 send delay was 81 ms; the limit is 50 ms".into()];
    let correlation = made.attributed();
    assert_eq!(correlation.outcome, Some(Outcome::InvalidRun));
    assert_eq!(first(&correlation), Some((K::Generator, "generator")));
    assert!(correlation.suspects[0].evidence[0].says.contains("81 ms"));
    assert!(correlation.symptoms.is_empty());
}
