//! The `[streams]` section of a profile.

use std::collections::BTreeMap;

use reference_backend::function::Table;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::distribution::Rate;

/// The event source mappings of both streams.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StreamsProfile {
    /// Milliseconds between two polls of a shard; 0: new records wake the reader.
    pub poll_interval_ms: u64,
    /// Maximum number of records in a batch, 1 to 10000.
    #[schemars(range(min = 1, max = 10_000))]
    pub batch_size: usize,
    /// Batch window in milliseconds.
    #[schemars(range(max = 300_000))]
    pub batch_window_ms: u64,
    /// Concurrent batches of one shard, 1 to 10; records of one key stay in order.
    #[schemars(range(min = 1, max = 10))]
    pub parallelization_factor: u64,
    /// Retries after a failed invocation; default: until the record is too old.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_retry_attempts: Option<u32>,
    /// Maximum age of a record in seconds; default: the stream's retention.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 604_800.0))]
    pub max_record_age_s: Option<f64>,
    /// Whether a failed batch is halved, to isolate a record that always fails.
    pub bisect_on_function_error: bool,
    /// Upper bound of the first pause before a retry, in milliseconds; it doubles with every retry ...
    pub retry_pause_ms: u64,
    /// ... up to this.
    pub retry_pause_cap_ms: u64,
    /// Fault: share of items whose records are poison: every invocation with them fails.
    pub poison_rate: Rate,
    /// Overrides for one stream: `[streams.per_stream.Messages]`.
    pub per_stream: BTreeMap<Table, OwnStream>,
}

/// Overrides for one stream; keys that are not set are as in `[streams]`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OwnStream {
    /// Milliseconds between two polls of a shard; 0: new records wake the reader.
    pub poll_interval_ms: Option<u64>,
    /// Maximum number of records in a batch, 1 to 10000.
    #[schemars(range(min = 1, max = 10_000))]
    pub batch_size: Option<usize>,
    /// Batch window in milliseconds.
    #[schemars(range(max = 300_000))]
    pub batch_window_ms: Option<u64>,
    /// Concurrent batches of one shard, 1 to 10; records of one key stay in order.
    #[schemars(range(min = 1, max = 10))]
    pub parallelization_factor: Option<u64>,
    /// Retries after a failed invocation.
    pub max_retry_attempts: Option<u32>,
    /// Maximum age of a record in seconds.
    #[schemars(range(min = 0.0, max = 604_800.0))]
    pub max_record_age_s: Option<f64>,
    /// Whether a failed batch is halved, to isolate a record that always fails.
    pub bisect_on_function_error: Option<bool>,
    /// Upper bound of the first pause before a retry, in milliseconds; it doubles with every retry ...
    pub retry_pause_ms: Option<u64>,
    /// ... up to this.
    pub retry_pause_cap_ms: Option<u64>,
    /// Fault: share of items whose records are poison: every invocation with them fails.
    pub poison_rate: Option<Rate>,
}

impl Default for StreamsProfile {
    fn default() -> Self {
        Self {
            poll_interval_ms: 0,
            batch_size: 100,
            batch_window_ms: 0,
            parallelization_factor: 1,
            max_retry_attempts: Some(10),
            max_record_age_s: None,
            bisect_on_function_error: true,
            retry_pause_ms: 10,
            retry_pause_cap_ms: 1_000,
            poison_rate: Rate::default(),
            per_stream: BTreeMap::new(),
        }
    }
}

impl StreamsProfile {
    /// The settings of the stream of one table.
    #[must_use]
    pub fn of(&self, table: Table) -> Self {
        let own = self.per_stream.get(&table).copied().unwrap_or_default();
        Self {
            poll_interval_ms: own.poll_interval_ms.unwrap_or(self.poll_interval_ms),
            batch_size: own.batch_size.unwrap_or(self.batch_size),
            batch_window_ms: own.batch_window_ms.unwrap_or(self.batch_window_ms),
            parallelization_factor: own.parallelization_factor.unwrap_or(self.parallelization_factor),
            max_retry_attempts: own.max_retry_attempts.or(self.max_retry_attempts),
            max_record_age_s: own.max_record_age_s.or(self.max_record_age_s),
            bisect_on_function_error: own.bisect_on_function_error.unwrap_or(self.bisect_on_function_error),
            retry_pause_ms: own.retry_pause_ms.unwrap_or(self.retry_pause_ms),
            retry_pause_cap_ms: own.retry_pause_cap_ms.unwrap_or(self.retry_pause_cap_ms),
            poison_rate: own.poison_rate.unwrap_or(self.poison_rate),
            per_stream: BTreeMap::new(),
        }
    }

    /// Checks what the types alone cannot.
    ///
    /// # Errors
    /// What is wrong, and the remedy.
    pub fn check(&self) -> Result<(), String> {
        if let Some(table) = self.per_stream.keys().find(|table| !table.streamed()) {
            return Err(format!(
                "[streams.per_stream.{}]: that table has no stream; name Messages or Placements",
                table.short_name()
            ));
        }
        self.check_one()?;
        self.per_stream.keys().try_for_each(|&table| {
            self.of(table).check_one().map_err(|wrong| {
                wrong.replacen("[streams]", &format!("[streams.per_stream.{}]", table.short_name()), 1)
            })
        })
    }

    fn check_one(&self) -> Result<(), String> {
        if !(1..=10_000).contains(&self.batch_size) {
            return Err(format!("[streams] batch_size = {}: give 1 to 10000", self.batch_size));
        }
        if !(1..=10).contains(&self.parallelization_factor) {
            return Err(format!(
                "[streams] parallelization_factor = {}: give 1 to 10",
                self.parallelization_factor
            ));
        }
        if self.batch_window_ms > 300_000 {
            return Err(format!("[streams] batch_window_ms = {}: at most 300000", self.batch_window_ms));
        }
        if self.max_record_age_s.is_some_and(|seconds| !(0.0..=604_800.0).contains(&seconds)) {
            return Err(
                "[streams] max_record_age_s: give seconds between 0 and 604800, or leave it out".into()
            );
        }
        Ok(())
    }
}
