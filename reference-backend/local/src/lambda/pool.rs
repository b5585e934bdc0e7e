//! The execution environments of one Lambda.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::account::{Account, NAMESPACE, rate_limiter};
use super::environment::{Environment, Home, Lambda};
use super::memory::{Memory, MemoryUse};
use super::{InvokeError, LambdaProfile};
use crate::metrics::{Metrics, Series, Unit};

/// The namespace of the Init duration and of memory, which `AWS/Lambda` does not have.
const INSIGHTS: &str = "LambdaInsights";

/// The environments of one Lambda.
pub(super) struct Pool {
    lambda: Arc<Lambda>,
    home: Arc<dyn Home>,
    account: Arc<Account>,
    reserved: Option<usize>,
    idle_expiry: Duration,
    scaling: DefaultDirectRateLimiter,
    /// Rate of invocations; unreserved Lambdas have the account's.
    rate: Option<DefaultDirectRateLimiter>,
    memory: Memory,
    environments: Mutex<Environments>,
    concurrency: Arc<Series>,
    invocations: Arc<Series>,
    errors: Arc<Series>,
    throttles: Arc<Series>,
    duration: Arc<Series>,
    init_duration: Arc<Series>,
    memory_utilization: Arc<Series>,
}

/// A warm environment, if there is one, and the number of busy ones.
type Admitted = (Option<Held>, usize);

/// An environment and the memory that it uses.
struct Held {
    environment: Box<dyn Environment>,
    memory: MemoryUse,
}

/// The busy and the idle environments.
#[derive(Default)]
struct Environments {
    busy: usize,
    /// Idle environments, each with the time since when; the longest idle first.
    idle: VecDeque<(Instant, Held)>,
}

impl Pool {
    pub(super) fn new(
        lambda: Arc<Lambda>,
        home: Arc<dyn Home>,
        reserved: Option<usize>,
        memory: Memory,
        profile: &LambdaProfile,
        metrics: &Metrics,
        account: Arc<Account>,
    ) -> Self {
        let series =
            |metric, unit| metrics.series(NAMESPACE, metric, unit, &[("FunctionName", &lambda.name)]);
        let insight =
            |metric, unit| metrics.series(INSIGHTS, metric, unit, &[("function_name", &lambda.name)]);
        Self {
            account,
            reserved,
            idle_expiry: Duration::from_secs_f64(profile.idle_expiry_s),
            scaling: RateLimiter::direct(scaling_quota(profile)),
            rate: reserved.and_then(|reserved| rate_limiter(profile, reserved)),
            memory,
            environments: Mutex::default(),
            concurrency: series("ConcurrentExecutions", Unit::Count),
            invocations: series("Invocations", Unit::Count),
            errors: series("Errors", Unit::Count),
            throttles: series("Throttles", Unit::Count),
            duration: series("Duration", Unit::Milliseconds),
            init_duration: insight("init_duration", Unit::Milliseconds),
            memory_utilization: insight("memory_utilization", Unit::Percent),
            lambda,
            home,
        }
    }

    /// Takes an idle environment or starts one.
    pub(super) fn take(self: &Arc<Self>) -> Result<Lease, InvokeError> {
        let now = SystemTime::now();
        match self.admit() {
            Ok((warm, busy)) => {
                self.invocations.record(now, 1.0);
                self.throttles.record(now, 0.0);
                self.concurrency.record(now, busy as f64);
                self.account.begun(now);
                let cold = warm.is_none();
                let held = warm.unwrap_or_else(|| self.start());
                Ok(Lease { pool: Arc::clone(self), held: Some(held), invoked: now, cold })
            }
            Err(reason) => Err(self.throttle(reason)),
        }
    }

    /// A new environment.
    fn start(&self) -> Held {
        Held { environment: self.home.environment(&self.lambda), memory: self.memory.fresh() }
    }

    /// Counts a throttled invocation.
    pub(super) fn throttle(&self, reason: &'static str) -> InvokeError {
        let now = SystemTime::now();
        self.throttles.record(now, 1.0);
        self.account.throttled(now);
        InvokeError::Throttled { reason }
    }

    /// Admits an invocation, or returns the reason of the throttle.
    fn admit(&self) -> Result<Admitted, &'static str> {
        // Declared before the lock, so that expired environments are dropped after its release.
        let mut over = Vec::new();
        let mut environments = self.environments.lock();
        environments.expire(self.idle_expiry, &mut over);
        match self.reserved {
            Some(reserved) if environments.busy >= reserved => {
                return Err("ReservedFunctionConcurrentInvocationLimitExceeded");
            }
            Some(_) => {}
            None => self.account.take_unreserved()?,
        }
        if let Err(reason) = self.admit_request() {
            self.return_unreserved();
            return Err(reason);
        }
        let warm = environments.awake(&mut over);
        if warm.is_none() && self.scaling.check().is_err() {
            self.return_unreserved();
            return Err("ConcurrentInvocationLimitExceeded");
        }
        environments.busy += 1;
        Ok((warm, environments.busy))
    }

    /// Whether the invocation is within the rate of its Lambda if that is reserved, of the account otherwise. A reserved
    /// Lambda uses the account's rate, too, but is never refused because of it.
    fn admit_request(&self) -> Result<(), &'static str> {
        if self.reserved.is_none() {
            return self.account.admits_request().then_some(()).ok_or("FunctionInvocationRateLimitExceeded");
        }
        if self.rate.as_ref().is_some_and(|rate| rate.check().is_err()) {
            return Err("ReservedFunctionInvocationRateLimitExceeded");
        }
        self.account.admits_request();
        Ok(())
    }

    fn return_unreserved(&self) {
        if self.reserved.is_none() {
            self.account.return_unreserved();
        }
    }

    pub(super) fn sample(&self) {
        let mut over = Vec::new();
        let busy = {
            let mut environments = self.environments.lock();
            environments.expire(self.idle_expiry, &mut over);
            environments.busy
        };
        if busy > 0 {
            self.concurrency.record(SystemTime::now(), busy as f64);
        }
    }
}

impl Environments {
    /// Removes environments that have been idle for too long.
    fn expire(&mut self, idle_expiry: Duration, over: &mut Vec<Held>) {
        while self.idle.front().is_some_and(|(since, _)| since.elapsed() >= idle_expiry) {
            over.extend(self.idle.pop_front().map(|(_, held)| held));
        }
    }

    /// The most recently used idle environment; ended ones are removed.
    fn awake(&mut self, over: &mut Vec<Held>) -> Option<Held> {
        while let Some((_, mut held)) = self.idle.pop_back() {
            if held.environment.wake() {
                return Some(held);
            }
            over.push(held);
        }
        None
    }
}

/// `scaling_environments` at once, refilled evenly over `scaling_period_s`.
fn scaling_quota(profile: &LambdaProfile) -> Quota {
    let burst = NonZeroU32::new(profile.scaling_environments).unwrap_or(NonZeroU32::MIN);
    let one = Duration::from_secs_f64(profile.scaling_period_s / f64::from(burst.get()));
    Quota::with_period(one.max(Duration::from_nanos(1)))
        .map_or(Quota::per_second(burst), |quota| quota.allow_burst(burst))
}

/// An environment for one event; it goes back to its pool when this is dropped.
pub(super) struct Lease {
    pool: Arc<Pool>,
    /// None once it has crashed.
    held: Option<Held>,
    invoked: SystemTime,
    cold: bool,
}

impl Lease {
    /// Whether it needs a cold start.
    pub(super) fn is_cold(&self) -> bool {
        self.cold
    }

    /// Records the duration of its cold start.
    pub(super) fn initialized(&self, took: Duration) -> Duration {
        self.pool.init_duration.record(SystemTime::now(), took.as_secs_f64() * 1_000.0);
        took
    }

    /// The environment.
    pub(super) fn environment(&mut self) -> &mut dyn Environment {
        &mut *self.held().environment
    }

    fn held(&mut self) -> &mut Held {
        let Self { pool, held, .. } = self;
        held.get_or_insert_with(|| pool.start())
    }

    /// Adds what an invocation leaves behind in the memory of the environment; false if that exceeds its size, so that it
    /// is killed.
    pub(super) fn fits_memory(&mut self) -> bool {
        let memory = self.pool.memory;
        self.held().memory.leak(&memory)
    }

    /// Most memory that the environment has used, and its size, both in megabytes; none if that is not modelled.
    pub(super) fn memory_mb(&self) -> Option<(f64, u32)> {
        let used = self.held.as_ref()?.memory.used_mb()?;
        Some((used, self.pool.memory.size_mb))
    }

    /// Memory of the environment and the most that it has used, in megabytes: measured, or as the profile models it.
    pub(super) fn memory(&self) -> (u32, Option<u64>) {
        let measured = self.held.as_ref().and_then(|held| held.environment.memory_used_mb());
        let modelled = || self.memory_mb().map(|(used, _)| used.ceil() as u64);
        (self.pool.memory.size_mb, measured.or_else(modelled))
    }

    /// Records the result of the handler.
    pub(super) fn finish(&mut self, took: Duration, succeeded: bool) {
        let errors = if succeeded { 0.0 } else { 1.0 };
        self.pool.duration.record(self.invoked, took.as_secs_f64() * 1_000.0);
        self.pool.errors.record(self.invoked, errors);
        self.pool.account.finished(self.invoked, errors);
        if let Some((used, size)) = self.memory_mb() {
            self.pool.memory_utilization.record(self.invoked, used / f64::from(size) * 100.0);
        }
    }

    /// Discards it: the next event needs a cold start.
    pub(super) fn crash(&mut self) {
        self.held = None;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let held = self.held.take().and_then(|mut used| used.environment.rest().then_some(used));
        let mut environments = self.pool.environments.lock();
        environments.busy -= 1;
        environments.idle.extend(held.map(|held| (Instant::now(), held)));
        drop(environments);
        self.pool.return_unreserved();
        self.pool.account.ended();
    }
}
