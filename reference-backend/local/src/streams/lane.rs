//! One lane of one shard: collect a batch, hand it over, remember how far it got.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::batch::Batches;
use crate::tables::Change;

/// Where a lane's records come from.
pub trait Records: Send {
    /// Waits for further records of this lane and returns them in order, at least one; nothing when there will never
    /// be another. Nothing is lost when the future is dropped.
    fn next(&mut self) -> impl Future<Output = Option<Vec<Arc<Change>>>> + Send;

    /// Notes that everything returned so far is done with (the checkpoint).
    fn commit(&mut self);
}

/// Reads and hands over.
pub struct Lane<R> {
    pub(super) records: R,
    pub(super) batches: Batches,
    pub(super) batch_size: usize,
    /// How long a batch may take to fill.
    pub(super) window: Duration,
}

impl<R: Records> Lane<R> {
    /// Goes on until there will be no further records.
    pub async fn run(mut self) {
        while let Some(mut records) = self.records.next().await {
            let deadline = Instant::now() + self.window;
            while records.len() < self.batch_size && Instant::now() < deadline {
                match timeout_at(deadline, self.records.next()).await {
                    Ok(Some(more)) => records.extend(more),
                    Ok(None) | Err(_) => break,
                }
            }
            self.batches.process(&records).await;
            self.records.commit();
        }
    }
}
