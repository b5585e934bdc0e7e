//! Pushes a batch of stream records to the players' sockets.
//!
//! Recipients are served concurrently, each recipient's records in the order of the stream. A record that cannot be
//! pushed is reported by its sequence number. Lambda then retries the batch from the first failure on, including records
//! that were delivered; [`Delivered`] remembers those, so that one failing record does not duplicate the others.
//!
//! A socket that refuses its pushes (429) is retried for a bounded time. If it is slow ([`Slow`](super::slow::Slow)), its
//! pushes are then dropped, as for a player who is offline, so that no other player waits.

use std::collections::{HashMap, HashSet, VecDeque};

use aws_lambda_events::dynamodb::EventRecord;
use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use bytes::Bytes;
use futures_util::future::join_all;
use parking_lot::Mutex;
use serde_dynamo::Item;

use super::slow::Batch;
use super::{Deps, HandlerError};
use crate::ports::{ConnectionAddress, PushError};
use crate::store::{Backoff, Connection};
use crate::trace::{Stage, Trace};
use crate::wire::traced_push;

/// Maximum number of event ids; with batches of 100 that covers every batch in flight on any sensible shard count.
const REMEMBERED: usize = 10_000;

/// The push of a record.
pub(super) struct Push {
    /// The recipient.
    pub(super) recipient: String,
    /// The text frame.
    pub(super) payload: Bytes,
    /// Stamps to be sent with it, where its request asked for them.
    pub(super) trace: Option<Trace>,
}

impl Push {
    /// The frame that is posted now.
    fn frame(&self, deps: &Deps) -> Bytes {
        let Some(trace) = &self.trace else { return self.payload.clone() };
        let mut trace = trace.clone();
        trace.set(Stage::Posted, deps.clock.epoch_us());
        traced_push(&self.payload, &trace).into()
    }
}

/// How a handler reads a record.
pub(super) enum Reading {
    /// Push this.
    Push(Push),
    /// Nothing to do.
    Skip,
    /// The item with this key is malformed.
    Unreadable(Item, serde_dynamo::Error),
}

/// A record of the batch with its push.
struct Pending {
    position: usize,
    event_id: String,
    push: Push,
}

/// Pushes what `read` finds in the records and reports what failed; the function began at `begun_us`.
pub(super) async fn deliver(
    deps: &Deps,
    records: Vec<EventRecord>,
    begun_us: i64,
    read: impl Fn(EventRecord) -> Reading,
) -> Result<DynamoDbEventResponse, HandlerError> {
    let mut sequence_numbers = Vec::with_capacity(records.len());
    let mut failed = Vec::new();
    let mut pending = Vec::with_capacity(records.len());
    for (position, mut record) in records.into_iter().enumerate() {
        let number = record.change.sequence_number.take();
        sequence_numbers.push(number.ok_or(HandlerError::Missing("SequenceNumber"))?);
        let event_id = std::mem::take(&mut record.event_id);
        if deps.delivered.contains(&event_id) {
            continue;
        }
        match read(record) {
            Reading::Push(mut push) => {
                if let Some(trace) = &mut push.trace {
                    trace.set(Stage::Stream, begun_us);
                }
                pending.push(Pending { position, event_id, push });
            }
            Reading::Skip => {}
            // A retry would not help and would block the shard.
            Reading::Unreadable(key, error) => {
                tracing::error!(%error, ?key, "skipped a stream record whose item is malformed");
            }
        }
    }

    let connections = deps.connections.of_players(pending.iter().map(|p| p.push.recipient.as_str())).await?;
    let connections: HashMap<&str, &Connection> =
        connections.iter().map(|connection| (connection.player_id.as_str(), connection)).collect();
    let mut by_recipient: HashMap<String, Vec<Pending>> = HashMap::with_capacity(connections.len());
    for record in pending {
        match by_recipient.get_mut(&record.push.recipient) {
            Some(records) => records.push(record),
            None if connections.contains_key(record.push.recipient.as_str()) => {
                by_recipient.insert(record.push.recipient.clone(), vec![record]);
            }
            None => tracing::trace!(recipient = record.push.recipient, "offline, nothing to push"),
        }
    }
    let first = join_all(by_recipient.into_iter().filter_map(|(recipient, records)| {
        let connection = connections.get(recipient.as_str())?;
        let backoff = deps.settings.push_backoff;
        let backoff = if deps.slow.is_known(&connection.connection_id) { backoff.once() } else { backoff };
        Some(to_recipient(deps, Outcome::new(connection), records, backoff))
    }))
    .await;
    // Recipients that were refused while others were served get a second, longer attempt on their own: the cause may
    // have been the rate limit.
    let served = first.iter().any(|outcome| !outcome.delivered.is_empty());
    let outcomes = join_all(first.into_iter().map(|mut outcome| async move {
        let known = deps.slow.is_known(&outcome.connection.connection_id);
        if outcome.refused.is_empty() || !served || known {
            return outcome;
        }
        let refused = std::mem::take(&mut outcome.refused);
        to_recipient(deps, outcome, refused, deps.settings.push_backoff.longer()).await
    }))
    .await;

    let batch = Batch {
        took: outcomes.iter().filter(|outcome| !outcome.delivered.is_empty()).count(),
        refused: outcomes.iter().filter(|outcome| outcome.is_news(deps)).count(),
    };
    let mut delivered = Vec::new();
    for outcome in outcomes {
        delivered.extend(outcome.delivered);
        failed.extend(outcome.failed);
        if !outcome.refused.is_empty() && !deps.slow.is_to_blame(&outcome.connection.connection_id, batch) {
            failed.extend(outcome.refused.into_iter().map(|record| record.position));
        }
    }
    failed.sort_unstable();
    if let Some(&checkpoint) = failed.first() {
        deps.delivered.remember(delivered.into_iter().filter(|(position, _)| *position > checkpoint));
    }
    Ok(report(failed.into_iter().map(|position| std::mem::take(&mut sequence_numbers[position]))))
}

/// The result of one recipient's records.
struct Outcome<'a> {
    connection: &'a Connection,
    delivered: Vec<(usize, String)>,
    /// Failed: the stream retries them.
    failed: Vec<usize>,
    /// Refused with 429 after all retries: the first refused record and those behind it.
    refused: Vec<Pending>,
}

impl<'a> Outcome<'a> {
    const fn new(connection: &'a Connection) -> Self {
        Self { connection, delivered: Vec::new(), failed: Vec::new(), refused: Vec::new() }
    }

    /// Whether a socket that is not known to be slow refused it.
    fn is_news(&self, deps: &Deps) -> bool {
        !self.refused.is_empty() && !deps.slow.is_known(&self.connection.connection_id)
    }
}

/// Pushes a recipient's records in order and updates the result.
async fn to_recipient<'a>(
    deps: &Deps,
    mut outcome: Outcome<'a>,
    records: Vec<Pending>,
    backoff: Backoff,
) -> Outcome<'a> {
    let connection = outcome.connection;
    let address = connection.address();
    let mut records = records.into_iter();
    while let Some(record) = records.next() {
        let event_id = &record.event_id;
        match post(deps, &address, &record.push, backoff).await {
            Ok(()) => {
                deps.slow.forget(&connection.connection_id);
                outcome.delivered.push((record.position, record.event_id));
            }
            // The Management API answers 410 until the handshake is complete; the connection record is valid.
            Err(PushError::Gone) if connection.may_be_opening(deps.clock.epoch_ms()) => return outcome,
            Err(PushError::Gone) => {
                deps.slow.forget(&connection.connection_id);
                // The other records are for the same closed socket. If the connection record cannot be deleted, the
                // next push tries again.
                if let Err(error) =
                    deps.connections.remove(&connection.player_id, &connection.connection_id).await
                {
                    tracing::warn!(%error, "stale connection record not deleted");
                }
                return outcome;
            }
            Err(error @ PushError::TooLarge(_)) => {
                tracing::warn!(%error, event_id, "dropped a push that is too large");
            }
            Err(error @ PushError::Throttled) => {
                tracing::debug!(%error, event_id, "push refused");
                outcome.refused.push(record);
                // Later records of this recipient wait too, to keep the order.
                outcome.refused.extend(records.by_ref());
            }
            Err(error @ (PushError::Unavailable(_) | PushError::Forbidden)) => {
                tracing::debug!(%error, event_id, "push failed, back to the stream");
                outcome.failed.push(record.position);
                outcome.failed.extend(records.by_ref().map(|later| later.position));
            }
        }
    }
    outcome
}

/// Posts with a few retries for transient errors.
async fn post(deps: &Deps, to: &ConnectionAddress, push: &Push, backoff: Backoff) -> Result<(), PushError> {
    let mut retry = 0;
    loop {
        match deps.pusher.post(to, push.frame(deps)).await {
            Err(PushError::Throttled | PushError::Unavailable(_)) if retry + 1 < backoff.attempts => {
                backoff.sleep(retry).await;
                retry += 1;
            }
            result => return result,
        }
    }
}

/// A partial batch response.
fn report(sequence_numbers: impl Iterator<Item = String>) -> DynamoDbEventResponse {
    let mut response = DynamoDbEventResponse::default();
    response.batch_item_failures = sequence_numbers
        .map(|number| {
            let mut failure = DynamoDbBatchItemFailure::default();
            failure.item_identifier = Some(number);
            failure
        })
        .collect();
    response
}

/// Events that were pushed although their batch is retried; the oldest are removed first.
#[derive(Default)]
pub(super) struct Delivered(Mutex<(HashSet<String>, VecDeque<String>)>);

impl Delivered {
    fn contains(&self, event_id: &str) -> bool {
        let known = self.0.lock();
        !known.0.is_empty() && known.0.contains(event_id)
    }

    fn remember(&self, events: impl Iterator<Item = (usize, String)>) {
        let mut known = self.0.lock();
        let (set, order) = &mut *known;
        for (_, event_id) in events {
            if set.insert(event_id.clone()) {
                order.push_back(event_id);
            }
        }
        while order.len() > REMEMBERED {
            if let Some(oldest) = order.pop_front() {
                set.remove(&oldest);
            }
        }
    }
}
