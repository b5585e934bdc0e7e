//! The batches of a lane: invokes the function until every record is processed or dropped.

use std::sync::Arc;

use reference_backend::function::Function;
use reference_backend::ports::Clock;
use reference_backend::store::Backoff;

use crate::lambda::{Invoke, InvokeError};
use crate::metrics::Series;
use crate::tables::Change;

use super::counts::EventCounts;
use super::event::Source;

/// Limit of the records in one invocation, in bytes; as JSON they stay below Lambda's 6 MB.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Delivers a lane's records.
pub(super) struct Batches {
    pub(super) invoke: Arc<dyn Invoke>,
    pub(super) function: Function,
    pub(super) source: Source,
    pub(super) batch_size: usize,
    /// None: only the record's age limits the retries.
    pub(super) max_retries: Option<u32>,
    pub(super) max_age_ms: Option<i64>,
    pub(super) bisect: bool,
    pub(super) backoff: Backoff,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) age: Arc<Series>,
    pub(super) counts: Arc<EventCounts>,
}

impl Batches {
    /// Delivers the records, batch by batch, in order.
    pub(super) async fn process(&self, mut records: &[Arc<Change>]) {
        while !records.is_empty() {
            let (batch, rest) = records.split_at(self.next_batch(records));
            self.finish(batch).await;
            records = rest;
        }
    }

    /// Length of the next batch, at least one record.
    fn next_batch(&self, records: &[Arc<Change>]) -> usize {
        let mut bytes = 0;
        let fitting = records.iter().take(self.batch_size).take_while(|record| {
            bytes += record.size;
            bytes <= BATCH_BYTES
        });
        fitting.count().max(1)
    }

    /// Retries one batch until it is empty. The rest is a stack of parts with the earliest on top, so that the order
    /// holds however often a part is halved. Neither halving nor a throttle counts as a retry.
    async fn finish(&self, batch: &[Arc<Change>]) {
        let mut left = vec![(batch, 0)];
        let mut throttles = 0;
        while let Some((part, retries)) = left.pop() {
            let part = self.drop_expired(part);
            if part.is_empty() {
                continue;
            }
            let done = match self.invoke_part(part).await {
                Ok(done) if done == part.len() => continue,
                Ok(done) => done,
                Err(InvokeError::Throttled { reason }) => {
                    tracing::debug!(reason, function = self.function.short_name(), "stream batch throttled");
                    self.backoff.sleep(throttles).await;
                    throttles += 1;
                    left.push((part, retries));
                    continue;
                }
                Err(error) => {
                    tracing::debug!(%error, function = self.function.short_name(), "stream batch failed");
                    0
                }
            };
            throttles = 0;
            if done > 0 {
                self.backoff.sleep(0).await;
                left.push((&part[done..], 0));
            } else if self.bisect && part.len() > 1 {
                let (first, second) = part.split_at(part.len() / 2);
                left.push((second, retries));
                left.push((first, retries));
            } else if self.max_retries.is_some_and(|most| retries >= most) {
                self.drop_records(part, "retries exhausted");
            } else {
                self.backoff.sleep(retries).await;
                left.push((part, retries + 1));
            }
        }
    }

    /// Invokes the function once; returns how many records were processed before the first failure.
    async fn invoke_part(&self, part: &[Arc<Change>]) -> Result<usize, InvokeError> {
        if let Some(last) = part.last() {
            let age = self.clock.epoch_ms().saturating_sub(last.created_ms);
            self.age.record(self.clock.now(), age as f64);
        }
        let event = self.source.event(part).map_err(|error| InvokeError::Function {
            error_type: "InvalidEvent".into(),
            message: error.to_string(),
        })?;
        self.counts.invoked(part.len());
        let outcome = self.invoke.invoke(self.function, event).await;
        let outcome = outcome.map(|answer| self.source.done(part, &answer));
        self.counts.failed(part.len() - outcome.as_ref().map_or(0, |done| *done));
        outcome
    }

    /// The part without the records that are too old.
    fn drop_expired<'a>(&self, part: &'a [Arc<Change>]) -> &'a [Arc<Change>] {
        let Some(max_age) = self.max_age_ms else { return part };
        let oldest = self.clock.epoch_ms().saturating_sub(max_age);
        let (old, young) = part.split_at(part.partition_point(|record| record.created_ms < oldest));
        if !old.is_empty() {
            self.drop_records(old, "maximum record age exceeded");
        }
        young
    }

    fn drop_records(&self, part: &[Arc<Change>], reason: &'static str) {
        tracing::warn!(
            records = part.len(),
            function = self.function.short_name(),
            reason,
            "stream records dropped"
        );
        self.counts.dropped(part.len());
    }
}
