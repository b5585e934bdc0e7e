//! The gateway: handles handshakes, messages and the ends of connections.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::request;
use axum::response::Response;
use reference_backend::function::Function;
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::admission::{Admission, Refusal};
use super::connections::{Connection, Connections, Transport, going_away};
use super::door::Door;
use super::edge::Edge;
use super::event::{self, Client};
use super::guard::{Guard, RequestGuard};
use super::handler::{Authorization, ConnectionHandler, End, OpenConnection};
use super::handshake::{acceptance, denied, error_body, parse, refusal, refusal_with};
use super::id::Id;
use super::integration::Integration;
use super::mailbox::Mailbox;
use super::meters::{RestMeters, count, count_many};
use super::profile::GatewayProfile;
use super::rest::{RestApi, RestMethod};
use super::route;
use crate::lambda::Invoke;
use crate::metrics::Metrics;

/// The WebSocket API and the REST API beside it.
pub struct Gateway {
    pub(super) edge: Arc<Edge>,
    connections: Connections,
    integration: Integration,
    admission: Admission,
    rest: RestApi,
    /// Tasks that a shutdown waits for.
    pub(super) tasks: TaskTracker,
    pub(super) closing: CancellationToken,
}

/// A connection that has been let in.
pub(super) struct Admitted {
    pub(super) connection: Arc<Connection>,
    /// HTTP's 101.
    pub(super) response: Vec<u8>,
    /// Fault: the connection will be cut.
    pub(super) cut: bool,
}

impl Gateway {
    /// The gateway of the API whose connections these are.
    #[must_use]
    pub fn new(
        connections: Connections,
        lambda: Arc<dyn Invoke>,
        guard: Guard,
        metrics: &Metrics,
    ) -> Arc<Self> {
        let edge = connections.edge();
        let request_guard = Arc::new(RequestGuard::new(guard, Arc::clone(&lambda)));
        let integration = Integration::new(Arc::clone(&edge), lambda);
        Arc::new(Self {
            admission: Admission {
                edge: Arc::clone(&edge),
                guard: Arc::clone(&request_guard),
                integration: integration.clone(),
            },
            rest: RestApi {
                edge: Arc::clone(&edge),
                guard: request_guard,
                integration: integration.clone(),
                meters: RestMeters::new(metrics, &edge.api),
            },
            edge,
            connections,
            integration,
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

    /// A client has sent a message.
    pub(super) fn receive(self: &Arc<Self>, connection: &Arc<Connection>, body: Utf8Bytes) {
        connection.touch();
        count(&self.edge.meters.messages);
        tokio::spawn(Arc::clone(self).message(Arc::clone(connection), body));
    }

    /// A socket has taken frames.
    pub(super) fn sent(&self, connection: &Connection, frames: usize, bytes: usize) {
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
        match self.integration.measured(route.function(), event).await {
            Ok(result) if result.status_code < 300 || self.edge.profile.forward_error_bodies => {
                result.body.filter(|body| !body.is_empty())
            }
            Ok(_) => failure("Internal server error"),
            Err(error) => failure(&error.to_string()),
        }
    }

    /// Answers a request of the REST API.
    pub async fn rest(
        &self,
        method: RestMethod<'_>,
        head: &request::Parts,
        source_ip: IpAddr,
        body: &[u8],
    ) -> Response {
        self.rest.answer(method, head, source_ip, body).await
    }

    /// Decides about a handshake; `transport` is how the socket is reached once it is open.
    ///
    /// # Errors
    /// The answer to a client that is refused.
    pub(super) async fn authorize(
        &self,
        ip: IpAddr,
        head: &[u8],
        transport: Transport,
    ) -> Result<Admitted, Vec<u8>> {
        let head = parse(head).map_err(|(status, message)| refusal(status, message, Id::random()))?;
        let mut client = Client::new(ip, &head.headers);
        let (status, refused) = match self.admission.admit(&mut client, &head).await {
            Ok(response) => {
                // Registered before the client gets the answer, because it may request a push at once.
                let connection = self.connections.open(client, transport);
                if self.closing.is_cancelled() {
                    connection.end(going_away());
                }
                let (response, cut) = (acceptance(&response), self.edge.faults.will_cut());
                return Ok(Admitted { connection, response, cut });
            }
            Err(Refusal::Gateway(status, message)) => (status, refusal(status, message, client.id)),
            Err(Refusal::Denied(denial)) => (denial.status(), denied(&denial, client.id)),
            Err(Refusal::Lambda(status, body)) => return Err(refusal_with(status, &body)),
        };
        if status.is_client_error() {
            count(&self.edge.meters.client_errors);
        }
        Err(refused)
    }

    /// A socket has ended; its connection is removed.
    pub(super) fn ended(self: &Arc<Self>, connection: Arc<Connection>, end: End) {
        self.connections.forget(connection.client.id);
        if end == End::Cut {
            self.edge.faults.cut();
        }
        let gateway = Arc::clone(self);
        self.tasks.spawn(async move { gateway.disconnect(&connection, &end).await });
    }

    /// Runs `$disconnect`, however the connection ended.
    async fn disconnect(&self, connection: &Connection, end: &End) {
        let (code, reason) = match end {
            End::Client(code, reason) => (*code, reason.as_str()),
            End::Server(close) => (close.code.into(), close.reason.as_str()),
            End::Lost | End::Cut => (1006, ""),
        };
        let event = event::disconnect(&self.edge.api, &connection.client, code, reason);
        // There is no client to answer; the error was counted and logged.
        drop(self.integration.measured(Function::Disconnect, event).await);
    }
}

/// The gateway has the sockets itself.
impl ConnectionHandler for Arc<Gateway> {
    type Connection = LocalConnection;

    fn profile(&self) -> &GatewayProfile {
        &self.edge.profile
    }

    async fn authorize(&self, ip: IpAddr, head: Vec<u8>) -> Authorization<LocalConnection> {
        let mailbox = Arc::new(Mailbox::default());
        match Gateway::authorize(self, ip, &head, Transport::Local(Arc::clone(&mailbox))).await {
            Ok(Admitted { connection, response, cut }) => {
                let connection = LocalConnection { gateway: Self::clone(self), connection, mailbox };
                Authorization::Granted { response, connection, cut }
            }
            Err(refusal) => Authorization::Refused(refusal),
        }
    }
}

/// A connection whose socket is in this process.
pub(super) struct LocalConnection {
    gateway: Arc<Gateway>,
    connection: Arc<Connection>,
    mailbox: Arc<Mailbox>,
}

impl OpenConnection for LocalConnection {
    fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    fn message(&self, body: Utf8Bytes) {
        self.gateway.receive(&self.connection, body);
    }

    fn sent(&self, frames: usize, bytes: usize) {
        self.gateway.sent(&self.connection, frames, bytes);
    }

    fn ended(&self, end: &End) {
        self.gateway.ended(Arc::clone(&self.connection), end.clone());
    }
}
