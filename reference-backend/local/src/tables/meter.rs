//! The capacity of a table and of its index, and the series of its operations.

use std::sync::Arc;
use std::time::SystemTime;

use reference_backend::function::Table;
use strum::{IntoStaticStr, VariantArray};
use tokio::time::Instant;

use super::TablesProfile;
use super::capacity::{Capacity, NAMESPACE};
use crate::metrics::{Metrics, Series, Unit};

/// The operations of a table, under the names that CloudWatch's dimension `Operation` has for them.
#[derive(Debug, Clone, Copy, IntoStaticStr, VariantArray)]
pub(super) enum Operation {
    #[strum(serialize = "PutItem")]
    Put,
    #[strum(serialize = "GetItem")]
    Get,
    #[strum(serialize = "DeleteItem")]
    Delete,
    Query,
    #[strum(serialize = "BatchGetItem")]
    BatchGet,
    #[strum(serialize = "BatchWriteItem")]
    BatchPut,
}

impl Operation {
    const fn writes(self) -> bool {
        matches!(self, Self::Put | Self::Delete | Self::BatchPut)
    }
}

/// Capacity and metrics of one table.
pub(super) struct Meter {
    table: Capacity,
    index: Capacity,
    expired: Arc<Series>,
    /// By operation: latency of what succeeded, requests that were throttled.
    operations: Vec<(Arc<Series>, Arc<Series>)>,
}

/// What a write costs: the units of the table's item, and those of the index's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) units: u32,
    pub(super) index_units: u32,
}

impl Meter {
    pub(super) fn new(table: Table, table_name: &str, profile: &TablesProfile, metrics: &Metrics) -> Self {
        let by_table = ("TableName", table_name);
        let by_index = [by_table, ("GlobalSecondaryIndexName", table.index_name())];
        let operations = Operation::VARIANTS.iter().map(|operation| {
            let dimensions = [by_table, ("Operation", operation.into())];
            (
                metrics.series(NAMESPACE, "SuccessfulRequestLatency", Unit::Milliseconds, &dimensions),
                metrics.series(NAMESPACE, "ThrottledRequests", Unit::Count, &dimensions),
            )
        });
        Self {
            table: Capacity::of_table(profile, metrics, &[by_table]),
            index: Capacity::of_index(profile, metrics, &by_index),
            expired: metrics.series(NAMESPACE, "TimeToLiveDeletedItemCount", Unit::Count, &[by_table]),
            operations: operations.collect(),
        }
    }

    /// Whether the table has the capacity to read a key.
    pub(super) fn may_read(&self, key_hash: u64, half_units: u32) -> bool {
        self.table.may_read(key_hash, half_units)
    }

    /// Whether the index has the capacity to read a value.
    pub(super) fn may_query(&self, value_hash: u64, half_units: u32) -> bool {
        self.index.may_read(value_hash, half_units)
    }

    /// Whether table and index have the capacity to write an item; a full index refuses the write of the table
    /// (back-pressure). `index_hash` is that of the item's value in the index.
    pub(super) fn may_write(&self, key_hash: u64, index_hash: Option<u64>, units: u32) -> bool {
        self.table.may_write(key_hash, units)
            && index_hash.is_none_or(|value_hash| self.index.may_write(value_hash, units))
    }

    /// Whether the index limits writes.
    pub(super) fn index_limits_writes(&self) -> bool {
        self.index.limits_writes()
    }

    /// Counts a request of which nothing was processed.
    pub(super) fn throttled(&self, operation: Operation) {
        self.operations[operation as usize].1.record(SystemTime::now(), 1.0);
    }

    /// Counts the event of a throttle that is a fault of the profile.
    pub(super) fn fault(&self, operation: Operation) {
        match operation {
            Operation::Query => self.index.throttled_read(),
            other if other.writes() => self.table.throttled_write(),
            _ => self.table.throttled_read(),
        }
    }

    /// Counts a read of the table.
    pub(super) fn read(&self, operation: Operation, started: Instant, half_units: u32) {
        let now = SystemTime::now();
        self.table.read(now, half_units);
        self.succeeded(operation, now, started);
    }

    /// Counts a query of the index.
    pub(super) fn queried(&self, started: Instant, half_units: u32) {
        let now = SystemTime::now();
        self.index.read(now, half_units);
        self.succeeded(Operation::Query, now, started);
    }

    /// Counts a write.
    pub(super) fn wrote(&self, operation: Operation, started: Instant, written: Written) {
        let now = SystemTime::now();
        self.table.wrote(now, written.units);
        if written.index_units > 0 {
            self.index.wrote(now, written.index_units);
        }
        self.succeeded(operation, now, started);
    }

    pub(super) fn expired(&self, items: usize) {
        self.expired.record(SystemTime::now(), items as f64);
    }

    fn succeeded(&self, operation: Operation, now: SystemTime, started: Instant) {
        self.operations[operation as usize].0.record(now, started.elapsed().as_secs_f64() * 1_000.0);
    }
}
