//! With less data: two causes that cannot be told apart are both said, or nobody is named, and what lacks is.

use reports::format::{LimitKind, Outcome, SuspectKind as K, Topology};

use crate::made::{BUSY, Made, SECONDS, first, full, set};

const REFUSED: &str = "internal_server_error";

/// Sends at 100 a second and four times as many while busy; the table uses so many units a second at each, of 400 in four partitions.
fn throttled_table(calm: f64, busy: f64) -> Made {
    let mut made = Made::healthy();
    let table = full("Messages");
    made.fails("send_message", "status_500", 30);
    for t in 10..SECONDS {
        let (at, is_busy) = (t as f64, BUSY.contains(&t));
        let rate = if is_busy { 400 } else { 100 };
        let second = made.lines[t as usize].operations.get_mut("send_message").expect("sends");
        (second.offered, second.sent) = (rate, rate);
        let used = made.series("AWS/DynamoDB", "ConsumedWriteCapacityUnits", "Sum", &[("TableName", &table)]);
        set(used, at, if is_busy { busy } else { calm });
        if is_busy {
            let events = "WriteKeyRangeThroughputThrottleEvents";
            set(made.series("AWS/DynamoDB", events, "Sum", &[("TableName", &table)]), at, 45.0);
        }
    }
    made.limit(LimitKind::WriteUnits, &table, 400.0);
    made.limit(LimitKind::PartitionWriteUnits, &table, 100.0);
    made
}

#[test]
fn a_minute_hides_whether_all_partitions_were_full() {
    let by_minute = |calm, busy| {
        let mut made = throttled_table(calm, busy);
        made.by_minute();
        made.attributed()
    };
    // 3,000 + 7,900 units in the minute, of which the busiest second had 400 of 11,000 sends: 396 of 400.
    let whole = by_minute(100.0, 395.0);
    assert_eq!(first(&whole), Some((K::HotPartition, "Messages")), "{whole:#?}");
    assert!(whole.suspects[0].or.iter().any(|or| or.contains("as a whole")), "{whole:#?}");
    // 1,500 + 1,800: the busiest second had 120 at most.
    let one = by_minute(50.0, 90.0);
    assert_eq!(first(&one), Some((K::HotPartition, "Messages")), "{one:#?}");
    assert!(one.suspects[0].or.is_empty(), "{one:#?}");
}

#[test]
fn a_throttled_table_that_nobody_declared_is_not_its_callers_own_work() {
    let mut made = throttled_table(100.0, 395.0);
    made.slows("send_message.response", 312_000);
    made.busy("Duration", "Average", "SendMessage", 310.0);
    made.topology = Topology::default();
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((K::TableThroughput, "Messages")), "{correlation:#?}");
    assert!(correlation.suspects[0].or.iter().any(|or| or.contains("not declared")), "{correlation:#?}");
    assert!(correlation.suspects.iter().all(|one| one.kind != K::SlowFunction), "{correlation:#?}");
}

/// SendMessage takes a second while it is busy and fails as often.
fn ended_at_a_second() -> Made {
    let mut made = Made::healthy();
    made.fails("send_message", REFUSED, 60);
    made.slows("send_message.response", 900_000);
    made.busy("Errors", "Sum", "SendMessage", 60.0);
    made.busy("Duration", "Average", "SendMessage", 880.0);
    made.busy("Duration", "Maximum", "SendMessage", 1_000.0);
    made
}

#[test]
fn a_time_out_that_is_not_known_is_said() {
    let mut made = ended_at_a_second();
    made.limit(LimitKind::TimeoutS, &full("SendMessage"), 1.0);
    let known = made.attributed();
    assert_eq!(first(&known), Some((K::FunctionTimeout, "SendMessage")), "{known:#?}");
    made.document().limits.retain(|limit| limit.kind != LimitKind::TimeoutS);
    let unknown = made.attributed();
    assert_eq!(first(&unknown), Some((K::FunctionErrors, "SendMessage")), "{unknown:#?}");
    assert!(unknown.suspects[0].or.iter().any(|or| or.contains("time-out")), "{unknown:#?}");
    assert!(unknown.suspects.iter().all(|one| one.kind != K::SlowFunction), "{unknown:#?}");
    assert!(unknown.notes.iter().any(|note| note.contains("GetFunctionConfiguration")), "{unknown:#?}");
    // Where the longest invocations differ, nothing ended them.
    for t in BUSY {
        made.point("Duration", "Maximum", "SendMessage", t as f64, 1_000.0 + 40.0 * (t % 5) as f64);
    }
    let correlation = made.attributed();
    assert!(correlation.suspects.iter().any(|one| one.kind == K::SlowFunction), "{correlation:#?}");
}

/// Records that OnMessageInserted can never read: 10 of 50 invocations a second fail, of which two records are given up each second.
fn poisoned() -> Made {
    let mut made = Made::healthy();
    made.loses("message", 2);
    made.busy("Invocations", "Sum", "OnMessageInserted", 50.0);
    made.busy("Errors", "Sum", "OnMessageInserted", 10.0);
    for t in 10..SECONDS {
        made.point("IteratorAge", "Maximum", "OnMessageInserted", t as f64, 20.0);
        let busy = BUSY.contains(&t);
        for (metric, value) in [
            ("PolledEventCount", Some(100.0)),
            ("InvokedEventCount", Some(100.0)),
            ("FailedInvokeEventCount", busy.then_some(10.0)),
            ("DroppedEventCount", busy.then_some(2.0)),
        ] {
            if let Some(value) = value {
                set(mapping(&mut made, metric), t as f64, value);
            }
        }
    }
    made.limit(LimitKind::BatchSize, "uuid-Messages", 100.0);
    made.limit(LimitKind::MaxRetries, "uuid-Messages", 4.0);
    made
}

fn mapping<'a>(made: &'a mut Made, metric: &str) -> &'a mut reports::format::CloudWatchSeries {
    made.series("AWS/Lambda", metric, "Sum", &[("EventSourceMappingUUID", "uuid-Messages")])
}

#[test]
fn errors_of_a_poison_record_are_the_records() {
    let mut made = poisoned();
    // By chance 10 x 0.2^4 = 0.016 a second would fail to the end, and two do.
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((K::PoisonRecord, "Messages")), "{correlation:#?}");
    assert_eq!(correlation.suspects.len(), 1, "{correlation:#?}");
    // That its first point lacks does not make it begin after its own errors.
    mapping(&mut made, "FailedInvokeEventCount").points.remove(0);
    let correlation = made.attributed();
    assert_eq!(first(&correlation), Some((K::PoisonRecord, "Messages")), "{correlation:#?}");
}

#[test]
fn errors_that_may_be_a_poison_records_say_so() {
    let or = |made: &Made| {
        let correlation = made.attributed();
        assert_eq!(first(&correlation), Some((K::FunctionErrors, "OnMessageInserted")), "{correlation:#?}");
        correlation.suspects[0].or.clone()
    };
    let mut made = poisoned();
    made.document().limits.retain(|limit| limit.kind != LimitKind::MaxRetries);
    assert!(or(&made)[0].contains("how often it may try"), "{:?}", or(&made));
    // Nothing was given up beyond chance, and it is known of every period.
    let mut made = poisoned();
    mapping(&mut made, "DroppedEventCount").points.clear();
    assert_eq!(or(&made), [] as [String; 0]);
    // A gap is no zero where nobody polled either.
    mapping(&mut made, "PolledEventCount").points.retain(|(at, _)| *at != 40.0);
    assert!(or(&made)[0].contains("not known in every period"), "{:?}", or(&made));
    made.document().series.retain(|series| series.metric != "DroppedEventCount");
    assert!(or(&made)[0].contains("how many were given up is not known"), "{:?}", or(&made));
}

/// From when on what is late at 30 s was under way: four seconds and a half before it.
const UNDER_WAY: std::ops::Range<u64> = 26..50;

/// Placements wait for two batches of OnPlacementUpdated, of which one takes two seconds.
fn two_batches(calm_ms: f64, age_ms: f64) -> Made {
    let mut made = Made::healthy();
    made.slows("placement.each", 4_500_000);
    for t in 10..SECONDS {
        let (age, took) = if UNDER_WAY.contains(&t) { (age_ms, 1_960.0) } else { (calm_ms, 10.0) };
        made.point("IteratorAge", "Maximum", "OnPlacementUpdated", t as f64, age);
        made.point("Duration", "Average", "OnPlacementUpdated", t as f64, took);
    }
    made
}

#[test]
fn a_record_waits_for_the_batch_before_it() {
    // Of 4.2 s the function's own time is 1.95 s, and the wait before it 1.9 s.
    let correlation = two_batches(5.0, 1_905.0).attributed();
    assert_eq!(first(&correlation), Some((K::SlowFunction, "OnPlacementUpdated")), "{correlation:#?}");
    let suspect = &correlation.suspects[0];
    assert!((suspect.explained - 3.85 / 4.2).abs() < 0.01, "{suspect:#?}");
    assert!(suspect.evidence[0].says.contains("1900.0 ms longer"), "{suspect:#?}");
    // Without that wait it is less than half, and so it is where an age may hold the function's own time.
    assert_eq!(two_batches(5.0, 5.0).attributed().outcome, Some(Outcome::NotEnoughData));
    assert_eq!(two_batches(15.0, 1_970.0).attributed().outcome, Some(Outcome::NotEnoughData));
}

#[test]
fn what_is_full_may_be_full_of_something_slow() {
    let or = |change: fn(&mut Made)| {
        let mut made = Made::healthy();
        made.fails("send_message", REFUSED, 30);
        made.thresholds.push(reports::format::Threshold {
            expression: "send_message.error_rate < 1%".into(),
            observed: Some(0.3),
            ..Default::default()
        });
        made.busy("Throttles", "Sum", "SendMessage", 30.0);
        made.busy("ConcurrentExecutions", "Maximum", "SendMessage", 3.0);
        made.limit(LimitKind::ReservedConcurrency, &full("SendMessage"), 3.0);
        change(&mut made);
        let correlation = made.attributed();
        assert_eq!(first(&correlation), Some((K::ReservedConcurrency, "SendMessage")), "{correlation:#?}");
        correlation.suspects[0].or.clone()
    };
    assert_eq!(or(|_| {}), [] as [String; 0], "it takes as long as before");
    let unknown =
        or(|made| made.of("Duration", "Average", "SendMessage").points.retain(|(at, _)| *at >= 30.0));
    assert!(unknown[0].contains("which its Duration does not tell"), "{unknown:?}");
    // A single throttle before it became slow, in another period.
    let early = or(|made| {
        made.point("Throttles", "Sum", "SendMessage", 28.0, 1.0);
        made.busy("Duration", "Average", "SendMessage", 300.0);
        made.busy("Invocations", "Sum", "SendMessage", 70.0);
    });
    assert!(early.iter().any(|or| or.contains("slow_function")), "{early:?}");
}

#[test]
fn executions_of_a_log_show_that_its_lines_lack() {
    let mut made = Made::healthy();
    let name = full("SendMessage");
    for t in 10..SECONDS {
        // 100 a second of 10 ms: one execution on the average.
        set(
            made.series("Lambda/Reports", "ConcurrentExecutions", "Average", &[("FunctionName", &name)]),
            t as f64,
            1.0,
        );
    }
    assert_eq!(made.attributed().notes, [] as [String; 0]);
    for t in 20..24 {
        let rebuilt =
            made.series("Lambda/Reports", "ConcurrentExecutions", "Average", &[("FunctionName", &name)]);
        set(rebuilt, f64::from(t), 0.2);
    }
    let notes = made.attributed().notes;
    assert!(notes[0].starts_with("SendMessage: in ") && notes[0].contains("lines of it lack"), "{notes:#?}");
}

#[test]
fn silence_is_named() {
    let mut made = Made::healthy();
    made.fails("send_message", REFUSED, 100);
    for series in made.document().series.iter_mut() {
        if series.dimensions.get("FunctionName").is_some_and(|name| name.ends_with("SendMessage")) {
            series.points.retain(|(at, _)| !BUSY.contains(&(*at as u64)));
        }
    }
    let correlation = made.attributed();
    assert_eq!(correlation.outcome, Some(Outcome::NotEnoughData), "{correlation:#?}");
    let said = |lack: &String| lack.contains("why SendMessage was not invoked from 30 s to 50 s");
    assert!(correlation.lacking.iter().any(said), "{:#?}", correlation.lacking);
    // The function behind it is silent in another way: nothing was there to be read.
    made.loses("message", 100);
    made.document().series.retain(|series| {
        series.dimensions.get("FunctionName").is_none_or(|name| !name.ends_with("OnMessageInserted"))
    });
    let lacking = made.attributed().lacking;
    assert!(lacking.iter().any(|lack| lack.contains("read no record either")), "{lacking:#?}");
}
