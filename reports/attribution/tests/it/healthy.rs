//! Healthy runs and hard negatives: nothing may be named.

use reports::format::{Disruption, LimitKind, Outcome, Reconnects, Threshold, Topology};

use crate::made::{BUSY, Made, full};

fn not_named(made: &Made, outcome: Outcome) {
    let correlation = made.attributed();
    assert_eq!(correlation.outcome, Some(outcome), "{correlation:#?}");
    assert!(correlation.suspects.is_empty());
    assert_eq!(correlation.lacking.is_empty(), outcome == Outcome::NothingGaveWay, "{correlation:#?}");
}

#[test]
fn h1_steady() {
    let made = Made::healthy();
    not_named(&made, Outcome::NothingGaveWay);
    let headroom = made.attributed().headroom;
    assert!(
        headroom.iter().any(|limit| limit.resource == "SendMessage" && limit.what == "time-out"),
        "{headroom:#?}"
    );
    assert!(headroom.windows(2).all(|pair| pair[0].share >= pair[1].share));
}

#[test]
fn h8_an_unrelated_function_fails_in_the_minute_a_phase_begins() {
    let mut made = Made::healthy();
    made.fails("send_message", "internal_server_error", 30);
    made.busy("Errors", "Sum", "OnPlacementUpdated", 30.0);
    made.busy("Throttles", "Sum", "SessionPlacementRequest", 30.0);
    made.limit(LimitKind::ReservedConcurrency, &full("SessionPlacementRequest"), 1.0);
    not_named(&made, Outcome::NotEnoughData);
}

#[test]
fn h10_stream_throttles_that_are_retried_in_time() {
    let mut made = Made::healthy();
    made.busy("Throttles", "Sum", "OnMessageInserted", 5.0);
    made.limit(LimitKind::ReservedConcurrency, &full("OnMessageInserted"), 3.0);
    not_named(&made, Outcome::NothingGaveWay);
}

#[test]
fn h11_at_the_limit_and_nothing_refused() {
    let mut made = Made::healthy();
    made.busy("ConcurrentExecutions", "Maximum", "SendMessage", 3.0);
    made.limit(LimitKind::ReservedConcurrency, &full("SendMessage"), 3.0);
    not_named(&made, Outcome::NothingGaveWay);
    made.fails("send_message", "closed_1006", 30);
    not_named(&made, Outcome::NotEnoughData);
}

#[test]
fn h13_a_few_failures_are_chance() {
    let mut made = Made::healthy();
    made.fails_at(35, "send_message", "internal_server_error", 2);
    made.point("Errors", "Sum", "SendMessage", 35.0, 2.0);
    not_named(&made, Outcome::NothingGaveWay);
}

#[test]
fn h14_what_the_scenario_does_is_nobodys_fault() {
    let mut made = Made::healthy();
    made.fails("send_message", "cut", 10);
    for t in BUSY {
        let line = &mut made.lines[t as usize];
        let outcomes = [("back".to_owned(), 10)].into();
        line.disruptions.insert("cut".into(), Disruption { made: 10, outcomes, messages_read: 0 });
        line.reconnects =
            Some(Reconnects { wanted: 10, attempts: 10, succeeded: 10, ..Reconnects::default() });
        line.deliveries.get_mut("message").expect("messages").away = 20;
    }
    not_named(&made, Outcome::NothingGaveWay);
}

#[test]
fn h16_partial_and_missing_data() {
    let mut made = Made::healthy();
    made.fails("send_message", "internal_server_error", 30);
    made.busy("Throttles", "Sum", "SendMessage", 30.0);
    made.busy("ConcurrentExecutions", "Maximum", "SendMessage", 3.0);
    made.limit(LimitKind::ReservedConcurrency, &full("SendMessage"), 3.0);
    made.partial("Throttles");
    not_named(&made, Outcome::NotEnoughData);
    let lacking = made.attributed().lacking;
    assert!(lacking.iter().any(|lack| lack == "Throttles of SendMessage: PartialData"), "{lacking:#?}");
    made.cloudwatch = None;
    not_named(&made, Outcome::NotEnoughData);
    assert!(made.attributed().lacking[0].contains("was not fetched"));
}

#[test]
fn credentials_are_not_the_backends_fault() {
    let mut made = Made::healthy();
    for t in 0..10 {
        made.fails_at(t, "connect", "http_401", 20);
        made.point("Errors", "Sum", "Authorizer", t as f64, 20.0);
    }
    not_named(&made, Outcome::NotEnoughData);
    assert!(made.attributed().lacking.iter().any(|lack| lack.contains("tokens")));
}

#[test]
fn a_threshold_that_nothing_stands_for_is_said() {
    let mut made = Made::healthy();
    made.thresholds.push(Threshold {
        expression: "sockets.dropped <= 3".into(),
        observed: Some(5.0),
        ..Threshold::default()
    });
    not_named(&made, Outcome::NotEnoughData);
    assert!(made.attributed().lacking[0].contains("sockets.dropped"));
}

#[test]
fn a_passed_latency_threshold_is_a_promise_that_held() {
    let mut made = Made::healthy();
    made.slows("message.each", 400_000);
    made.thresholds.push(Threshold {
        expression: "message.each.p99 < 2s".into(),
        observed: Some(0.4),
        passed: true,
        ..Threshold::default()
    });
    not_named(&made, Outcome::NothingGaveWay);
    made.thresholds.clear();
    not_named(&made, Outcome::NotEnoughData);
}

#[test]
fn without_a_topology_a_route_stands_for_the_operation_that_is_called_like_it() {
    let mut made = Made::healthy();
    made.topology = Topology::default();
    made.fails("placement_request", "internal_server_error", 8);
    made.busy("Errors", "Sum", "SessionPlacementRequest", 8.0);
    not_named(&made, Outcome::NotEnoughData);
    made.fails("send_message", "internal_server_error", 30);
    made.busy("Errors", "Sum", "SendMessage", 30.0);
    let correlation = made.attributed();
    assert_eq!(correlation.suspects[0].resource, "SendMessage");
    assert_eq!(correlation.suspects.len(), 1);
    assert!(correlation.notes.iter().any(|note| note.contains("not declared")), "{correlation:#?}");
}
