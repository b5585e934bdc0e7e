//! Event source mappings: from the tables' streams to the functions that push.
//!
//! Each shard has one reader per lane (parallelization factor); a key always falls into the same lane, so that its
//! changes stay in order. A lane hands over one batch at a time and goes on only when that batch is done: delivered,
//! or dropped because its retries or its age are used up.

mod batch;
mod event;
mod profile;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use self::batch::Batches;
use self::event::Source;
pub use self::profile::{OwnStream, StreamsProfile};
use super::background::Background;
use super::lambda::Invoke;
use super::metrics::{Metrics, Unit};
use super::tables::{Change, ChangeKind, EmbeddedTables, Reader};
use super::{ACCOUNT_ID, REGION};
use crate::function::{Deployment, Function, Layout, Table};
use crate::store::Backoff;

/// Records read in one poll (GetRecords).
const POLL_LIMIT: usize = 1_000;

/// Which stream wakes which function, and the events that pass its filter: deletions would only be thrown away.
const MAPPINGS: [(Table, Function, &[ChangeKind]); 2] = [
    (Table::Messages, Function::OnMessageInserted, &[ChangeKind::Insert]),
    (Table::Placements, Function::OnPlacementUpdated, &[ChangeKind::Insert, ChangeKind::Modify]),
];

/// Starts the mappings of both streams, from their oldest records on. Must be called inside a tokio runtime.
pub fn start(
    profile: &StreamsProfile,
    tables: &EmbeddedTables,
    invoke: Arc<dyn Invoke>,
    deployment: &Deployment,
    layout: Layout,
    metrics: &Metrics,
) -> Background {
    let mut background = Background::default();
    for (table, function, events) in MAPPINGS {
        let Some(stream) = tables.stream(table) else { continue };
        let profile = profile.of(table);
        let name = deployment.lambda_name(layout, function);
        let age = metrics.series("AWS/Lambda", "IteratorAge", Unit::Milliseconds, &[("FunctionName", &name)]);
        let mapping = [("EventSourceMappingUUID", tables.name(table))];
        let dropped = metrics.series("AWS/Lambda", "DroppedEventCount", Unit::Count, &mapping);
        for shard in 0..stream.shard_count() {
            for lane in 0..profile.parallelization_factor {
                let batches = Batches {
                    invoke: Arc::clone(&invoke),
                    function,
                    source: Source {
                        arn: format!(
                            "arn:aws:dynamodb:{REGION}:{ACCOUNT_ID}:table/{}/stream/2024-01-01T00:00:00.000",
                            tables.name(table)
                        ),
                        key: table.key(),
                        shard,
                        poison: profile.poison_rate,
                    },
                    batch_size: profile.batch_size,
                    max_retries: profile.max_retry_attempts,
                    max_age_ms: profile.max_record_age_s.map(|seconds| (seconds * 1_000.0) as i64),
                    bisect: profile.bisect_on_function_error,
                    backoff: Backoff {
                        base: Duration::from_millis(profile.retry_pause_ms),
                        cap: Duration::from_millis(profile.retry_pause_cap_ms),
                        attempts: u32::MAX,
                    },
                    clock: tables.clock(),
                    age: Arc::clone(&age),
                    dropped: Arc::clone(&dropped),
                };
                let poller = Poller {
                    reader: stream.register(shard),
                    lane,
                    lanes: profile.parallelization_factor,
                    events,
                    batch_size: profile.batch_size,
                    interval: Duration::from_millis(profile.poll_interval_ms),
                    window: Duration::from_millis(profile.batch_window_ms),
                };
                background.spawn(poller.run(batches));
            }
        }
    }
    background
}

/// Reads one lane of one shard.
struct Poller {
    reader: Reader,
    lane: u64,
    lanes: u64,
    events: &'static [ChangeKind],
    batch_size: usize,
    interval: Duration,
    window: Duration,
}

impl Poller {
    async fn run(mut self, batches: Batches) {
        loop {
            let mut records = Vec::new();
            self.poll(&mut records, None).await;
            let deadline = Instant::now() + self.window;
            while records.len() < self.batch_size && Instant::now() < deadline {
                self.poll(&mut records, Some(deadline)).await;
            }
            batches.process(&records).await;
            self.reader.commit();
        }
    }

    /// Waits for at least one further record, at most until the deadline.
    async fn poll(&mut self, records: &mut Vec<Arc<Change>>, deadline: Option<Instant>) {
        let (lane, lanes, events) = (self.lane, self.lanes, self.events);
        let (stream, shard) = self.reader.place();
        let wanted =
            |change: &Change| (change.key_hash >> 24) % lanes == lane && events.contains(&change.kind);
        loop {
            if !self.interval.is_zero() {
                tokio::time::sleep(self.interval).await;
            }
            // Listen before looking, or an append in between would go unnoticed.
            let changed = stream.changed(shard);
            tokio::pin!(changed);
            changed.as_mut().enable();
            let found = self.reader.read(POLL_LIMIT, wanted);
            let any = !found.is_empty();
            records.extend(found);
            if any || deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return;
            }
            if records.is_empty() {
                self.reader.commit();
            }
            if self.interval.is_zero() {
                match deadline {
                    Some(deadline) => {
                        let _ = tokio::time::timeout_at(deadline, changed).await;
                    }
                    None => changed.await,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
