//! The `[tables]` section of a profile.

use std::collections::BTreeMap;

use reference_backend::function::Table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::distribution::{Delay, Rate};

/// Latency, capacity, faults and streams of the tables.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TablesProfile {
    /// Latency by operation.
    pub latency: Latency,
    /// Partitions of each table; a key belongs to one of them.
    #[schemars(range(min = 1))]
    pub partitions: u32,
    /// Read request units a second of one partition; 0 for no limit.
    pub partition_read_units: u32,
    /// Write request units a second of one partition; 0 for no limit.
    pub partition_write_units: u32,
    /// Read request units a second of one partition of the index; default: as the table's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index_partition_read_units: Option<u32>,
    /// Write request units a second of one partition of the index; default: as the table's. A write of the table that
    /// the index has no capacity for is throttled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index_partition_write_units: Option<u32>,
    /// Maximum on-demand throughput of a table: read request units a second; 0 for none.
    pub max_read_units: u32,
    /// Maximum on-demand throughput of a table: write request units a second; 0 for none.
    pub max_write_units: u32,
    /// The account's quota for a table: read request units a second; 0 for no limit.
    pub quota_read_units: u32,
    /// The account's quota for a table: write request units a second; 0 for no limit.
    pub quota_write_units: u32,
    /// Fault: share of operations on one item, and of queries, that are throttled.
    pub throttle_rate: Rate,
    /// Fault: share of keys and items of a batch that are returned unprocessed.
    pub unprocessed_rate: Rate,
    /// Interval of the deletion of expired items, in seconds.
    #[schemars(range(min = 0.001, max = 604_800.0))]
    pub ttl_sweep_s: f64,
    /// Shards of each stream, 1 to 64.
    #[schemars(range(min = 1, max = 64))]
    pub stream_shards: usize,
    /// Number of read records that a shard retains. Unread ones are retained up to their age.
    pub stream_retention_records: usize,
    /// Retention of a record in seconds, read or not.
    #[schemars(range(min = 0.001, max = 604_800.0))]
    pub stream_retention_s: f64,
    /// Overrides for one table: `[tables.per_table.Messages]`.
    pub per_table: BTreeMap<Table, OwnTable>,
}

/// Overrides for one table; keys that are not set are as in `[tables]`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OwnTable {
    /// Latency by operation.
    pub latency: OwnLatency,
    /// Its partitions; a key belongs to one of them.
    #[schemars(range(min = 1))]
    pub partitions: Option<u32>,
    /// Read request units a second of one partition; 0 for no limit.
    pub partition_read_units: Option<u32>,
    /// Write request units a second of one partition; 0 for no limit.
    pub partition_write_units: Option<u32>,
    /// Read request units a second of one partition of the index.
    pub index_partition_read_units: Option<u32>,
    /// Write request units a second of one partition of the index.
    pub index_partition_write_units: Option<u32>,
    /// Maximum on-demand throughput: read request units a second; 0 for none.
    pub max_read_units: Option<u32>,
    /// Maximum on-demand throughput: write request units a second; 0 for none.
    pub max_write_units: Option<u32>,
    /// Fault: share of operations on one item, and of queries, that are throttled.
    pub throttle_rate: Option<Rate>,
    /// Fault: share of keys and items of a batch that are returned unprocessed.
    pub unprocessed_rate: Option<Rate>,
}

/// Latency of one table by operation; keys that are not set are as in `[tables.latency]`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OwnLatency {
    /// PutItem.
    pub put: Option<Delay>,
    /// GetItem.
    pub get: Option<Delay>,
    /// DeleteItem.
    pub delete: Option<Delay>,
    /// Query on the index.
    pub query: Option<Delay>,
    /// BatchGetItem.
    pub batch_get: Option<Delay>,
    /// BatchWriteItem.
    pub batch_put: Option<Delay>,
}

/// Latency by operation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
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

impl Latency {
    /// Applies the overrides of one table.
    fn with(self, own: OwnLatency) -> Self {
        Self {
            put: own.put.unwrap_or(self.put),
            get: own.get.unwrap_or(self.get),
            delete: own.delete.unwrap_or(self.delete),
            query: own.query.unwrap_or(self.query),
            batch_get: own.batch_get.unwrap_or(self.batch_get),
            batch_put: own.batch_put.unwrap_or(self.batch_put),
        }
    }
}

impl Default for TablesProfile {
    fn default() -> Self {
        Self {
            latency: Latency::default(),
            partitions: 4,
            partition_read_units: 0,
            partition_write_units: 0,
            index_partition_read_units: None,
            index_partition_write_units: None,
            max_read_units: 0,
            max_write_units: 0,
            quota_read_units: 0,
            quota_write_units: 0,
            throttle_rate: Rate::default(),
            unprocessed_rate: Rate::default(),
            ttl_sweep_s: 1.0,
            stream_shards: 4,
            stream_retention_records: 1_000,
            stream_retention_s: 86_400.0,
            per_table: BTreeMap::new(),
        }
    }
}

impl TablesProfile {
    /// The settings of one table.
    #[must_use]
    pub fn of(&self, table: Table) -> Self {
        let own = self.per_table.get(&table).copied().unwrap_or_default();
        Self {
            latency: self.latency.with(own.latency),
            partitions: own.partitions.unwrap_or(self.partitions),
            partition_read_units: own.partition_read_units.unwrap_or(self.partition_read_units),
            partition_write_units: own.partition_write_units.unwrap_or(self.partition_write_units),
            index_partition_read_units: own.index_partition_read_units.or(self.index_partition_read_units),
            index_partition_write_units: own.index_partition_write_units.or(self.index_partition_write_units),
            max_read_units: own.max_read_units.unwrap_or(self.max_read_units),
            max_write_units: own.max_write_units.unwrap_or(self.max_write_units),
            throttle_rate: own.throttle_rate.unwrap_or(self.throttle_rate),
            unprocessed_rate: own.unprocessed_rate.unwrap_or(self.unprocessed_rate),
            per_table: BTreeMap::new(),
            ..*self
        }
    }

    /// Checks what the types alone cannot.
    ///
    /// # Errors
    /// What is wrong, and the remedy.
    pub fn check(&self) -> Result<(), String> {
        if self.partitions == 0 || self.per_table.values().any(|own| own.partitions == Some(0)) {
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
