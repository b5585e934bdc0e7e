//! A traced run: what players saw of the hops goes before what metrics say.

use reports::format::{DeliveryHops, Hop, HopClock, HopSecond, Hops, Outcome, SuspectKind as K};

use crate::made::{BUSY, Made, SECONDS, first};

/// The backend's clock is ahead by so much, in microseconds.
const AHEAD_US: f64 = 40_000.0;

/// Name, function, mean in microseconds without a fault.
const WAY: [(&str, &str, f64); 6] = [
    ("to_gateway", "", 4_000.0),
    ("route_start", "", 1_000.0),
    ("route_function", "SendMessage", 8_000.0),
    ("stream_wait", "", 6_000.0),
    ("push_function", "OnMessageInserted", 15_000.0),
    ("to_player", "", 6_000.0),
];

/// Messages that take 40 ms, and longer by so much in some hops while busy, in microseconds.
fn traced(slower: &[(&str, f64)]) -> Made {
    let mut made = Made::healthy();
    let more = |name: &str| slower.iter().filter(|(hop, _)| *hop == name).map(|(_, us)| us).sum::<f64>();
    let total: f64 = slower.iter().map(|(_, us)| us).sum();
    made.slows("message.each", 40_000 + total as u64);
    let stamps = ["send", "gateway", "route", "table", "stream", "posted", "receipt"];
    let hops = WAY.iter().zip(stamps.windows(2)).map(|((name, function, _), ends)| Hop {
        name: (*name).into(),
        from: ends[0].into(),
        to: ends[1].into(),
        function: (*function).into(),
        ..Hop::default()
    });
    let delivery = DeliveryHops { hops: hops.collect(), ..DeliveryHops::default() };
    let clock = HopClock::between(AHEAD_US - 2_000.0, AHEAD_US + 2_000.0);
    made.hops = Some(Hops { clock: Some(clock), deliveries: [("message".to_owned(), delivery)].into() });
    for t in 10..SECONDS {
        let second = made.lines[t as usize].deliveries.get_mut("message").expect("messages");
        for (name, _, us) in WAY {
            let mean_us = us
                + if BUSY.contains(&t) { more(name) } else { 0.0 }
                + match name {
                    "to_gateway" => AHEAD_US,
                    "to_player" => -AHEAD_US,
                    _ => 0.0,
                };
            second.hops.insert(name.into(), HopSecond { count: 100, mean_us });
        }
    }
    made
}

#[test]
fn a_hop_that_takes_longer_is_its_functions() {
    let correlation = traced(&[("push_function", 400_000.0)]).attributed();
    assert_eq!(first(&correlation), Some((K::SlowFunction, "OnMessageInserted")), "{correlation:#?}");
    let suspect = &correlation.suspects[0];
    assert!((suspect.explained - 1.0).abs() < 0.01, "{suspect:#?}");
    assert_eq!(suspect.observed, Some(415.0));
    assert_eq!(suspect.evidence[0].series, "hop push_function of message");
    assert!(suspect.evidence[0].says.contains("415.0 ms on average, 15.0 ms before"), "{suspect:#?}");
}

#[test]
fn the_players_hops_go_before_the_metrics() {
    // By its Duration it would be OnMessageInserted: of a few long invocations, none of which these deliveries waited for.
    let mut made = traced(&[("route_function", 400_000.0)]);
    made.busy("Duration", "Average", "OnMessageInserted", 420.0);
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((K::SlowFunction, "SendMessage")), "{correlation:#?}");
    assert_eq!(correlation.suspects.len(), 1, "{correlation:#?}");
    // The same without a trace.
    made.hops = None;
    assert_eq!(first(&made.attributed()), Some((K::SlowFunction, "OnMessageInserted")));
}

#[test]
fn two_hops_of_which_neither_is_half_name_nobody() {
    let correlation =
        traced(&[("to_gateway", 150_000.0), ("route_function", 140_000.0), ("to_player", 160_000.0)])
            .attributed();
    assert_eq!(correlation.outcome, Some(Outcome::NotEnoughData), "{correlation:#?}");
}

#[test]
fn a_wait_before_a_function_that_takes_longer_is_its_own() {
    let slower = [("stream_wait", 180_000.0), ("push_function", 190_000.0), ("to_player", 30_000.0)];
    let correlation = traced(&slower).attributed();
    assert_eq!(first(&correlation), Some((K::SlowFunction, "OnMessageInserted")), "{correlation:#?}");
    assert!((correlation.suspects[0].explained - 0.925).abs() < 0.01, "{correlation:#?}");
    // A wait alone is a backlog, and no function's time.
    let correlation = traced(&[("stream_wait", 400_000.0)]).attributed();
    assert!(correlation.suspects.iter().all(|one| one.kind != K::SlowFunction), "{correlation:#?}");
}

#[test]
fn without_cloudwatch_the_trace_still_tells() {
    let mut made = traced(&[("push_function", 400_000.0)]);
    made.cloudwatch = None;
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((K::SlowFunction, "OnMessageInserted")), "{correlation:#?}");
}
