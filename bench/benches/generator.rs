//! What a sample costs the generator: recording, merging, matching, reading pacing.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use loadgen::clock::Clock;
use loadgen::delivery::{Addressees, FanOuts, Sent, Terms};
use loadgen::record::{Event, Names, Observer, Recorder, Tally, ThreadTally};
use loadgen::schedule::Schedule;
use protocol::outline::Tie;
use scenarios::plan::ledger::Ledger;
use scenarios::plan::operation::{Kind, Operation};

const SAMPLES: u64 = 10_000;

/// A spread of latencies from 100 µs to 100 ms that needs no generator of randomness.
fn latency(sample: u64) -> u64 {
    100 + sample.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 100_000
}

fn tally() -> ThreadTally {
    let mut tally = ThreadTally::default();
    for sample in 0..SAMPLES {
        let operation = tally.measures(Ledger::MEASURED).operation_mut(Operation::of(1));
        operation.response.record(latency(sample));
        operation.service.record(latency(sample) / 2);
    }
    tally
}

fn recording(c: &mut Criterion) {
    let mut group = c.benchmark_group("record");
    let observer =
        Observer::new(Arc::new(Recorder::new(2)), Clock::default(), Names::default(), |_, said| {
            said.to_owned()
        });
    let mut sample = 0;
    group.throughput(Throughput::Elements(1));
    group.bench_function("observe_completed", |b| {
        b.iter(|| {
            sample += 1;
            observer.observe(Event::Completed {
                operation: Operation::of(1),
                ledger: Ledger::MEASURED,
                response: latency(sample),
                service: latency(sample) / 2,
            });
        });
    });
    let second = tally();
    group.throughput(Throughput::Elements(1));
    group.bench_function("tally_merge", |b| {
        let mut total = tally();
        b.iter(|| total.merge(black_box(&second)));
    });
    group.finish();
}

/// Of messages, with a time-out of ten seconds.
fn terms() -> Terms {
    let patience = 10_000_000;
    Terms {
        kind: Kind::of(0),
        name: "message".into(),
        operation: Some(Operation::of(1)),
        tie: Tie::Marker,
        sender: false,
        timeout: patience,
        patience,
    }
}

fn matching(c: &mut Criterion) {
    let mut group = c.benchmark_group("delivery");
    for fan_out in [1_u32, 20, 100] {
        group.throughput(Throughput::Elements(u64::from(fan_out)));
        let recipients: Vec<u32> = (0..fan_out).collect();
        let (fan_outs, mut send) = (FanOuts::new(terms()), 0);
        group.bench_function(format!("match_fan_out_{fan_out}"), |b| {
            b.iter(|| {
                send += 1;
                let sent = Sent { send, sender: 7, at: send, measured: Ledger::MEASURED };
                fan_outs.expect(sent, Addressees::named(recipients.clone()));
                for recipient in &recipients {
                    black_box(fan_outs.receive(send, *recipient, send + 5));
                }
                if send % 1_000 == 0 {
                    fan_outs.expire(send + 10_000_000, |_, _| false);
                }
            });
        });
    }
    group.finish();
}

fn pacing(c: &mut Criterion) {
    const SCENARIO: &str = r#"
        name = "pace"
        players = 1000
        phases = [{ kind = "ramp", duration = "5s" }, { kind = "hold", duration = "5s" }]
        [operations.send_message]
        rate = 1000.0
        [operations.placement_request]
        rate = 100.0
    "#;
    let plan = scenarios::check("pace.toml", SCENARIO, &[]).expect("a scenario").plan;
    let mut group = c.benchmark_group("pacing");
    group.throughput(Throughput::Elements(Schedule::new(&plan).count() as u64));
    group.bench_function("schedule", |b| {
        b.iter_batched(
            || Schedule::new(&plan),
            |schedule| schedule.map(|arrival| arrival.due).sum::<u64>(),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(generator, recording, matching, pacing);
criterion_main!(generator);
