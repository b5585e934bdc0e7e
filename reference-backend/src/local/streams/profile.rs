//! The `[streams]` section of a profile.

use serde::{Deserialize, Serialize};

/// The event source mappings, alike for both streams.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StreamsProfile {
    /// Milliseconds between two polls of a shard; 0 wakes the reader at once.
    pub poll_interval_ms: u64,
    /// Records handed over at once, 1 to 10000.
    pub batch_size: usize,
    /// Milliseconds to wait for a batch to fill.
    pub batch_window_ms: u64,
    /// Batches of one shard in flight at the same time, 1 to 10; the order is kept per key.
    pub parallelization_factor: u64,
    /// Retries after a failed invocation; left out, until the record's age ends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_retry_attempts: Option<u32>,
    /// Seconds after which a record is dropped; left out, the stream's retention.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_record_age_s: Option<f64>,
    /// Whether a batch that failed is halved, which isolates a record that always fails.
    pub bisect_on_function_error: bool,
    /// Upper bound of the first pause before a retry, in milliseconds; it doubles with every further one ...
    pub retry_pause_ms: u64,
    /// ... up to this.
    pub retry_pause_cap_ms: u64,
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
        }
    }
}

impl StreamsProfile {
    /// Checks what the types alone cannot.
    ///
    /// # Errors
    /// What is wrong, and the remedy.
    pub fn check(&self) -> Result<(), String> {
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
