//! The Lambda of the reference backend: one executable for every function, which the SAM templates deploy.
//!
//! `BACKEND_FUNCTION` says which function an environment is; where it is left out, each event tells (the single
//! layout). What an environment needs is made once, before the first event, so that clients and their connections are
//! warm for those that follow. If that fails the process ends: Lambda reports a failed Init, the log says why.

mod logs;
mod second_metrics;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use aws_config::BehaviorVersion;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use reference_backend::function::Function;
use reference_backend::handlers::{Deps, HandlerError, dispatch};
use reference_backend_aws::dynamodb::DynamoTables;
use reference_backend_aws::environment::{Environment, EnvironmentError};
use reference_backend_aws::event::{self, EventError};
use reference_backend_aws::fetch::SetupError;
use reference_backend_aws::wiring;
use serde_json::value::RawValue;

use self::second_metrics::SecondMetrics;

/// Why an environment cannot start.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    #[error(transparent)]
    Identity(#[from] SetupError),
}

/// Why an event failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Event(#[from] EventError),
    #[error(transparent)]
    Handler(#[from] HandlerError),
    #[error("the answer is no JSON: {0}")]
    Answer(#[from] serde_json::Error),
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        let error_type = match &failure {
            Failure::Event(_) => "InvalidEvent",
            Failure::Handler(error) => error.error_type(),
            Failure::Answer(_) => "InvalidAnswer",
        };
        Self { error_type: error_type.into(), error_message: failure.to_string() }
    }
}

/// What an environment works with.
struct Backend {
    function: Option<Function>,
    deps: Deps,
    /// None unless they are asked for.
    metrics: Option<SecondMetrics>,
}

impl Backend {
    async fn start() -> Result<Self, StartError> {
        let environment = Environment::read(|name| std::env::var(name).ok())?;
        let config =
            aws_config::defaults(BehaviorVersion::latest()).http_client(sdk_http::client()).load().await;
        let client = aws_sdk_dynamodb::Client::new(&config);
        let tables = DynamoTables::new(client, |table| environment.table_name(table).to_owned());
        let deps = wiring::deps(&environment, &config, Arc::new(tables))?;
        let metrics = environment.second_metrics.then(SecondMetrics::new);
        Ok(Self { function: environment.function, deps, metrics })
    }

    /// Handles one event, and writes its metrics.
    async fn invoke(&self, payload: &RawValue) -> Result<Box<RawValue>, Failure> {
        let Some(metrics) = &self.metrics else { return self.handle(payload).await };
        let started = Instant::now();
        let outcome = self.handle(payload).await;
        metrics.write(payload.get(), started.elapsed(), outcome.is_ok());
        outcome
    }

    async fn handle(&self, payload: &RawValue) -> Result<Box<RawValue>, Failure> {
        let payload = payload.get().as_bytes();
        let function = self.function.map_or_else(|| event::function_of(payload), Ok)?;
        let answer = dispatch(function, &self.deps, payload).await?;
        Ok(serde_json::from_slice(&answer)?)
    }
}

/// One event at a time needs one thread.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    logs::start();
    let backend = match Backend::start().await {
        Ok(backend) => backend,
        Err(error) => {
            tracing::error!(%error, "this environment cannot start");
            return ExitCode::FAILURE;
        }
    };
    let backend = &backend;
    let handler = service_fn(|event: LambdaEvent<Box<RawValue>>| async move {
        backend.invoke(&event.payload).await.map_err(Diagnostic::from)
    });
    match lambda_runtime::run(handler).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the Runtime API has failed");
            ExitCode::FAILURE
        }
    }
}
