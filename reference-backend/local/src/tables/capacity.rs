//! What a table, or its index, may do in a second, and what CloudWatch hears of that.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::SystemTime;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use strum::{IntoStaticStr, VariantArray};

use super::TablesProfile;
use crate::metrics::{Metrics, Series, Unit};

/// The namespace of DynamoDB's metrics.
pub(super) const NAMESPACE: &str = "AWS/DynamoDB";

/// Why a request is throttled, as the names of metrics have it since September 2025. `ProvisionedThroughput` is missing:
/// the tables are on demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantArray)]
pub(super) enum Cause {
    /// The partition of the key has no capacity left.
    KeyRangeThroughput,
    /// The table has reached the maximum that was set for it.
    MaxOnDemandThroughput,
    /// The table has reached the account's quota for a table.
    AccountLimit,
}

/// Capacity and series of a table or of its index.
pub(super) struct Capacity {
    reads: Direction,
    writes: Direction,
}

/// Reads or writes. Reads are limited in halves of a unit.
struct Direction {
    partitions: Vec<Option<DefaultDirectRateLimiter>>,
    maximum: Option<DefaultDirectRateLimiter>,
    quota: Option<DefaultDirectRateLimiter>,
    consumed: Arc<Series>,
    throttles: Arc<Series>,
    /// In the order of [`Cause`].
    causes: Vec<Arc<Series>>,
}

impl Capacity {
    /// That of the table itself.
    pub(super) fn of_table(profile: &TablesProfile, metrics: &Metrics, dimensions: &[(&str, &str)]) -> Self {
        let (reads, writes) = (profile.partition_read_units, profile.partition_write_units);
        Self {
            reads: Direction::new("Read", profile.partitions, double(reads), metrics, dimensions)
                .limited(double(profile.max_read_units), double(profile.quota_read_units)),
            writes: Direction::new("Write", profile.partitions, writes, metrics, dimensions)
                .limited(profile.max_write_units, profile.quota_write_units),
        }
    }

    /// That of its index, which has partitions of its own.
    pub(super) fn of_index(profile: &TablesProfile, metrics: &Metrics, dimensions: &[(&str, &str)]) -> Self {
        let reads = profile.index_partition_read_units.unwrap_or(profile.partition_read_units);
        let writes = profile.index_partition_write_units.unwrap_or(profile.partition_write_units);
        Self {
            reads: Direction::new("Read", profile.partitions, double(reads), metrics, dimensions),
            writes: Direction::new("Write", profile.partitions, writes, metrics, dimensions),
        }
    }

    /// Takes so many half units for reading a key; counts a throttle and returns false if they are not there.
    pub(super) fn may_read(&self, key_hash: u64, half_units: u32) -> bool {
        self.reads.allows(key_hash, half_units)
    }

    /// Takes so many units for writing a key; counts a throttle and returns false if they are not there.
    pub(super) fn may_write(&self, key_hash: u64, units: u32) -> bool {
        self.writes.allows(key_hash, units)
    }

    /// Whether writes are limited at all.
    pub(super) fn limits_writes(&self) -> bool {
        self.writes.partitions.iter().any(Option::is_some)
    }

    /// Counts what reads consumed.
    pub(super) fn read(&self, now: SystemTime, half_units: u32) {
        self.reads.consumed.record(now, f64::from(half_units) / 2.0);
    }

    /// Counts what writes consumed.
    pub(super) fn wrote(&self, now: SystemTime, units: u32) {
        self.writes.consumed.record(now, f64::from(units));
    }

    /// Counts a read that is throttled for a reason of the profile.
    pub(super) fn throttled_read(&self) {
        self.reads.throttled(Cause::KeyRangeThroughput);
    }

    /// Counts a write that is throttled for a reason of the profile.
    pub(super) fn throttled_write(&self) {
        self.writes.throttled(Cause::KeyRangeThroughput);
    }
}

impl Direction {
    fn new(what: &str, partitions: u32, units: u32, metrics: &Metrics, dimensions: &[(&str, &str)]) -> Self {
        let series = |metric: String| metrics.series(NAMESPACE, &metric, Unit::Count, dimensions);
        let cause = |cause: &Cause| series(format!("{what}{}ThrottleEvents", <&str>::from(cause)));
        Self {
            partitions: (0..partitions).map(|_| limiter(units)).collect(),
            maximum: None,
            quota: None,
            consumed: series(format!("Consumed{what}CapacityUnits")),
            throttles: series(format!("{what}ThrottleEvents")),
            causes: Cause::VARIANTS.iter().map(cause).collect(),
        }
    }

    /// With limits of the whole table.
    fn limited(mut self, maximum: u32, quota: u32) -> Self {
        (self.maximum, self.quota) = (limiter(maximum), limiter(quota));
        self
    }

    fn allows(&self, key_hash: u64, units: u32) -> bool {
        let partition = &self.partitions[(key_hash >> 16) as usize % self.partitions.len()];
        let limits = [
            (partition, Cause::KeyRangeThroughput),
            (&self.maximum, Cause::MaxOnDemandThroughput),
            (&self.quota, Cause::AccountLimit),
        ];
        let full = limits.into_iter().find(|(limiter, _)| !allows(limiter.as_ref(), units));
        if let Some((_, cause)) = full {
            self.throttled(cause);
        }
        full.is_none()
    }

    fn throttled(&self, cause: Cause) {
        let now = SystemTime::now();
        self.throttles.record(now, 1.0);
        self.causes[cause as usize].record(now, 1.0);
    }
}

fn double(units: u32) -> u32 {
    units.saturating_mul(2)
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
