//! The account that all Lambdas share: its concurrency, its rate of invocations, its series without a dimension.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::SystemTime;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use super::LambdaProfile;
use crate::metrics::{Metrics, Series, Unit};

/// The namespace of Lambda's metrics.
pub(super) const NAMESPACE: &str = "AWS/Lambda";

/// What the Lambdas of an account share.
pub(super) struct Account {
    /// Concurrency that is set aside for single Lambdas, used or not.
    reserved: usize,
    unreserved_limit: usize,
    /// Busy unreserved environments, with those of other functions.
    unreserved_busy: AtomicUsize,
    /// All busy environments, with those of other functions.
    busy: AtomicUsize,
    rate: Option<DefaultDirectRateLimiter>,
    concurrency: Arc<Series>,
    unreserved: Arc<Series>,
    claimed: Arc<Series>,
    invocations: Arc<Series>,
    errors: Arc<Series>,
    throttles: Arc<Series>,
}

impl Account {
    pub(super) fn new(profile: &LambdaProfile, metrics: &Metrics) -> Self {
        let series = |metric| metrics.series(NAMESPACE, metric, Unit::Count, &[]);
        let (reserved, foreign) = (profile.reserved(), profile.foreign_concurrency);
        Self {
            reserved,
            unreserved_limit: profile.account_concurrency.saturating_sub(reserved),
            unreserved_busy: AtomicUsize::new(foreign),
            busy: AtomicUsize::new(foreign),
            rate: rate_limiter(profile, profile.account_concurrency),
            concurrency: series("ConcurrentExecutions"),
            unreserved: series("UnreservedConcurrentExecutions"),
            claimed: series("ClaimedAccountConcurrency"),
            invocations: series("Invocations"),
            errors: series("Errors"),
            throttles: series("Throttles"),
        }
    }

    /// Takes an unreserved environment; none is left when all are busy.
    pub(super) fn take_unreserved(&self) -> Result<(), &'static str> {
        let limit = self.unreserved_limit;
        self.unreserved_busy
            .fetch_update(Relaxed, Relaxed, |busy| (busy < limit).then_some(busy + 1))
            .map(|_| ())
            .map_err(|_| "ConcurrentInvocationLimitExceeded")
    }

    /// Returns an unreserved environment.
    pub(super) fn return_unreserved(&self) {
        self.unreserved_busy.fetch_sub(1, Relaxed);
    }

    /// Whether one more invocation is within the account's rate.
    pub(super) fn admits_request(&self) -> bool {
        self.rate.as_ref().is_none_or(|rate| rate.check().is_ok())
    }

    /// Counts an invocation.
    pub(super) fn begun(&self, now: SystemTime) {
        self.invocations.record(now, 1.0);
        self.record(now, self.busy.fetch_add(1, Relaxed) + 1);
    }

    /// Counts the outcome of an invocation that began at `invoked`.
    pub(super) fn finished(&self, invoked: SystemTime, errors: f64) {
        self.errors.record(invoked, errors);
    }

    /// Counts an invocation as over.
    pub(super) fn ended(&self) {
        self.busy.fetch_sub(1, Relaxed);
    }

    /// Counts a throttled invocation. Unlike a Lambda's own series, the account's has no zeros.
    pub(super) fn throttled(&self, now: SystemTime) {
        self.throttles.record(now, 1.0);
    }

    /// Records the concurrency of a moment.
    pub(super) fn sample(&self) {
        let busy = self.busy.load(Relaxed);
        if busy + self.reserved > 0 {
            self.record(SystemTime::now(), busy);
        }
    }

    fn record(&self, now: SystemTime, busy: usize) {
        let unreserved = self.unreserved_busy.load(Relaxed);
        self.concurrency.record(now, busy as f64);
        self.unreserved.record(now, unreserved as f64);
        self.claimed.record(now, (unreserved + self.reserved) as f64);
    }
}

/// `requests_per_concurrency` invocations a second for each unit of `concurrency`, and a burst of one second's; none is
/// without limit. AWS documents the rate, not the burst.
pub(super) fn rate_limiter(profile: &LambdaProfile, concurrency: usize) -> Option<DefaultDirectRateLimiter> {
    let concurrency = u32::try_from(concurrency).unwrap_or(u32::MAX);
    let per_second = profile.requests_per_concurrency.saturating_mul(concurrency);
    NonZeroU32::new(per_second).map(|per_second| RateLimiter::direct(Quota::per_second(per_second)))
}
