//! What a mapping tells CloudWatch: its identifier and its `EventCount` series, which on AWS have to be switched on
//! (`MetricsConfig`).

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use reference_backend::function::{Deployment, Table};
use reference_backend::ports::Clock;
use uuid::{Builder, Uuid};

use super::stream_arn;
use crate::metrics::{Metrics, Series, Unit};

/// How often a mapping that has nothing to do says so.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// The identifier of a table's mapping, the same in every process: a UUID of version 5 ([RFC 9562], 5.5) of the stream's
/// ARN in the namespace of URLs.
///
/// [RFC 9562]: https://www.rfc-editor.org/rfc/rfc9562#section-5.5
#[must_use]
pub fn mapping_uuid(deployment: &Deployment, table: Table) -> String {
    let name = stream_arn(&deployment.table_name(table));
    let named = [Uuid::NAMESPACE_URL.as_bytes().as_slice(), name.as_bytes()].concat();
    let sha1 = digest(&SHA1_FOR_LEGACY_USE_ONLY, &named);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&sha1.as_ref()[..16]);
    Builder::from_sha1_bytes(bytes).into_uuid().to_string()
}

/// The series of one mapping. They count records.
pub struct EventCounts {
    clock: Arc<dyn Clock>,
    polled: Arc<Series>,
    filtered_out: Arc<Series>,
    invoked: Arc<Series>,
    failed: Arc<Series>,
    dropped: Arc<Series>,
}

impl EventCounts {
    pub(super) fn new(uuid: &str, metrics: &Metrics, clock: Arc<dyn Clock>) -> Self {
        let by_mapping = [("EventSourceMappingUUID", uuid)];
        let series = |metric| metrics.series("AWS/Lambda", metric, Unit::Count, &by_mapping);
        Self {
            clock,
            polled: series("PolledEventCount"),
            filtered_out: series("FilteredOutEventCount"),
            invoked: series("InvokedEventCount"),
            failed: series("FailedInvokeEventCount"),
            dropped: series("DroppedEventCount"),
        }
    }

    /// Counts records that were read, and how many of them the filter rejects.
    pub fn polled(&self, records: usize, filtered_out: usize) {
        self.count(&self.polled, records);
        self.count(&self.filtered_out, filtered_out);
    }

    /// Counts the records of one attempt to invoke the function, throttled or not.
    pub(super) fn invoked(&self, records: usize) {
        self.count(&self.invoked, records);
    }

    /// Counts the records of an attempt that were not processed: it was throttled, it failed, or its answer has
    /// `batchItemFailures`.
    pub(super) fn failed(&self, records: usize) {
        self.count(&self.failed, records);
    }

    /// Counts records that are given up.
    pub(super) fn dropped(&self, records: usize) {
        self.count(&self.dropped, records);
    }

    fn count(&self, series: &Series, records: usize) {
        if records > 0 {
            series.record(self.clock.now(), records as f64);
        }
    }

    /// Records that nothing was polled, every second: the series of a mapping that is idle is 0, and absent only once the
    /// mapping is stopped.
    pub async fn beat(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(HEARTBEAT);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            ticks.tick().await;
            self.polled.record(self.clock.now(), 0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_has_one_identifier_of_version_5() {
        let deployment = Deployment::default();
        let uuid = mapping_uuid(&deployment, Table::Messages);
        // python3 -c "import uuid; print(uuid.uuid5(uuid.NAMESPACE_URL, ARN))"
        assert_eq!(uuid, "03568c76-5481-54fd-89c4-77a3b7073e02");
        assert_ne!(uuid, mapping_uuid(&deployment, Table::Placements));
    }
}
