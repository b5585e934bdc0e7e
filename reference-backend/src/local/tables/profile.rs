//! The `[tables]` section of a profile.

use serde::{Deserialize, Serialize};

use crate::local::profile::{Delay, Rate};

/// Latency, capacity and faults of the tables, alike for all three.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TablesProfile {
    /// What each operation takes.
    pub latency: Latency,
    /// Partitions of each table; a key belongs to one of them.
    pub partitions: u32,
    /// Read request units a second of one partition; 0 is without limit.
    pub partition_read_units: u32,
    /// Write request units a second of one partition; 0 is without limit.
    pub partition_write_units: u32,
    /// How often an operation on one item, or a query, is throttled.
    pub throttle_rate: Rate,
    /// How often a key or item of a batch comes back unprocessed.
    pub unprocessed_rate: Rate,
    /// Seconds between two deletions of what has expired.
    pub ttl_sweep_s: f64,
    /// Shards of each stream, 1 to 64.
    pub stream_shards: usize,
    /// Records that a shard keeps although they were read. Unread ones are kept, too, up to their age.
    pub stream_retention_records: usize,
    /// Seconds after which a record is gone, read or not.
    pub stream_retention_s: f64,
}

/// Latency by operation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Latency {
    /// PutItem.
    pub put: Delay,
    /// GetItem.
    pub get: Delay,
    /// DeleteItem.
    pub delete: Delay,
    /// Query on the index.
    pub query: Delay,
    /// BatchGetItem.
    pub batch_get: Delay,
    /// BatchWriteItem.
    pub batch_put: Delay,
}

impl Default for TablesProfile {
    fn default() -> Self {
        Self {
            latency: Latency::default(),
            partitions: 4,
            partition_read_units: 0,
            partition_write_units: 0,
            throttle_rate: Rate::default(),
            unprocessed_rate: Rate::default(),
            ttl_sweep_s: 1.0,
            stream_shards: 4,
            stream_retention_records: 1_000,
            stream_retention_s: 86_400.0,
        }
    }
}

impl TablesProfile {
    /// Checks what the types alone cannot.
    ///
    /// # Errors
    /// What is wrong, and the remedy.
    pub fn check(&self) -> Result<(), String> {
        if self.partitions == 0 {
            return Err("[tables] partitions must be at least 1".into());
        }
        if !(1..=64).contains(&self.stream_shards) {
            return Err(format!("[tables] stream_shards = {}: give 1 to 64", self.stream_shards));
        }
        for (name, seconds) in
            [("ttl_sweep_s", self.ttl_sweep_s), ("stream_retention_s", self.stream_retention_s)]
        {
            if !(0.001..=604_800.0).contains(&seconds) {
                return Err(format!("[tables] {name} = {seconds}: give seconds between 0.001 and 604800"));
            }
        }
        Ok(())
    }
}
