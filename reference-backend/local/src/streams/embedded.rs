//! The records of a lane, read from an embedded table's stream.

use std::sync::Arc;
use std::time::Duration;

use super::counts::EventCounts;
use super::lane::Records;
use super::mapping::Mapping;
use crate::tables::{Change, ChangeKind, Reader};

/// Records read in one poll (GetRecords).
const POLL_LIMIT: usize = 1_000;

/// One lane of one shard.
pub(super) struct LogLane {
    reader: Reader,
    lane: u64,
    lanes: u64,
    events: &'static [ChangeKind],
    /// Pause before each poll; if it is zero, the next record wakes the reader.
    interval: Duration,
    counts: Arc<EventCounts>,
    /// Whether records were returned and not committed yet.
    pending: bool,
}

impl LogLane {
    pub(super) fn new(reader: Reader, mapping: &Mapping, lane: u64) -> Self {
        let (lanes, events, interval) = (mapping.lanes(), mapping.events, mapping.poll_interval());
        Self { reader, lane, lanes, events, interval, counts: mapping.counts(), pending: false }
    }
}

impl Records for LogLane {
    async fn next(&mut self) -> Option<Vec<Arc<Change>>> {
        let (lane, lanes, events) = (self.lane, self.lanes, self.events);
        let (stream, shard) = self.reader.stream_and_shard();
        loop {
            if !self.interval.is_zero() {
                tokio::time::sleep(self.interval).await;
            }
            // Register before reading, so that an append in between is not missed.
            let changed = stream.changed(shard);
            tokio::pin!(changed);
            changed.as_mut().enable();
            let mut filtered_out = 0;
            let found = self.reader.read(POLL_LIMIT, |change| {
                let own = change.lane(lanes) == lane;
                let passes = events.contains(&change.kind);
                filtered_out += usize::from(own && !passes);
                own && passes
            });
            self.counts.polled(found.len() + filtered_out, filtered_out);
            if !found.is_empty() {
                self.pending = true;
                return Some(found);
            }
            if !self.pending {
                // Only records that the filter rejects were skipped.
                self.reader.commit();
            }
            if self.interval.is_zero() {
                changed.await;
            }
        }
    }

    fn commit(&mut self) {
        self.reader.commit();
        self.pending = false;
    }
}
