//! The execution environments of one Lambda, and the account that they share.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::environment::{Environment, Home, Lambda};
use super::{InvokeError, LambdaProfile};
use crate::metrics::{Metrics, Series, Unit};

const NAMESPACE: &str = "AWS/Lambda";
/// The namespace of the Init duration, which `AWS/Lambda` does not have.
const INSIGHTS: &str = "LambdaInsights";

/// Concurrency of the whole account.
pub(super) struct Account {
    /// Unreserved concurrency.
    unreserved_limit: usize,
    unreserved_busy: AtomicUsize,
    busy: AtomicUsize,
    concurrency: Arc<Series>,
    invocations: Arc<Series>,
}

impl Account {
    pub(super) fn new(profile: &LambdaProfile, metrics: &Metrics) -> Self {
        Self {
            unreserved_limit: profile.account_concurrency.saturating_sub(profile.reserved()),
            unreserved_busy: AtomicUsize::new(0),
            busy: AtomicUsize::new(0),
            concurrency: metrics.series(NAMESPACE, "ConcurrentExecutions", Unit::Count, &[]),
            invocations: metrics.series(NAMESPACE, "Invocations", Unit::Count, &[]),
        }
    }

    pub(super) fn sample(&self) {
        let busy = self.busy.load(Relaxed);
        if busy > 0 {
            self.concurrency.record(SystemTime::now(), busy as f64);
        }
    }
}

/// The environments of one Lambda.
pub(super) struct Pool {
    lambda: Arc<Lambda>,
    home: Arc<dyn Home>,
    account: Arc<Account>,
    reserved: Option<usize>,
    idle_expiry: Duration,
    scaling: DefaultDirectRateLimiter,
    environments: Mutex<Environments>,
    concurrency: Arc<Series>,
    invocations: Arc<Series>,
    errors: Arc<Series>,
    throttles: Arc<Series>,
    duration: Arc<Series>,
    init_duration: Arc<Series>,
}

/// A warm environment, if there is one, and the number of busy ones.
type Admitted = (Option<Box<dyn Environment>>, usize);

/// The busy and the idle environments.
#[derive(Default)]
struct Environments {
    busy: usize,
    /// Idle environments, each with the time since when; the longest idle first.
    idle: VecDeque<(Instant, Box<dyn Environment>)>,
}

impl Pool {
    pub(super) fn new(
        lambda: Arc<Lambda>,
        home: Arc<dyn Home>,
        reserved: Option<usize>,
        profile: &LambdaProfile,
        metrics: &Metrics,
        account: Arc<Account>,
    ) -> Self {
        let series =
            |metric, unit| metrics.series(NAMESPACE, metric, unit, &[("FunctionName", &lambda.name)]);
        Self {
            account,
            reserved,
            idle_expiry: Duration::from_secs_f64(profile.idle_expiry_s),
            scaling: RateLimiter::direct(scaling_quota(profile)),
            environments: Mutex::default(),
            concurrency: series("ConcurrentExecutions", Unit::Count),
            invocations: series("Invocations", Unit::Count),
            errors: series("Errors", Unit::Count),
            throttles: series("Throttles", Unit::Count),
            duration: series("Duration", Unit::Milliseconds),
            init_duration: metrics.series(
                INSIGHTS,
                "init_duration",
                Unit::Milliseconds,
                &[("function_name", &lambda.name)],
            ),
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
                self.account.invocations.record(now, 1.0);
                let in_account = self.account.busy.fetch_add(1, Relaxed) + 1;
                self.account.concurrency.record(now, in_account as f64);
                let cold = warm.is_none();
                let environment = warm.unwrap_or_else(|| self.home.environment(&self.lambda));
                Ok(Lease { pool: Arc::clone(self), environment: Some(environment), invoked: now, cold })
            }
            Err(reason) => Err(self.throttle(reason)),
        }
    }

    /// Counts a throttled invocation.
    pub(super) fn throttle(&self, reason: &'static str) -> InvokeError {
        self.throttles.record(SystemTime::now(), 1.0);
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
            None => self.take_unreserved()?,
        }
        let warm = environments.awake(&mut over);
        if warm.is_none() && self.scaling.check().is_err() {
            self.return_unreserved();
            return Err("ConcurrentInvocationLimitExceeded");
        }
        environments.busy += 1;
        Ok((warm, environments.busy))
    }

    fn take_unreserved(&self) -> Result<(), &'static str> {
        let limit = self.account.unreserved_limit;
        self.account
            .unreserved_busy
            .fetch_update(Relaxed, Relaxed, |busy| (busy < limit).then_some(busy + 1))
            .map(|_| ())
            .map_err(|_| "ConcurrentInvocationLimitExceeded")
    }

    fn return_unreserved(&self) {
        if self.reserved.is_none() {
            self.account.unreserved_busy.fetch_sub(1, Relaxed);
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
    fn expire(&mut self, idle_expiry: Duration, over: &mut Vec<Box<dyn Environment>>) {
        while self.idle.front().is_some_and(|(since, _)| since.elapsed() >= idle_expiry) {
            over.extend(self.idle.pop_front().map(|(_, environment)| environment));
        }
    }

    /// The most recently used idle environment; ended ones are removed.
    fn awake(&mut self, over: &mut Vec<Box<dyn Environment>>) -> Option<Box<dyn Environment>> {
        while let Some((_, mut environment)) = self.idle.pop_back() {
            if environment.wake() {
                return Some(environment);
            }
            over.push(environment);
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
    environment: Option<Box<dyn Environment>>,
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
        let Self { pool, environment, .. } = self;
        &mut **environment.get_or_insert_with(|| pool.home.environment(&pool.lambda))
    }

    /// Memory of the environment and the most that it has used, in megabytes.
    pub(super) fn memory(&self) -> (u32, Option<u64>) {
        (super::process::MEMORY_MB, self.environment.as_ref().and_then(|used| used.memory_used_mb()))
    }

    /// Records the result of the handler.
    pub(super) fn finish(&mut self, took: Duration, succeeded: bool) {
        self.pool.duration.record(self.invoked, took.as_secs_f64() * 1_000.0);
        self.pool.errors.record(self.invoked, if succeeded { 0.0 } else { 1.0 });
    }

    /// Discards it: the next event needs a cold start.
    pub(super) fn crash(&mut self) {
        self.environment = None;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let environment = self.environment.take().and_then(|mut used| used.rest().then_some(used));
        let mut environments = self.pool.environments.lock();
        environments.busy -= 1;
        environments.idle.extend(environment.map(|environment| (Instant::now(), environment)));
        drop(environments);
        self.pool.return_unreserved();
        self.pool.account.busy.fetch_sub(1, Relaxed);
    }
}
