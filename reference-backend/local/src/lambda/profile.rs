//! The `[lambda]` section of a profile.

use std::collections::BTreeMap;

use reference_backend::function::{Function, Layout};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::distribution::{Delay, Rate};

/// Concurrency of the account that AWS keeps unreserved.
const LEAST_UNRESERVED: usize = 100;

/// Latency, limits and faults of Lambda.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LambdaProfile {
    /// One Lambda per operation, or a single one.
    pub layout: Layout,
    /// Concurrency of the account.
    #[schemars(range(min = 1))]
    pub account_concurrency: usize,
    /// Environments that other functions of the account keep busy all the time: they count against its concurrency and
    /// show in its metrics.
    pub foreign_concurrency: usize,
    /// Invocations a second for each unit of concurrency, of the account and of a reserved Lambda; 0 for no limit.
    pub requests_per_concurrency: u32,
    /// Environments that one Lambda may start at once ...
    #[schemars(range(min = 1))]
    pub scaling_environments: u32,
    /// ... and the seconds in which that allowance is refilled, continuously.
    #[schemars(range(min = 0.001, max = 86_400.0))]
    pub scaling_period_s: f64,
    /// Seconds without an event after which an environment ends.
    #[schemars(range(min = 0.001, max = 86_400.0))]
    pub idle_expiry_s: f64,
    /// Time-out of an invocation in seconds.
    #[schemars(range(min = 0.001, max = 86_400.0))]
    pub timeout_s: f64,
    /// Memory of an environment in megabytes.
    #[schemars(range(min = 128, max = 10_240))]
    pub memory_mb: u32,
    /// Memory that an environment in this process is said to use from its start on, in megabytes; 0: it is not modelled.
    #[schemars(range(min = 0.0, max = 10_240.0))]
    pub memory_used_mb: f64,
    /// Fault: memory that every invocation leaves behind in its environment, in megabytes; at `memory_mb` the environment
    /// is killed.
    #[schemars(range(min = 0.0, max = 10_240.0))]
    pub memory_leak_mb: f64,
    /// Cold start: latency of a new environment before its first event.
    pub init: Delay,
    /// Latency added to every invocation.
    pub duration: Delay,
    /// Fault: share of invocations that fail before the handler is called.
    pub error_rate: Rate,
    /// Fault: share of invocations that are throttled although there is capacity.
    pub throttle_rate: Rate,
    /// Reserved concurrency of each Lambda, which is also its maximum; 0 throttles everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reserved_concurrency: Option<usize>,
    /// Overrides for one function. In the single layout `reserved_concurrency` of a function has no meaning.
    pub functions: BTreeMap<Function, FunctionProfile>,
}

impl Default for LambdaProfile {
    fn default() -> Self {
        Self {
            layout: Layout::PerOperation,
            account_concurrency: 1_000,
            foreign_concurrency: 0,
            requests_per_concurrency: 0,
            scaling_environments: 1_000,
            scaling_period_s: 10.0,
            idle_expiry_s: 300.0,
            timeout_s: 10.0,
            memory_mb: 256,
            memory_used_mb: 0.0,
            memory_leak_mb: 0.0,
            init: Delay::default(),
            duration: Delay::default(),
            error_rate: Rate::default(),
            throttle_rate: Rate::default(),
            reserved_concurrency: None,
            functions: BTreeMap::new(),
        }
    }
}

/// Overrides for one function.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FunctionProfile {
    /// Time-out of an invocation in seconds.
    #[schemars(range(min = 0.001, max = 86_400.0))]
    pub timeout_s: Option<f64>,
    /// Memory of an environment in megabytes. In the single layout the memory of a function has no meaning.
    #[schemars(range(min = 128, max = 10_240))]
    pub memory_mb: Option<u32>,
    /// Memory that an environment in this process is said to use from its start on, in megabytes.
    #[schemars(range(min = 0.0, max = 10_240.0))]
    pub memory_used_mb: Option<f64>,
    /// Fault: memory that every invocation leaves behind in its environment, in megabytes.
    #[schemars(range(min = 0.0, max = 10_240.0))]
    pub memory_leak_mb: Option<f64>,
    /// Cold start.
    pub init: Option<Delay>,
    /// Latency added to every invocation.
    pub duration: Option<Delay>,
    /// Fault: share of invocations that fail before the handler is called.
    pub error_rate: Option<Rate>,
    /// Fault: share of invocations that are throttled although there is capacity.
    pub throttle_rate: Option<Rate>,
    /// Its reserved concurrency, which is also its maximum; 0 throttles everything.
    pub reserved_concurrency: Option<usize>,
}

impl LambdaProfile {
    /// Total reserved concurrency.
    pub(super) fn reserved(&self) -> usize {
        match self.layout {
            Layout::Single => self.reserved_concurrency.unwrap_or(0),
            Layout::PerOperation => Function::ALL
                .iter()
                .filter_map(|function| {
                    let own = self.functions.get(function).and_then(|own| own.reserved_concurrency);
                    own.or(self.reserved_concurrency)
                })
                .sum(),
        }
    }

    /// Checks what the types alone cannot.
    ///
    /// # Errors
    /// What is wrong, and the remedy.
    pub fn check(&self) -> Result<(), String> {
        let timeouts = self.functions.values().filter_map(|own| own.timeout_s);
        for (name, seconds) in
            [("idle_expiry_s", self.idle_expiry_s), ("scaling_period_s", self.scaling_period_s)]
                .into_iter()
                .chain(timeouts.chain([self.timeout_s]).map(|seconds| ("timeout_s", seconds)))
        {
            if !(0.001..=86_400.0).contains(&seconds) {
                return Err(format!("[lambda] {name} = {seconds}: give seconds between 0.001 and 86400"));
            }
        }
        if self.account_concurrency == 0 || self.scaling_environments == 0 {
            return Err("[lambda] account_concurrency and scaling_environments must be at least 1; \
                 to throttle a function, give it reserved_concurrency = 0"
                .into());
        }
        let reserved = self.reserved();
        if self.foreign_concurrency > self.account_concurrency.saturating_sub(reserved) {
            return Err(format!(
                "[lambda] foreign_concurrency = {}: other functions can hold no more than what is not reserved of \
                 account_concurrency = {}; make it smaller",
                self.foreign_concurrency, self.account_concurrency
            ));
        }
        self.check_memory()?;
        if reserved > 0 && reserved.saturating_add(LEAST_UNRESERVED) > self.account_concurrency {
            return Err(format!(
                "[lambda] reserved_concurrency adds up to {reserved}, but {LEAST_UNRESERVED} of account_concurrency = {} \
                 must stay unreserved; reserve less or raise account_concurrency",
                self.account_concurrency
            ));
        }
        Ok(())
    }

    /// Checks that environments can start, with the memory that they use.
    fn check_memory(&self) -> Result<(), String> {
        let all = FunctionProfile::default();
        for own in self.functions.values().chain([&all]) {
            let size = own.memory_mb.unwrap_or(self.memory_mb);
            let used = own.memory_used_mb.unwrap_or(self.memory_used_mb);
            let leak = own.memory_leak_mb.unwrap_or(self.memory_leak_mb);
            if !(128..=10_240).contains(&size) {
                return Err(format!("[lambda] memory_mb = {size}: give megabytes between 128 and 10240"));
            }
            if !(0.0..f64::from(size)).contains(&used) || !(0.0..=10_240.0).contains(&leak) {
                return Err(format!(
                    "[lambda] memory_used_mb = {used} and memory_leak_mb = {leak}: give at least 0, and a use below \
                     memory_mb = {size}"
                ));
            }
        }
        Ok(())
    }
}
