//! Recording: one tally per thread, merged once a second, never averaged.
//!
//! A player records into the tally of the thread it happens to run on, so that threads do not wait for each
//! other. The [collector](crate::generate::collector) swaps each tally for an empty one and merges them: counts add,
//! histograms add bucket by bucket, so that the merged percentiles are those of all samples.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer as _, V2Serializer};
use parking_lot::Mutex;
use reports::format::cut_off::UNSENT_RUN_ENDED;
use scenarios::ledger::Ledger;
use scenarios::threshold::{Kind, Operation};
use serde::de::Visitor;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;

/// Samples kept of each error class in one second.
const SAMPLES_PER_CLASS: usize = 3;

/// Error classes told apart in one map, since a target may invent them; further ones count as [`OTHER`].
const MOST_CLASSES: usize = 200;
/// Class of what came after the classes were full.
const OTHER: &str = "other";

/// Class of arrivals whose player does not get to run.
pub(crate) const UNSENT_BACKLOG: &str = "unsent_backlog";
/// Class of arrivals for which no socket is open.
pub(crate) const NO_OPEN_SOCKET: &str = "unsent_no_open_socket";
/// Class of arrivals that the end of the run has overtaken.
pub(crate) const RUN_ENDED: &str = UNSENT_RUN_ENDED;

/// The longest latency that is told apart.
const A_DAY: Micros = 86_400_000_000;

/// Latencies in microseconds: three significant digits, growing as needed.
#[derive(Debug, Clone)]
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    #[allow(clippy::expect_used, reason = "3 is a precision that the histogram takes")]
    fn default() -> Self {
        Self(Histogram::new(3).expect("three significant digits"))
    }
}

impl Latencies {
    /// Records one latency; below a microsecond counts as one, above a day as a day.
    pub fn record(&mut self, micros: Micros) {
        // `record` grows the histogram (`saturating_record` would not), and up to a day it always can.
        let recorded = self.0.record(micros.clamp(1, A_DAY));
        debug_assert!(recorded.is_ok());
    }

    /// The histogram.
    #[must_use]
    pub const fn histogram(&self) -> &Histogram<u64> {
        &self.0
    }
}

impl Serialize for Latencies {
    /// As HdrHistogram's own V2 encoding, which keeps every bucket's count; nothing at all when empty.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut encoded = Vec::new();
        if !self.0.is_empty() {
            V2Serializer::new().serialize(&self.0, &mut encoded).map_err(serde::ser::Error::custom)?;
        }
        serializer.serialize_bytes(&encoded)
    }
}

impl<'de> Deserialize<'de> for Latencies {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Encoded;
        impl Visitor<'_> for Encoded {
            type Value = Latencies;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an encoded histogram")
            }

            fn visit_bytes<E: serde::de::Error>(self, mut encoded: &[u8]) -> Result<Latencies, E> {
                // Added to one of ours, which may grow; a decoded one may not.
                let mut latencies = Latencies::default();
                if !encoded.is_empty() {
                    let decoded: Histogram<u64> =
                        Deserializer::new().deserialize(&mut encoded).map_err(E::custom)?;
                    latencies.0.add(&decoded).map_err(E::custom)?;
                }
                Ok(latencies)
            }
        }
        deserializer.deserialize_bytes(Encoded)
    }
}

/// Defines a tally whose `merge` and `clear` cover every field, so that none can be forgotten.
macro_rules! tally {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, Serialize, Deserialize)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type),+ }

        impl Tally for $name {
            fn merge(&mut self, other: &Self) { $(self.$field.merge(&other.$field);)+ }
            fn clear(&mut self) { $(self.$field.clear();)+ }
        }
    };
}

/// Something that adds up.
pub trait Tally {
    /// Adds all of `other`.
    fn merge(&mut self, other: &Self);
    /// Back to nothing, memory kept.
    fn clear(&mut self);
}

impl Tally for u64 {
    fn merge(&mut self, other: &Self) {
        *self += other;
    }

    fn clear(&mut self) {
        *self = 0;
    }
}

impl Tally for Latencies {
    fn merge(&mut self, other: &Self) {
        // Fails only where a histogram may not grow, and these may.
        let merged = self.0.add(&other.0);
        debug_assert!(merged.is_ok());
    }

    fn clear(&mut self) {
        self.0.reset();
    }
}

impl<T: Tally + Default> Tally for Vec<T> {
    fn merge(&mut self, other: &Self) {
        if self.len() < other.len() {
            self.resize_with(other.len(), T::default);
        }
        self.iter_mut().zip(other).for_each(|(mine, other)| mine.merge(other));
    }

    fn clear(&mut self) {
        self.iter_mut().for_each(Tally::clear);
    }
}

impl<T: Tally, const N: usize> Tally for [T; N] {
    fn merge(&mut self, other: &Self) {
        self.iter_mut().zip(other).for_each(|(mine, other)| mine.merge(other));
    }

    fn clear(&mut self) {
        self.iter_mut().for_each(Tally::clear);
    }
}

tally! {
    /// One operation's counts and times.
    OperationTally {
        /// Arrivals that the plan called for.
        offered: u64,
        /// Arrivals that left.
        sent: u64,
        /// Arrivals that could not be sent.
        unsent: u64,
        /// Answered as expected.
        completed: u64,
        /// Answered wrongly, or the socket broke.
        failed: u64,
        /// Not answered in time.
        timed_out: u64,
        /// Failures, time-outs and unsent arrivals by class.
        errors: Classes,
        /// From the intended instant to the answer.
        response: Latencies,
        /// From the actual send to the answer.
        service: Latencies,
    }
}

impl OperationTally {
    /// Counts an arrival that could not be sent, and why.
    pub fn give_up(&mut self, class: &'static str) {
        self.unsent += 1;
        self.errors.count(class.into());
    }

    /// Counts arrivals that the plan called for after the run had been stopped; `class` says how that was.
    pub fn unreached(&mut self, count: u64, class: &'static str) {
        self.offered += count;
        self.unsent += count;
        self.errors.add(class.into(), count);
    }
}

tally! {
    /// One delivery kind's counts and times.
    DeliveryTally {
        /// Pushes called for by sends.
        expected: u64,
        /// Of these, called off again because the send failed.
        withdrawn: u64,
        /// Of these, not received because the recipient was away by its own doing.
        away: u64,
        /// First copies received in time.
        received: u64,
        /// First copies received after the time-out, within the grace.
        late: u64,
        /// Not received at all.
        lost: u64,
        /// Further copies.
        duplicated: u64,
        /// Received after a later one of the same sender.
        out_of_order: u64,
        /// Called for by nothing.
        unexpected: u64,
        /// From the send to each recipient.
        each: Latencies,
        /// From the send to the first recipient.
        first: Latencies,
        /// From the send to the last recipient.
        last: Latencies,
    }
}

impl DeliveryTally {
    /// Whether there is anything to tell of it.
    #[must_use]
    pub const fn seen(&self) -> bool {
        let fates = self.received + self.late + self.lost + self.away + self.withdrawn;
        self.expected + fates + self.duplicated + self.unexpected > 0
    }

    /// Pushes still called for: neither called off, nor missed by a recipient that was away.
    #[must_use]
    pub const fn due(&self) -> u64 {
        self.expected.saturating_sub(self.withdrawn + self.away)
    }
}

tally! {
    /// Counts and times of measured, or of warm-up, arrivals.
    Measures {
        /// By [`Operation`].
        operations: [OperationTally; Operation::ALL.len()],
        /// By [`Kind`].
        deliveries: [DeliveryTally; Kind::ALL.len()],
        /// Actual send minus intended instant.
        dispatch_delay: Latencies,
        /// How long a task that is ready waited for the event loop.
        event_loop_lag: Latencies,
        /// From the loss of a socket to the next open one of the same player.
        recovery: Latencies,
    }
}

impl Measures {
    /// One operation.
    #[must_use]
    pub const fn operation(&self, operation: Operation) -> &OperationTally {
        &self.operations[operation as usize]
    }

    /// One operation, to record into.
    pub const fn operation_mut(&mut self, operation: Operation) -> &mut OperationTally {
        &mut self.operations[operation as usize]
    }

    /// One delivery kind.
    #[must_use]
    pub const fn delivery(&self, kind: Kind) -> &DeliveryTally {
        &self.deliveries[kind as usize]
    }

    /// One delivery kind, to record into.
    pub const fn delivery_mut(&mut self, kind: Kind) -> &mut DeliveryTally {
        &mut self.deliveries[kind as usize]
    }
}

tally! {
    /// Socket counts.
    SocketTally {
        /// Handshakes begun.
        attempted: u64,
        /// Handshakes that led to an open socket.
        opened: u64,
        /// Handshakes that failed.
        rejected: u64,
        /// Sockets that ended before the player left.
        dropped: u64,
    }
}

mod classes;
mod disruptions;
pub use classes::Class;
pub use disruptions::{ChurnTally, DisruptionsTally, FaultTally, ReconnectTally};

tally! {
    /// What one thread recorded since the last merge.
    ThreadTally {
        /// Arrivals of measured phases.
        measured: Measures,
        /// Arrivals of warm-up phases.
        warm_up: Measures,
        /// Arrivals of the phases that thresholds look at; as long as it has not been [folded](ThreadTally::fold_phases),
        /// they are not among the measured ones.
        phases: Vec<Measures>,
        /// Sockets.
        sockets: SocketTally,
        /// Churn and disruptions.
        disruptions: DisruptionsTally,
        /// First samples of each error class.
        samples: Samples,
        /// From a push's receipt in another worker until it was matched in this one.
        relay_lag: Latencies,
    }
}

impl ThreadTally {
    /// The measures that an arrival counts for. Each is recorded once, whatever looks at it.
    pub fn measures(&mut self, ledger: Ledger) -> &mut Measures {
        match ledger.phase() {
            None if ledger.is_measured() => &mut self.measured,
            None => &mut self.warm_up,
            Some(phase) => {
                if self.phases.len() <= phase {
                    self.phases.resize_with(phase + 1, Measures::default);
                }
                &mut self.phases[phase]
            }
        }
    }

    /// Adds the phases to what is measured: once, when a second's records are complete.
    pub fn fold_phases(&mut self) {
        self.phases.iter().for_each(|phase| self.measured.merge(phase));
    }
}

/// Counts by error class.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Classes(HashMap<Class, u64>);

impl Classes {
    /// Counts one.
    pub fn count(&mut self, class: Class) {
        self.add(class, 1);
    }

    /// Counts several.
    pub fn add(&mut self, class: Class, count: u64) {
        let full = self.0.len() >= MOST_CLASSES && !self.0.contains_key(&class);
        *self.0.entry(if full { OTHER.into() } else { class }).or_default() += count;
    }

    /// Each class with its count, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(class, count)| (class.as_ref(), *count))
    }
}

impl Tally for Classes {
    fn merge(&mut self, other: &Self) {
        for (class, count) in &other.0 {
            self.add(class.clone(), *count);
        }
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}

/// One error as seen by one player.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sample {
    /// When.
    pub at: Micros,
    /// The operation's word, or `socket`.
    pub operation: Cow<'static, str>,
    /// Its class.
    pub class: Class,
    /// The player's number.
    pub player: u32,
    /// What was seen.
    pub detail: String,
}

/// A few samples of each error class; the rest is only counted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Samples(Vec<Sample>);

impl Samples {
    /// Keeps the sample, if its class still has room; `sample` is only called then.
    pub fn offer(&mut self, operation: &str, class: &str, sample: impl FnOnce() -> Sample) {
        let same = self.0.iter().filter(|kept| kept.operation == operation && *kept.class == *class).count();
        if same < SAMPLES_PER_CLASS && self.0.len() < SAMPLES_PER_CLASS * MOST_CLASSES {
            self.0.push(sample());
        }
    }

    /// The samples kept.
    pub fn iter(&self) -> impl Iterator<Item = &Sample> {
        self.0.iter()
    }
}

impl Tally for Samples {
    fn merge(&mut self, other: &Self) {
        for sample in &other.0 {
            self.offer(&sample.operation, &sample.class, || sample.clone());
        }
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}

/// The tallies of all threads.
#[derive(Debug)]
pub struct Recorder {
    shards: Box<[Mutex<ThreadTally>]>,
}

impl Recorder {
    /// A recorder for about this many threads; more threads share.
    #[must_use]
    pub fn new(threads: usize) -> Self {
        Self { shards: (0..threads.max(1)).map(|_| Mutex::default()).collect() }
    }

    /// Records into the calling thread's tally.
    pub fn with<R>(&self, record: impl FnOnce(&mut ThreadTally) -> R) -> R {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        thread_local!(static SHARD: Cell<usize> = Cell::new(NEXT.fetch_add(1, Ordering::Relaxed)));
        record(&mut self.shards[SHARD.get() % self.shards.len()].lock())
    }

    /// The plan has called for an arrival; `unsent` is why it could not even be handed to a player.
    pub(crate) fn offered(&self, operation: Operation, measured: Ledger, unsent: Option<&'static str>) {
        self.with(|tally| {
            let operation = tally.measures(measured).operation_mut(operation);
            operation.offered += 1;
            if let Some(class) = unsent {
                operation.give_up(class);
            }
        });
    }

    /// Moves everything recorded since the last call into `into`; `spare` must be empty and is so again after.
    pub fn drain(&self, into: &mut ThreadTally, spare: &mut ThreadTally) {
        for shard in &self.shards {
            std::mem::swap(&mut *shard.lock(), spare);
            into.merge(spare);
            spare.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reports::format::Latency;

    use super::*;

    proptest! {
        #[test]
        fn merged_shards_equal_one_histogram_of_all_samples(
            samples in prop::collection::vec((0_usize..4, 1_u64..10_000_000), 1..400),
        ) {
            let mut shards = vec![ThreadTally::default(); 4];
            let mut all = Latencies::default();
            for (shard, micros) in &samples {
                let tally = shards[*shard].measures(Ledger::MEASURED).operation_mut(Operation::SendMessage);
                tally.completed += 1;
                tally.errors.count("class".into());
                tally.response.record(*micros);
                all.record(*micros);
            }
            let mut merged = ThreadTally::default();
            for shard in &shards {
                // As if each came from another process.
                let sent = postcard::to_stdvec(shard).unwrap();
                merged.merge(&postcard::from_bytes::<ThreadTally>(&sent).unwrap());
            }
            let tally = merged.measured.operation(Operation::SendMessage);
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
            tally.measures(ledger).operation_mut(Operation::SendMessage).response.record(micros);
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
        let response = |measures: &Measures| {
            Latency::of(measures.operation(Operation::SendMessage).response.histogram())
        };
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
        (0..100_000).for_each(|number| classes.count(format!("invented_{number}").into()));
        classes.count("invented_0".into());
        assert_eq!(classes.iter().count(), MOST_CLASSES + 1);
        assert_eq!(classes.iter().map(|(_, count)| count).sum::<u64>(), 100_001);
        let other = classes.iter().find(|(class, _)| *class == OTHER);
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
}
