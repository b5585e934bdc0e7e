//! Lambda: one pool of execution environments per function, or one for all of them.
//!
//! An environment runs one event at a time. A free one is reused, the last used first; else a new one is started
//! (cold start), as far as reserved concurrency, the account's concurrency, the rate of invocations that goes with either
//! and the scaling rate allow; else the invocation is throttled. There is no queue, as on AWS: the caller handles throttles.

mod account;
pub(crate) mod endpoint;
mod environment;
mod memory;
mod pool;
pub mod process;
mod profile;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::FutureExt;
use reference_backend::function::{Deployment, Function, Layout};
use reference_backend::handlers::{Deps, HandlerError, dispatch};
use tokio::time::Instant;

use self::account::Account;
pub(crate) use self::endpoint::alias_arn;
use self::environment::InProcess;
pub use self::environment::{Call, Environment, Home, Lambda};
use self::memory::Memory;
use self::pool::{Lease, Pool};
pub use self::profile::{FunctionProfile, LambdaProfile};
use super::background::Background;
use super::distribution::{Delay, Rate};
use super::metrics::Metrics;

/// Runs a function synchronously (`RequestResponse`). The gateway, the stream pollers and SNS call this.
#[async_trait]
pub trait Invoke: Send + Sync {
    /// Passes `payload` (the JSON event) to one execution environment and waits for its JSON answer. Dropping the
    /// future abandons the handler; a caller whose own client may go away spawns the invocation.
    ///
    /// # Errors
    /// As [`InvokeError`] tells.
    async fn invoke(&self, function: Function, payload: Bytes) -> Result<Bytes, InvokeError>;
}

/// Why an invocation gave no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InvokeError {
    /// 429: no environment was free and none could be started. Counts as `Throttles`, not as an invocation.
    #[error("throttled: {reason}")]
    Throttled {
        /// AWS's `Reason`, e.g. `ReservedFunctionConcurrentInvocationLimitExceeded`.
        reason: &'static str,
    },
    /// The handler returned an error or panicked. Counts as `Errors`.
    #[error("{error_type}: {message}")]
    Function {
        /// `errorType` of the Lambda error object; `Unauthorized` handling depends on `message`, as on AWS.
        error_type: String,
        /// `errorMessage`.
        message: String,
    },
    /// The function ran longer than its time-out. Counts as `Errors`.
    #[error("task timed out after {seconds:.2} seconds")]
    TimedOut {
        /// The function's time-out.
        seconds: f64,
    },
}

/// `errorType` of an environment that has used up its memory.
const OUT_OF_MEMORY: &str = "Runtime.OutOfMemory";

impl InvokeError {
    /// The environment needs more memory than it has. AWS's own text is not documented.
    fn out_of_memory() -> Self {
        Self::Function {
            error_type: OUT_OF_MEMORY.into(),
            message: "Error: Runtime exited with error: signal: killed".into(),
        }
    }

    /// Whether the environment is killed, so that the next event needs a cold start.
    fn kills(&self) -> bool {
        matches!(self, Self::Function { error_type, .. } if error_type == OUT_OF_MEMORY)
    }
}

/// The code that an environment runs.
#[async_trait]
pub trait Code: Send + Sync {
    /// Handles one event.
    ///
    /// # Errors
    /// As the handler's.
    async fn run(&self, function: Function, payload: Bytes) -> Result<Vec<u8>, HandlerError>;
}

#[async_trait]
impl Code for Deps {
    async fn run(&self, function: Function, payload: Bytes) -> Result<Vec<u8>, HandlerError> {
        dispatch(function, self, &payload).await
    }
}

/// The account's Lambda service.
pub struct LambdaPools {
    /// By function, in the order of [`Function::ALL`].
    functions: Vec<Deployed>,
    _sampler: Background,
}

/// A deployed function.
struct Deployed {
    /// Its environments; shared by all functions in the single layout.
    pool: Arc<Pool>,
    init: Delay,
    duration: Delay,
    error_rate: Rate,
    throttle_rate: Rate,
    timeout: Duration,
}

impl LambdaPools {
    /// Deploys `code`, in this process, as every function. Must be called inside a tokio runtime: a task samples the
    /// concurrency once a second for as long as this lives.
    #[must_use]
    pub fn new(
        profile: &LambdaProfile,
        deployment: &Deployment,
        metrics: &Metrics,
        code: Arc<dyn Code>,
    ) -> Arc<Self> {
        Self::at_home(profile, deployment, metrics, Arc::new(InProcess(code)))
    }

    /// As [`new`](Self::new), with the environments of `home`.
    #[must_use]
    pub fn at_home(
        profile: &LambdaProfile,
        deployment: &Deployment,
        metrics: &Metrics,
        home: Arc<dyn Home>,
    ) -> Arc<Self> {
        let account = Arc::new(Account::new(profile, metrics));
        let new_pool = |function, reserved| {
            let own = profile.functions.get(&function).and_then(|own| own.timeout_s);
            let memory = Memory::new(profile, (profile.layout == Layout::PerOperation).then_some(function));
            let lambda = Arc::new(Lambda {
                name: deployment.lambda_name(profile.layout, function),
                function: (profile.layout == Layout::PerOperation).then_some(function),
                timeout: Duration::from_secs_f64(own.unwrap_or(profile.timeout_s)),
                memory_mb: memory.size_mb,
            });
            let (home, account) = (Arc::clone(&home), Arc::clone(&account));
            Arc::new(Pool::new(lambda, home, reserved, memory, profile, metrics, account))
        };
        let shared = match profile.layout {
            Layout::Single => Some(new_pool(Function::Default, profile.reserved_concurrency)),
            Layout::PerOperation => None,
        };
        let functions: Vec<_> = Function::ALL
            .iter()
            .map(|&function| {
                let own = profile.functions.get(&function).copied().unwrap_or_default();
                let pool = shared.clone().unwrap_or_else(|| {
                    new_pool(function, own.reserved_concurrency.or(profile.reserved_concurrency))
                });
                Deployed {
                    pool,
                    init: own.init.unwrap_or(profile.init),
                    duration: own.duration.unwrap_or(profile.duration),
                    error_rate: own.error_rate.unwrap_or(profile.error_rate),
                    throttle_rate: own.throttle_rate.unwrap_or(profile.throttle_rate),
                    timeout: Duration::from_secs_f64(own.timeout_s.unwrap_or(profile.timeout_s)),
                }
            })
            .collect();
        let mut pools: Vec<Arc<Pool>> = functions.iter().map(|deployed| Arc::clone(&deployed.pool)).collect();
        pools.dedup_by(|a, b| Arc::ptr_eq(a, b));
        Arc::new(Self { functions, _sampler: Background::with(sample(account, pools)) })
    }
}

impl Deployed {
    /// Runs the handler with the latency and faults of the profile.
    async fn handle(
        &self,
        lease: &mut Lease,
        function: Function,
        payload: Bytes,
        init: Option<Duration>,
    ) -> Result<Bytes, InvokeError> {
        let (deadline, started) = (SystemTime::now() + self.timeout, Instant::now());
        self.duration.wait().await;
        if self.error_rate.hits() {
            return Err(InvokeError::Function {
                error_type: "InjectedFault".into(),
                message: format!("{} failed as its error_rate in the profile asks", function.short_name()),
            });
        }
        if !lease.fits_memory() {
            return Err(InvokeError::out_of_memory());
        }
        lease.environment().run(Call { function, payload, deadline, started, init }).await
    }
}

#[async_trait]
impl Invoke for LambdaPools {
    async fn invoke(&self, function: Function, payload: Bytes) -> Result<Bytes, InvokeError> {
        let deployed = &self.functions[function as usize];
        if deployed.throttle_rate.hits() {
            return Err(deployed.pool.throttle("ConcurrentInvocationLimitExceeded"));
        }
        let mut lease = deployed.pool.take()?;
        let mut init = None;
        if lease.is_cold() {
            let begin = Instant::now();
            deployed.init.wait().await;
            if let Err(error) = lease.environment().start().await {
                lease.finish(Duration::ZERO, false);
                lease.crash();
                return Err(error);
            }
            init = Some(lease.initialized(begin.elapsed()));
        }
        let handling = AssertUnwindSafe(deployed.handle(&mut lease, function, payload, init)).catch_unwind();
        let started = Instant::now();
        let outcome = tokio::time::timeout(deployed.timeout, handling).await;
        lease.finish(started.elapsed(), matches!(outcome, Ok(Ok(Ok(_)))));
        match outcome {
            Ok(Ok(answer)) => {
                if matches!(&answer, Err(error) if error.kills()) {
                    lease.crash();
                }
                answer
            }
            Ok(Err(panic)) => {
                lease.crash();
                Err(InvokeError::Function {
                    error_type: "Runtime.ExitError".into(),
                    message: panic_text(&*panic),
                })
            }
            Err(_elapsed) => {
                lease.crash();
                Err(InvokeError::TimedOut { seconds: deployed.timeout.as_secs_f64() })
            }
        }
    }
}

/// The message of a panic.
fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let said =
        panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    format!("the handler panicked: {}", said.unwrap_or("without a message"))
}

/// Samples the concurrency every second, so that long invocations show in each of their seconds.
async fn sample(account: Arc<Account>, pools: Vec<Arc<Pool>>) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    loop {
        ticks.tick().await;
        account.sample();
        pools.iter().for_each(|pool| pool.sample());
    }
}

#[cfg(test)]
mod tests;
