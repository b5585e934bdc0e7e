//! The execution environments of one Lambda, and the account that they share.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::{InvokeError, LambdaProfile};
use crate::local::metrics::{Metrics, Series, Unit};

const NAMESPACE: &str = "AWS/Lambda";

/// Concurrency of the whole account.
pub(super) struct Account {
    /// Environments that Lambdas without a reservation may use together.
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
}

/// What is running and what is waiting for an event.
#[derive(Default)]
struct Environments {
    busy: usize,
    /// When each idle environment fell idle, the longest idle first.
    idle: VecDeque<Instant>,
}

impl Pool {
    pub(super) fn new(
        name: &str,
        reserved: Option<usize>,
        profile: &LambdaProfile,
        metrics: &Metrics,
        account: Arc<Account>,
    ) -> Self {
        let series = |metric, unit| metrics.series(NAMESPACE, metric, unit, &[("FunctionName", name)]);
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
        }
    }

    /// Takes a free environment or starts one.
    pub(super) fn take(self: &Arc<Self>) -> Result<Environment, InvokeError> {
        let now = SystemTime::now();
        match self.admit() {
            Ok((cold, busy)) => {
                self.invocations.record(now, 1.0);
                self.throttles.record(now, 0.0);
                self.concurrency.record(now, busy as f64);
                self.account.invocations.record(now, 1.0);
                let in_account = self.account.busy.fetch_add(1, Relaxed) + 1;
                self.account.concurrency.record(now, in_account as f64);
                Ok(Environment { pool: Arc::clone(self), invoked: now, cold, crashed: false })
            }
            Err(reason) => Err(self.throttle(reason)),
        }
    }

    /// Counts an invocation that is not let in.
    pub(super) fn throttle(&self, reason: &'static str) -> InvokeError {
        self.throttles.record(SystemTime::now(), 1.0);
        InvokeError::Throttled { reason }
    }

    /// Whether the environment is new, and how many are busy now; or why there is none.
    fn admit(&self) -> Result<(bool, usize), &'static str> {
        let mut environments = self.environments.lock();
        environments.expire(self.idle_expiry);
        match self.reserved {
            Some(reserved) if environments.busy >= reserved => {
                return Err("ReservedFunctionConcurrentInvocationLimitExceeded");
            }
            Some(_) => {}
            None => self.take_unreserved()?,
        }
        let cold = environments.idle.pop_back().is_none();
        if cold && self.scaling.check().is_err() {
            self.return_unreserved();
            return Err("ConcurrentInvocationLimitExceeded");
        }
        environments.busy += 1;
        Ok((cold, environments.busy))
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
        let busy = {
            let mut environments = self.environments.lock();
            environments.expire(self.idle_expiry);
            environments.busy
        };
        if busy > 0 {
            self.concurrency.record(SystemTime::now(), busy as f64);
        }
    }
}

impl Environments {
    fn expire(&mut self, idle_expiry: Duration) {
        while self.idle.front().is_some_and(|since| since.elapsed() >= idle_expiry) {
            self.idle.pop_front();
        }
    }
}

/// `scaling_environments` at once, refilled evenly over `scaling_period_s`.
fn scaling_quota(profile: &LambdaProfile) -> Quota {
    let burst = NonZeroU32::new(profile.scaling_environments).unwrap_or(NonZeroU32::MIN);
    let one = Duration::from_secs_f64(profile.scaling_period_s / f64::from(burst.get()));
    Quota::with_period(one.max(Duration::from_nanos(1)))
        .map_or(Quota::per_second(burst), |quota| quota.allow_burst(burst))
}

/// An environment that handles one event; it goes back to its pool when dropped.
pub(super) struct Environment {
    pool: Arc<Pool>,
    invoked: SystemTime,
    cold: bool,
    crashed: bool,
}

impl Environment {
    /// Whether it has to be initialised first.
    pub(super) fn is_cold(&self) -> bool {
        self.cold
    }

    /// Notes how the handler fared.
    pub(super) fn finish(&mut self, took: Duration, succeeded: bool) {
        self.pool.duration.record(self.invoked, took.as_secs_f64() * 1_000.0);
        self.pool.errors.record(self.invoked, if succeeded { 0.0 } else { 1.0 });
    }

    /// Its process is gone: the next event needs a cold start.
    pub(super) fn crash(&mut self) {
        self.crashed = true;
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        let mut environments = self.pool.environments.lock();
        environments.busy -= 1;
        if !self.crashed {
            environments.idle.push_back(Instant::now());
        }
        drop(environments);
        self.pool.return_unreserved();
        self.pool.account.busy.fetch_sub(1, Relaxed);
    }
}
