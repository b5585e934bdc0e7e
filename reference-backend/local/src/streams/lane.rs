//! One lane of a shard: collects a batch, delivers it, sets the checkpoint.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::batch::Batches;
use crate::tables::Change;

/// The source of a lane's records.
pub trait Records: Send {
    /// Waits for the next records of this lane and returns them in order, at least one; none at the end of the stream.
    /// Cancel safe.
    fn next(&mut self) -> impl Future<Output = Option<Vec<Arc<Change>>>> + Send;

    /// Sets the checkpoint: everything returned so far is processed.
    fn commit(&mut self);
}

/// Reads records and delivers them in batches.
pub struct Lane<R> {
    pub(super) records: R,
    pub(super) batches: Batches,
    pub(super) batch_size: usize,
    /// Batch window.
    pub(super) window: Duration,
}

impl<R: Records> Lane<R> {
    /// Runs until the end of the stream.
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
