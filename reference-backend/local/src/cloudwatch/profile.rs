//! The `[cloudwatch]` section of a profile.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::distribution::{Delay, Rate};

/// How metrics reach those who ask for them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CloudWatchProfile {
    /// At once and by the second, or as AWS delivers.
    pub delivery: DeliveryMode,
    /// With `aws`: shortest period in seconds. A shorter one is answered with it.
    #[schemars(range(min = 1, max = 3_600))]
    pub period_s: u64,
    /// With `aws`: how long what a second recorded is on its way.
    pub arrival: Delay,
    /// With `aws`: after so many seconds everything has arrived.
    #[schemars(range(min = 0.0, max = 86_400.0))]
    pub settled_after_s: f64,
    /// With `aws`: factor of both, so that a test need not wait for minutes.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub time_scale: f64,
    /// Fault: share of the points of a series that never arrive.
    pub gap_rate: Rate,
    /// Fault: share of answers of a series that have half of its points, `PartialData`.
    pub partial_rate: Rate,
    /// Fault: namespaces (`AWS/SNS`) or metrics (`IteratorAge`) that nobody may read, `Forbidden`.
    pub forbidden: Vec<String>,
    /// Calls of GetMetricData a second; 0 for no limit.
    pub calls_per_second: u32,
}

/// When a metric can be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryMode {
    /// At once, in periods from a second on.
    #[default]
    Immediate,
    /// By the minute, growing until it has settled, without the zeros that AWS leaves out.
    Aws,
}

impl Default for CloudWatchProfile {
    fn default() -> Self {
        Self {
            delivery: DeliveryMode::Immediate,
            period_s: 60,
            arrival: Delay::log_normal(30_000.0, 240_000.0),
            settled_after_s: 600.0,
            time_scale: 1.0,
            gap_rate: Rate::default(),
            partial_rate: Rate::default(),
            forbidden: Vec::new(),
            calls_per_second: 0,
        }
    }
}

impl CloudWatchProfile {
    /// Checks what the types alone cannot.
    ///
    /// # Errors
    /// What is wrong, and the remedy.
    pub fn check(&self) -> Result<(), String> {
        if !(1..=3_600).contains(&self.period_s) {
            return Err(format!(
                "[cloudwatch] period_s = {}: give seconds between 1 and 3600",
                self.period_s
            ));
        }
        if !(0.0..=86_400.0).contains(&self.settled_after_s) {
            return Err(format!(
                "[cloudwatch] settled_after_s = {}: give seconds between 0 and 86400",
                self.settled_after_s
            ));
        }
        if !(0.0..=1.0).contains(&self.time_scale) {
            return Err(format!(
                "[cloudwatch] time_scale = {}: give 0 (at once) to 1 (as on AWS)",
                self.time_scale
            ));
        }
        Ok(())
    }
}
