//! A lane's records out of the log of an embedded table.

use std::sync::Arc;
use std::time::Duration;

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
    /// Pause before each poll; without one, the reader is woken by the next record.
    interval: Duration,
    /// Whether records were returned that are not done with.
    pending: bool,
}

impl LogLane {
    pub(super) fn new(reader: Reader, mapping: &Mapping, lane: u64) -> Self {
        let (lanes, events, interval) = (mapping.lanes(), mapping.events, mapping.poll_interval());
        Self { reader, lane, lanes, events, interval, pending: false }
    }
}

impl Records for LogLane {
    async fn next(&mut self) -> Option<Vec<Arc<Change>>> {
        let (lane, lanes, events) = (self.lane, self.lanes, self.events);
        let wanted = |change: &Change| change.lane(lanes) == lane && events.contains(&change.kind);
        let (stream, shard) = self.reader.place();
        loop {
            if !self.interval.is_zero() {
                tokio::time::sleep(self.interval).await;
            }
            // Listen before looking, or an append in between would go unnoticed.
            let changed = stream.changed(shard);
            tokio::pin!(changed);
            changed.as_mut().enable();
            let found = self.reader.read(POLL_LIMIT, wanted);
            if !found.is_empty() {
                self.pending = true;
                return Some(found);
            }
            if !self.pending {
                // Only what the mapping does not want was passed over.
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
