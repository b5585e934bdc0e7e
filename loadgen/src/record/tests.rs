//! Merging and draining lose nothing.

use proptest::prelude::*;
use reports::format::Latency;

use scenarios::plan::ledger::Ledger;
use scenarios::plan::operation::Operation;

use super::class_counts::{MOST_CLASSES, OTHER};
use super::latencies::A_DAY;
use super::*;

proptest! {
    #[test]
    fn merged_shards_equal_one_histogram_of_all_samples(
        samples in prop::collection::vec((0_usize..4, 1_u64..10_000_000), 1..400),
    ) {
        let mut shards = vec![ThreadTally::default(); 4];
        let mut all = Latencies::default();
        for (shard, micros) in &samples {
            let tally = shards[*shard].measures(Ledger::MEASURED).operation_mut(Operation::of(1));
            tally.completed += 1;
            tally.errors.count(&"class".into());
            tally.response.record(*micros);
            all.record(*micros);
        }
        let mut merged = ThreadTally::default();
        for shard in &shards {
            // As if each came from another process.
            let sent = postcard::to_stdvec(shard).unwrap();
            merged.merge(&postcard::from_bytes::<ThreadTally>(&sent).unwrap());
        }
        let tally = merged.measured.operation(Operation::of(1));
        prop_assert_eq!(tally.completed, samples.len() as u64);
        prop_assert_eq!(tally.errors.iter().next(), Some(("class", samples.len() as u64)));
        prop_assert_eq!(tally.response.histogram(), all.histogram());
        prop_assert_eq!(Latency::of(tally.response.histogram()), Latency::of(all.histogram()));
    }
}

#[test]
fn a_phase_is_part_of_what_is_measured_and_counted_once() {
    let mut tally = ThreadTally::default();
    let record = |tally: &mut ThreadTally, ledger, micros| {
        tally.measures(ledger).operation_mut(Operation::of(1)).response.record(micros);
    };
    record(&mut tally, Ledger::WARM_UP, 1);
    record(&mut tally, Ledger::MEASURED, 10);
    record(&mut tally, Ledger::of_phase(1), 1_000);
    record(&mut tally, Ledger::of_phase(1), 3_000);
    // As if it came from another process.
    let sent = postcard::to_stdvec(&tally).unwrap();
    let mut total = postcard::from_bytes::<ThreadTally>(&sent).unwrap();
    total.fold_phases();
    let mut merged = ThreadTally::default();
    merged.merge(&total);
    let response =
        |measures: &Measures| Latency::of(measures.operation(Operation::of(1)).response.histogram());
    assert_eq!(
        (response(&merged.measured).count, response(&merged.measured).max),
        (3, 3_001),
        "in its bucket"
    );
    assert_eq!((response(&merged.phases[1]).count, response(&merged.phases[1]).min), (2, 1_000));
    assert_eq!((response(&merged.phases[0]).count, response(&merged.warm_up).count), (0, 1));
}

#[test]
fn a_latency_keeps_three_digits_whatever_its_size() {
    for micros in [1, 999, 12_345, 1_000_000, 3_600_000_000, A_DAY] {
        let mut latencies = Latencies::default();
        latencies.record(micros);
        let read = latencies.histogram().value_at_quantile(0.5);
        assert!((micros..=micros + micros / 1_000).contains(&read), "{micros} read as {read}");
    }
}

#[test]
fn a_target_that_invents_classes_cannot_fill_the_memory() {
    let mut classes = Classes::default();
    (0..100_000).for_each(|number| classes.count(&format!("invented_{number}").into()));
    classes.count(&"invented_0".into());
    assert_eq!(classes.iter().count(), MOST_CLASSES + 1);
    assert_eq!(classes.iter().map(|(_, count)| count).sum::<u64>(), 100_001);
    let other = classes.iter().find(|(class, _)| *class == &*OTHER);
    assert_eq!(other.map(|(_, count)| count), Some(100_000 - MOST_CLASSES as u64));
}

#[test]
fn a_drain_takes_each_record_exactly_once() {
    let recorder = Recorder::new(3);
    let (mut total, mut spare) = (ThreadTally::default(), ThreadTally::default());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..10_000).for_each(|_| recorder.with(|tally| tally.sockets.opened += 1)));
        }
        for _ in 0..100 {
            recorder.drain(&mut total, &mut spare);
        }
    });
    recorder.drain(&mut total, &mut spare);
    assert_eq!(total.sockets.opened, 40_000);
}
