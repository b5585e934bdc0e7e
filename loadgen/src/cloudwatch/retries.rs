//! Which calls are tried again: throttled ones for a while, for CloudWatch allows an account so many a second and others
//! may be asking, too; an endpoint at which nothing listens is not retried at all.

use std::error::Error;
use std::io;
use std::time::Duration;

use aws_sdk_cloudwatch::config::interceptors::InterceptorContext;
use aws_sdk_cloudwatch::config::retry::{ClassifyRetry, RetryAction, RetryConfig};
use aws_sdk_cloudwatch::config::timeout::TimeoutConfig;

/// Calls in place of one, at most.
const ATTEMPTS: u32 = 8;
/// The longest first pause; each further one may be twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// How long one call may take.
const ATTEMPT: Duration = Duration::from_secs(20);
/// How long it may take with all its repetitions.
const OPERATION: Duration = Duration::from_secs(120);

pub(super) fn policy() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(FIRST_PAUSE)
        .with_max_backoff(LONGEST_PAUSE)
}

pub(super) fn patience() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build()
}

/// A refused connection is not retried: a local stack that has ended does not come back.
#[derive(Debug)]
pub(super) struct NotListening;

impl ClassifyRetry for NotListening {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let error = context.output_or_error().and_then(Result::err);
        let connector = error.and_then(|error| error.as_connector_error());
        if connector.is_some_and(|error| is_refusal(error)) {
            RetryAction::RetryForbidden
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "not listening"
    }
}

/// Whether a refused connection is at the bottom of an error.
pub(super) fn is_refusal(error: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| (*error).source())
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}
