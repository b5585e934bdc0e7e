//! The made-up run second by second: load, latencies, a storm.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use jiff::SignedDuration;
use reports::folder::Tag;
use reports::format::{
    DeliverySecond, Disruption, ErrorSample, GeneratorSecond, Latency, OperationSecond, Reconnects,
    SeriesLine, SocketsSecond,
};

use super::dice::Dice;
use super::hops::hops_of_second;
use super::{Shape, histogram, started_at};

/// One second's recordings under each tag.
pub(super) type Second = BTreeMap<String, Histogram<u64>>;

fn record(second: &mut Second, tag: Tag<'_>, value: u64) {
    let histogram = second.entry(tag.to_string()).or_insert_with(histogram);
    histogram.record(value).expect("an auto-resizing histogram takes any value");
}

fn latency(second: &Second, tag: Tag<'_>) -> Latency {
    second.get(&tag.to_string()).map(Latency::of).unwrap_or_default()
}

/// Share of the full rate, and how far the backend is beyond its knee, at a part of the run.
pub(super) fn load(part: f64) -> (f64, f64) {
    let rate = match part {
        p if p < 0.2 => p / 0.2,
        p if p < 0.7 => 1.0,
        p if p < 0.85 => 2.0,
        _ => 1.0,
    };
    let strain = match part {
        p if (0.7..0.85).contains(&p) => (p - 0.7) / 0.15,
        p if (0.85..0.92).contains(&p) => 1.0 - (p - 0.85) / 0.07,
        _ => 0.0,
    };
    (rate, strain)
}

pub(super) fn second(dice: &mut Dice, shape: &Shape, t: u64) -> (SeriesLine, Second) {
    let part = t as f64 / shape.seconds as f64;
    let (rate, strain) = load(part);
    let mut second = Second::new();
    let mut operations = BTreeMap::new();
    let slow = 1.0 + 24.0 * strain * strain;

    let connects = if part < 0.2 { (2000.0 / (0.2 * shape.seconds as f64)).round() as u64 } else { 0 };
    let plan = [
        ("connect", connects, 34.0),
        ("send_message", dice.about(shape.rate * rate), 11.0),
        ("placement_request", dice.about(shape.rate * rate / 24.0), 28.0),
        ("placement_poll", dice.about(shape.rate * rate / 12.0), 17.0),
        ("unknown_route", u64::from(t % 6 == 3), 9.0),
    ];
    for (name, offered, median) in plan {
        if offered == 0 {
            continue;
        }
        let unsent = if strain > 0.9 { offered / 40 } else { 0 };
        let sent = offered - unsent;
        let timed_out = if strain > 0.5 { sent / 60 } else { 0 };
        let failed = if name == "connect" { u64::from(t % 20 == 7) } else { 0 };
        let errors = [("timeout", timed_out), ("unsent", unsent), ("closed", failed)];
        for _ in 0..sent - timed_out - failed {
            let service = dice.latency(median * slow, 0.35 + 0.3 * strain);
            let delay = dice.latency(0.08 + 0.6 * strain, 0.9);
            let queued = if strain > 0.0 { dice.latency(30.0 * strain * strain, 0.8) } else { 0 };
            record(&mut second, Tag::Service(name), service);
            record(&mut second, Tag::Response(name), service + delay + queued);
            record(&mut second, Tag::Dispatch, delay);
            record(&mut second, Tag::EventLoopLag, delay / 3);
        }
        let counts = OperationSecond {
            offered,
            sent,
            unsent,
            completed: sent - timed_out - failed,
            failed,
            timed_out,
            errors: classes(&errors),
            response_time_us: latency(&second, Tag::Response(name)),
            service_time_us: latency(&second, Tag::Service(name)),
        };
        operations.insert(name.to_owned(), counts);
    }
    let mut deliveries = BTreeMap::new();
    for (kind, operation, fan_out, median) in
        [("message", "send_message", 8, 26.0), ("placement", "placement_request", 1, 410.0)]
    {
        let sends = operations.get(operation).map_or(0, |second| second.completed);
        let expected = sends * fan_out;
        let lost = if strain > 0.4 { expected / 300 } else { 0 };
        for _ in 0..sends {
            let mut each: Vec<u64> = (0..fan_out).map(|_| dice.latency(median * slow, 0.45)).collect();
            each.sort_unstable();
            for value in &each {
                record(&mut second, Tag::Each(kind), *value);
            }
            record(&mut second, Tag::First(kind), each[0]);
            record(&mut second, Tag::Last(kind), each[each.len() - 1]);
        }
        if expected > 0 {
            let counts = DeliverySecond {
                expected,
                received: expected - lost,
                late: 0,
                lost,
                too_late: lost / 20,
                away: 0,
                withdrawn: 0,
                duplicated: u64::from(strain > 0.6) * (expected / 900),
                out_of_order: u64::from(strain > 0.3) * (expected / 500),
                unexpected: 0,
                each_us: latency(&second, Tag::Each(kind)),
                hops: hops_of_second(kind, strain, &latency(&second, Tag::Each(kind))),
            };
            deliveries.insert(kind.to_owned(), counts);
        }
    }
    let storm = if shape.stormy { storm(shape, t, &mut second) } else { Storm::default() };
    let connect = operations.get("connect").cloned().unwrap_or_default();
    let sockets = SocketsSecond {
        attempted: connect.sent + storm.reconnects.attempts,
        opened: connect.completed + storm.reconnects.succeeded,
        rejected: connect.failed + storm.reconnects.attempts - storm.reconnects.succeeded,
        dropped: storm.dropped,
        ends: classes(&[("closed_1001", storm.dropped)]),
    };
    let open = (2000.0 * (part / 0.2).min(1.0)) as u64 - storm.away;
    let line = SeriesLine {
        t,
        at: started_at() + SignedDuration::from_secs(t as i64),
        phase: match part {
            p if p < 0.2 => "ramp",
            p if p < 0.7 => "hold",
            p if p < 0.85 => "burst",
            _ => "recover",
        }
        .into(),
        open,
        operations,
        deliveries,
        sockets: Some(sockets),
        reconnects: shape.stormy.then_some(storm.reconnects),
        churn: None,
        disruptions: storm.disruptions,
        generator: GeneratorSecond {
            dispatch_delay_us: latency(&second, Tag::Dispatch),
            cpu_percent: (18.0 + 55.0 * rate + 6.0 * dice.normal()).max(1.0),
            rss_bytes: (60 << 20) + open * 21_000 + t * 30_000,
            event_loop_lag_us: latency(&second, Tag::EventLoopLag),
            busiest_thread_percent: 24.0 + 30.0 * rate,
            run_delay_percent: 2.0 + 5.0 * rate,
            descriptors: open + 40,
            ..GeneratorSecond::default()
        },
    };
    (line, second)
}

/// What a second of the storm is like.
#[derive(Default)]
struct Storm {
    away: u64,
    dropped: u64,
    reconnects: Reconnects,
    disruptions: BTreeMap<String, Disruption>,
}

/// Sockets that the storm cuts, and how many come back in each second after it; some are refused in the first.
const CUT: u64 = 300;
const BACK: [u64; 5] = [140, 70, 50, 30, 10];
const REFUSED: u64 = 25;
/// Sockets that the backend drops at the same time, for good.
const DROPPED: u64 = 6;

fn storm(shape: &Shape, t: u64, second: &mut Second) -> Storm {
    let Some(after) = t.checked_sub(shape.seconds * 3 / 4) else { return Storm::default() };
    let back = |after: u64| BACK.get(after as usize).copied().unwrap_or(0);
    let (first, back_before) = (u64::from(after == 0), (0..after).map(back).sum::<u64>());
    let back = back(after);
    let mut dice = Dice::new(t);
    for _ in 0..back {
        record(second, Tag::Recovery, dice.latency(300.0 + 1000.0 * after as f64, 0.3));
    }
    let made = CUT * first;
    let cut = Disruption { made, outcomes: classes(&[("back", back)]), messages_read: 0 };
    Storm {
        away: CUT - back_before - back + DROPPED,
        dropped: DROPPED * first,
        reconnects: Reconnects {
            wanted: made,
            attempts: back + REFUSED * first,
            succeeded: back,
            errors: classes(&[("http_429", REFUSED * first)]),
            recovery_us: latency(second, Tag::Recovery),
            ..Reconnects::default()
        },
        disruptions: (made + back > 0).then(|| ("cut".to_owned(), cut)).into_iter().collect(),
    }
}

/// Counts by class, without zeros.
fn classes(counts: &[(&str, u64)]) -> BTreeMap<String, u64> {
    counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(class, count)| ((*class).to_owned(), *count))
        .collect()
}

pub(super) fn sample(line: &SeriesLine) -> ErrorSample {
    ErrorSample {
        t: line.t as f64 + 0.25,
        at: line.at,
        operation: "send_message".into(),
        class: "timeout".into(),
        player: format!("player-{:05}", line.t * 37 % 2000),
        detail: "no acknowledgement within 5 s <correlation id 7f3a>".into(),
    }
}
