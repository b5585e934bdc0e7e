//! API Gateway's WebSocket front door.
//!
//! A connection is a request that the authorizer and `$connect` let through, then a socket whose messages each run a
//! Lambda, then a `$disconnect`. [`Connections`] is the other way in: pushes to a socket by its id.
//!
//! It has two halves. The [`door`] has the sockets, and decides nothing; this half decides, and has no sockets. They
//! share a process, or each [front door](front) is a process of its own with a descriptor limit of its own.

mod authorizer;
mod connections;
mod door;
mod event;
mod faults;
pub mod front;
mod guard;
mod handshake;
pub mod iam;
mod id;
mod limits;
mod mailbox;
mod meters;
mod open;
mod profile;
mod rest;
pub mod route;
mod session;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use authorizer::{Authorizer, Denial, IdentitySource};
pub use connections::{ConnectionIdentity, ConnectionInfo, Connections};
pub use event::Api;
pub use faults::FaultCounts;
pub use guard::Guard;
pub use id::Id;
pub use profile::{GatewayProfile, GatewayProfileError};
use reference_backend::function::Function;
use reference_backend::json;
pub use rest::RestMethod;

use crate::lambda::{Invoke, InvokeError};
use crate::metrics::Metrics;
use connections::Connection;
use door::Door;
use handshake::error_body;
use meters::{count, count_many};

pub(crate) use profile::limit;

/// What every part of the gateway shares.
pub(crate) struct Edge {
    api: Api,
    profile: GatewayProfile,
    limits: limits::Limits,
    faults: faults::Faults,
    meters: meters::Meters,
}

/// The front door.
pub struct Gateway {
    edge: Arc<Edge>,
    connections: Connections,
    lambda: Arc<dyn Invoke>,
    gatekeeper: guard::Gatekeeper,
    rest: meters::RestMeters,
    tasks: TaskTracker,
    closing: CancellationToken,
}

/// A Lambda's answer to a proxy event.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProxyResult {
    status_code: u16,
    #[serde(default)]
    headers: Option<std::collections::HashMap<String, String>>,
    #[serde(default)]
    body: Option<String>,
}

/// Why a Lambda behind a route gave no usable answer.
#[derive(Debug, thiserror::Error)]
enum IntegrationError {
    #[error("Endpoint request timed out")]
    TimedOut,
    #[error("Internal server error")]
    Failed(#[source] InvokeError),
    #[error("Internal server error")]
    Malformed(#[source] serde_json::Error),
}

impl Connections {
    /// The connections of a new API; `seed` draws its faults.
    #[must_use]
    pub fn of(api: Api, profile: GatewayProfile, metrics: &Metrics, seed: u64) -> Self {
        let (limits, faults) = (limits::Limits::new(&profile), faults::Faults::new(&profile, seed));
        let meters = meters::Meters::new(metrics, &api);
        Self::new(Arc::new(Edge { api, profile, limits, faults, meters }))
    }
}

impl Gateway {
    /// The front door of the API whose connections these are.
    #[must_use]
    pub fn new(
        connections: Connections,
        lambda: Arc<dyn Invoke>,
        guard: Guard,
        metrics: &Metrics,
    ) -> Arc<Self> {
        let edge = connections.edge();
        Arc::new(Self {
            rest: meters::RestMeters::new(metrics, &edge.api),
            edge,
            connections,
            gatekeeper: guard::Gatekeeper::new(guard, Arc::clone(&lambda)),
            lambda,
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
        })
    }

    /// The open connections.
    #[must_use]
    pub const fn connections(&self) -> &Connections {
        &self.connections
    }

    /// Takes connections in this process until [`stop`](Self::stop).
    pub async fn serve(self: Arc<Self>, listener: TcpListener) {
        let (tasks, closing) = (self.tasks.clone(), self.closing.clone());
        Door::new(self, tasks, closing).serve(listener).await;
    }

    /// Takes no more connections and closes every socket.
    pub fn stop(&self) {
        self.closing.cancel();
        self.connections.close_all();
        self.tasks.close();
    }

    /// The same, and waits, at most for `grace`, until each socket has had its `$disconnect`.
    pub async fn close(&self, grace: Duration) {
        self.stop();
        if tokio::time::timeout(grace, self.tasks.wait()).await.is_err() {
            tracing::warn!(connections = self.tasks.len(), "not every connection ended in time");
        }
    }

    /// A client has said something.
    fn receive(self: &Arc<Self>, connection: &Arc<Connection>, body: Utf8Bytes) {
        connection.touch();
        count(&self.edge.meters.messages);
        tokio::spawn(Arc::clone(self).message(Arc::clone(connection), body));
    }

    /// A socket has taken frames.
    fn sent(&self, connection: &Connection, frames: usize, bytes: usize) {
        connection.taken(bytes);
        count_many(&self.edge.meters.messages, frames);
    }

    /// Handles one message of a socket and queues its answer.
    async fn message(self: Arc<Self>, connection: Arc<Connection>, body: Utf8Bytes) {
        let answer = self.answer(&connection, &body).await;
        if answer.is_some() {
            self.edge.profile.ack_delay.wait().await;
        }
        self.connections.answer(&connection, answer.map(Into::into));
    }

    async fn answer(&self, connection: &Connection, body: &str) -> Option<String> {
        let (client, request) = (&connection.client, Id::random());
        let failure = |message: &str| Some(error_body(message, client.id, request));
        if !self.edge.limits.admits_request() {
            count(&self.edge.meters.client_errors);
            return failure("Too Many Requests");
        }
        let route = route::select(body);
        let event = event::message(&self.edge.api, client, route.key(), body, request);
        match self.integrate(route.function(), event).await {
            Ok(result) if result.status_code < 300 || self.edge.profile.forward_error_bodies => {
                result.body.filter(|body| !body.is_empty())
            }
            Ok(_) => failure("Internal server error"),
            Err(error) => failure(&error.to_string()),
        }
    }

    /// Runs the Lambda behind a route of the WebSocket API and takes its measure.
    async fn integrate(&self, function: Function, event: Bytes) -> Result<ProxyResult, IntegrationError> {
        let (at, started) = (SystemTime::now(), Instant::now());
        let result = self.call(function, event).await;
        let meters = &self.edge.meters;
        meters.integration(at, started.elapsed());
        match &result {
            Ok(result) if result.status_code >= 400 => count(&meters.integration_errors),
            Ok(_) => {}
            Err(_) => count(&meters.execution_errors),
        }
        result
    }

    /// Runs a Lambda behind a proxy integration.
    async fn call(&self, function: Function, event: Bytes) -> Result<ProxyResult, IntegrationError> {
        let invocation = self.lambda.invoke(function, event);
        let answer = match limit(self.edge.profile.integration_timeout_s) {
            Some(limit) => {
                tokio::time::timeout(limit, invocation).await.map_err(|_| IntegrationError::TimedOut)?
            }
            None => invocation.await,
        };
        let result = answer
            .map_err(IntegrationError::Failed)
            .and_then(|answer| json::read(&answer).map_err(IntegrationError::Malformed));
        if let Err(error) = &result {
            let cause = std::error::Error::source(error).map(ToString::to_string);
            tracing::debug!(?function, %error, cause, "integration failed");
        }
        result
    }
}
