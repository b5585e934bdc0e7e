//! The Lambda Runtime API of one execution environment.
//!
//! Each environment has a listener of its own, so a process can only answer its own events. The endpoints pass every
//! call to the environment, which knows which call is valid next.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use crate::web::Hosts;

/// Largest answer of a synchronous invocation, as AWS's error message has it.
const MAX_ANSWER: usize = 6_291_556;

/// A call of the process. A dropped reply channel refuses the call.
#[derive(Debug)]
pub(super) enum RuntimeCall {
    /// It waits for the next event.
    Next(oneshot::Sender<NextInvocation>),
    /// It has handled the event with this id.
    Done {
        /// Request id.
        id: String,
        /// The handler's answer, or its error.
        outcome: Result<Bytes, Failure>,
        /// Confirms that the id is valid.
        accepted: oneshot::Sender<()>,
    },
    /// Its initialisation failed.
    InitError(Failure),
}

/// A Lambda error object.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Failure {
    pub(super) error_type: String,
    pub(super) error_message: String,
}

impl Default for Failure {
    fn default() -> Self {
        Self { error_type: "Runtime.Unknown".into(), error_message: "the runtime gave no reason".into() }
    }
}

impl Failure {
    pub(super) fn new(error_type: &str, error_message: impl Into<String>) -> Self {
        Self { error_type: error_type.into(), error_message: error_message.into() }
    }

    /// The error object of a request; the type may be in a header.
    fn read(headers: &HeaderMap, body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_else(|_| {
            let named = headers.get("lambda-runtime-function-error-type").and_then(|name| name.to_str().ok());
            named.map_or_else(Self::default, |name| Self::new(name, String::from_utf8_lossy(body)))
        })
    }
}

/// One event for the process.
#[derive(Debug)]
pub(super) struct NextInvocation {
    pub(super) id: String,
    pub(super) arn: String,
    pub(super) deadline: SystemTime,
    pub(super) payload: Bytes,
}

impl IntoResponse for NextInvocation {
    fn into_response(self) -> Response {
        let since = |at: SystemTime| at.duration_since(UNIX_EPOCH).unwrap_or_default();
        let (id, trace) = (self.id, Uuid::new_v4().simple().to_string());
        let trace = format!("Root=1-{:08x}-{};Sampled=0", since(SystemTime::now()).as_secs(), &trace[..24]);
        let headers = [
            ("lambda-runtime-aws-request-id", id),
            ("lambda-runtime-deadline-ms", since(self.deadline).as_millis().to_string()),
            ("lambda-runtime-invoked-function-arn", self.arn),
            ("lambda-runtime-trace-id", trace),
        ];
        (headers, [(header::CONTENT_TYPE, "application/json")], self.payload).into_response()
    }
}

/// The API of one environment. Dropping it stops the server.
#[derive(Debug)]
pub(super) struct RuntimeApi {
    /// The value of `AWS_LAMBDA_RUNTIME_API`.
    pub(super) address: SocketAddr,
    /// Calls of the process.
    pub(super) calls: mpsc::UnboundedReceiver<RuntimeCall>,
    _server: AbortOnDropHandle<()>,
}

impl RuntimeApi {
    /// Serves on a free port of the loopback interface.
    pub(super) async fn serve() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (sender, calls) = mpsc::unbounded_channel();
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .with_state(sender);
        // A page in a browser must not answer for the process.
        let router = Hosts::new(address.ip(), &[]).guard(router);
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the runtime API of an environment has stopped");
            }
        });
        Ok(Self { address, calls, _server: AbortOnDropHandle::new(server) })
    }
}

type Calls = State<mpsc::UnboundedSender<RuntimeCall>>;

async fn next(State(calls): Calls) -> Response {
    let (give, given) = oneshot::channel();
    if calls.send(RuntimeCall::Next(give)).is_err() {
        return refusal(StatusCode::INTERNAL_SERVER_ERROR, "Container.Ended");
    }
    match given.await {
        Ok(event) => event.into_response(),
        Err(_) => refusal(StatusCode::FORBIDDEN, "InvalidStateTransition"),
    }
}

async fn response(State(calls): Calls, Path(id): Path<String>, body: Body) -> Response {
    let answer = to_bytes(body, MAX_ANSWER).await.map_err(|_| {
        let text =
            format!("Response payload size exceeded maximum allowed payload size ({MAX_ANSWER} bytes).");
        Failure::new("Function.ResponseSizeTooLarge", text)
    });
    let fits = answer.is_ok();
    let accepted = done(&calls, id, answer).await;
    if fits { accepted } else { refusal(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge") }
}

async fn error(State(calls): Calls, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    done(&calls, id, Err(Failure::read(&headers, &body))).await
}

async fn init_error(State(calls): Calls, headers: HeaderMap, body: Bytes) -> Response {
    // The environment may have ended.
    let _ = calls.send(RuntimeCall::InitError(Failure::read(&headers, &body)));
    accepted_response()
}

async fn done(
    calls: &mpsc::UnboundedSender<RuntimeCall>,
    id: String,
    outcome: Result<Bytes, Failure>,
) -> Response {
    let (accept, accepted) = oneshot::channel();
    let sent = calls.send(RuntimeCall::Done { id, outcome, accepted: accept }).is_ok();
    if sent && accepted.await.is_ok() {
        accepted_response()
    } else {
        refusal(StatusCode::BAD_REQUEST, "InvalidRequestID")
    }
}

fn accepted_response() -> Response {
    (StatusCode::ACCEPTED, Json(json!({ "status": "OK" }))).into_response()
}

fn refusal(status: StatusCode, error_type: &str) -> Response {
    let text = format!("the local stack refuses this: {error_type}");
    (status, Json(json!({ "errorType": error_type, "errorMessage": text }))).into_response()
}
