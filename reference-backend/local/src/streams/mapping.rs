//! The event source mappings: which stream invokes which function.

use std::sync::Arc;
use std::time::Duration;

use reference_backend::function::{Deployment, Function, Layout, Table};
use reference_backend::ports::Clock;
use reference_backend::store::Backoff;

use super::StreamsProfile;
use super::batch::Batches;
use super::counts::{EventCounts, mapping_uuid};
use super::event::Source;
use super::lane::{Lane, Records};
use crate::lambda::Invoke;
use crate::metrics::{Metrics, Series, Unit};
use crate::tables::ChangeKind;

/// Streams, their functions, and the events that pass the filter; deletions are not needed.
pub(super) const MAPPINGS: [(Table, Function, &[ChangeKind]); 2] = [
    (Table::Messages, Function::OnMessageInserted, &[ChangeKind::Insert]),
    (Table::Placements, Function::OnPlacementUpdated, &[ChangeKind::Insert, ChangeKind::Modify]),
];

/// What the mappings need.
pub struct Targets<'a> {
    /// Batches, retries, faults.
    pub profile: &'a StreamsProfile,
    /// Invokes the functions.
    pub invoke: Arc<dyn Invoke>,
    /// Names of the functions.
    pub deployment: &'a Deployment,
    /// Layout of the functions.
    pub layout: Layout,
    /// Receives iterator ages and event counts.
    pub metrics: &'a Metrics,
    /// Clock for the age of records.
    pub clock: Arc<dyn Clock>,
}

/// One stream's mapping.
pub struct Mapping {
    /// The table.
    pub table: Table,
    /// Events that pass the filter.
    pub events: &'static [ChangeKind],
    function: Function,
    /// The settings of this stream.
    profile: StreamsProfile,
    invoke: Arc<dyn Invoke>,
    clock: Arc<dyn Clock>,
    age: Arc<Series>,
    counts: Arc<EventCounts>,
}

/// The mappings of both streams.
#[must_use]
pub fn mappings(targets: &Targets<'_>) -> Vec<Mapping> {
    let mapping = |(table, function, events)| Mapping::new(targets, table, function, events);
    MAPPINGS.into_iter().map(mapping).collect()
}

impl Mapping {
    fn new(targets: &Targets<'_>, table: Table, function: Function, events: &'static [ChangeKind]) -> Self {
        let Targets { profile, invoke, deployment, layout, metrics, clock } = targets;
        let name = deployment.lambda_name(*layout, function);
        let by_function = [("FunctionName", name.as_str())];
        let counts = EventCounts::new(&mapping_uuid(deployment, table), metrics, Arc::clone(clock));
        Self {
            table,
            events,
            function,
            profile: profile.of(table),
            invoke: Arc::clone(invoke),
            clock: Arc::clone(clock),
            age: metrics.series("AWS/Lambda", "IteratorAge", Unit::Milliseconds, &by_function),
            counts: Arc::new(counts),
        }
    }

    /// Concurrent batches of one shard (`ParallelizationFactor`).
    #[must_use]
    pub fn lanes(&self) -> u64 {
        self.profile.parallelization_factor
    }

    /// Its `EventCount` series, for its readers.
    #[must_use]
    pub fn counts(&self) -> Arc<EventCounts> {
        Arc::clone(&self.counts)
    }

    /// Pause between two polls of a shard.
    #[must_use]
    pub fn poll_interval(&self) -> Duration {
        Duration::from_millis(self.profile.poll_interval_ms)
    }

    /// One lane of one shard of the stream that has this ARN.
    pub fn lane<R: Records>(&self, arn: &str, shard: usize, records: R) -> Lane<R> {
        let profile = &self.profile;
        let batches = Batches {
            invoke: Arc::clone(&self.invoke),
            function: self.function,
            source: Source { arn: arn.to_owned(), key: self.table.key(), shard, poison: profile.poison_rate },
            batch_size: profile.batch_size,
            max_retries: profile.max_retry_attempts,
            max_age_ms: profile.max_record_age_s.map(|seconds| (seconds * 1_000.0) as i64),
            bisect: profile.bisect_on_function_error,
            backoff: Backoff {
                base: Duration::from_millis(profile.retry_pause_ms),
                cap: Duration::from_millis(profile.retry_pause_cap_ms),
                attempts: u32::MAX,
            },
            clock: Arc::clone(&self.clock),
            age: Arc::clone(&self.age),
            counts: Arc::clone(&self.counts),
        };
        let window = Duration::from_millis(profile.batch_window_ms);
        Lane { records, batches, batch_size: profile.batch_size, window }
    }
}
