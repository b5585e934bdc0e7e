//! What a table may do in a second, and what CloudWatch hears of it.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::SystemTime;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use strum::{IntoStaticStr, VariantArray};
use tokio::time::Instant;

use super::TablesProfile;
use crate::metrics::{Metrics, Series, Unit};

const NAMESPACE: &str = "AWS/DynamoDB";

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

/// Capacity of one partition; none is without limit.
struct Partition {
    /// In halves of a read unit.
    reads: Option<DefaultDirectRateLimiter>,
    writes: Option<DefaultDirectRateLimiter>,
}

/// Capacity and metrics of one table.
pub(super) struct Meter {
    partitions: Vec<Partition>,
    consumed_reads: Arc<Series>,
    consumed_writes: Arc<Series>,
    read_throttles: Arc<Series>,
    write_throttles: Arc<Series>,
    expired: Arc<Series>,
    /// By operation: latency of what succeeded, requests that were throttled.
    operations: Vec<(Arc<Series>, Arc<Series>)>,
}

impl Meter {
    pub(super) fn new(table_name: &str, profile: &TablesProfile, metrics: &Metrics) -> Self {
        let table = ("TableName", table_name);
        let series = |metric| metrics.series(NAMESPACE, metric, Unit::Count, &[table]);
        let operations = Operation::VARIANTS.iter().map(|operation| {
            let dimensions = [table, ("Operation", operation.into())];
            (
                metrics.series(NAMESPACE, "SuccessfulRequestLatency", Unit::Milliseconds, &dimensions),
                metrics.series(NAMESPACE, "ThrottledRequests", Unit::Count, &dimensions),
            )
        });
        let partition = |_| Partition {
            reads: limiter(profile.partition_read_units.saturating_mul(2)),
            writes: limiter(profile.partition_write_units),
        };
        Self {
            partitions: (0..profile.partitions).map(partition).collect(),
            consumed_reads: series("ConsumedReadCapacityUnits"),
            consumed_writes: series("ConsumedWriteCapacityUnits"),
            read_throttles: series("ReadThrottleEvents"),
            write_throttles: series("WriteThrottleEvents"),
            expired: series("TimeToLiveDeletedItemCount"),
            operations: operations.collect(),
        }
    }

    /// Whether the key's partition still has capacity for a read of so many half units.
    pub(super) fn may_read(&self, key_hash: u64, half_units: u32) -> bool {
        let allowed = allows(self.partition(key_hash).reads.as_ref(), half_units);
        if !allowed {
            self.read_throttles.record(SystemTime::now(), 1.0);
        }
        allowed
    }

    /// Whether the key's partition still has capacity for a write of so many units.
    pub(super) fn may_write(&self, key_hash: u64, units: u32) -> bool {
        let allowed = allows(self.partition(key_hash).writes.as_ref(), units);
        if !allowed {
            self.write_throttles.record(SystemTime::now(), 1.0);
        }
        allowed
    }

    pub(super) fn throttled(&self, operation: Operation) {
        self.operations[operation as usize].1.record(SystemTime::now(), 1.0);
    }

    pub(super) fn read(&self, operation: Operation, started: Instant, half_units: u32) {
        let now = SystemTime::now();
        self.consumed_reads.record(now, f64::from(half_units) / 2.0);
        self.operations[operation as usize].0.record(now, started.elapsed().as_secs_f64() * 1_000.0);
    }

    pub(super) fn wrote(&self, operation: Operation, started: Instant, units: u32) {
        let now = SystemTime::now();
        self.consumed_writes.record(now, f64::from(units));
        self.operations[operation as usize].0.record(now, started.elapsed().as_secs_f64() * 1_000.0);
    }

    pub(super) fn expired(&self, items: usize) {
        self.expired.record(SystemTime::now(), items as f64);
    }

    fn partition(&self, key_hash: u64) -> &Partition {
        &self.partitions[(key_hash >> 16) as usize % self.partitions.len()]
    }
}

fn limiter(per_second: u32) -> Option<DefaultDirectRateLimiter> {
    NonZeroU32::new(per_second).map(|units| RateLimiter::direct(Quota::per_second(units)))
}

fn allows(limiter: Option<&DefaultDirectRateLimiter>, units: u32) -> bool {
    match (limiter, NonZeroU32::new(units)) {
        (Some(limiter), Some(units)) => matches!(limiter.check_n(units), Ok(Ok(()))),
        _ => true,
    }
}
