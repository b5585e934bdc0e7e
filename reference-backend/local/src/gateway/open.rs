//! Who may come in, and what happens when they have gone.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::{HeaderValue, Method, Request, StatusCode, header, request};
use reference_backend::function::Function;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_tungstenite::tungstenite::handshake::server::{Response, create_response};

use super::connections::{Connection, Line, going_away};
use super::door::{Desk, Guest, Verdict};
use super::event::{self, Client};
use super::handshake::{acceptance, denied, parse, refusal, refusal_with};
use super::mailbox::Mailbox;
use super::meters::count;
use super::profile::GatewayProfile;
use super::session::End;
use super::{Denial, Gateway, Id, IntegrationError};

/// Why a handshake is refused.
enum Refusal {
    /// By the gateway itself.
    Gateway(StatusCode, &'static str),
    /// By whoever guards the API.
    Denied(Denial),
    /// By the `$connect` Lambda, in its own words.
    Lambda(StatusCode, String),
}

/// Someone who has been let in.
pub(super) struct Admitted {
    pub(super) connection: Arc<Connection>,
    /// HTTP's 101.
    pub(super) response: Vec<u8>,
    /// Fault: the connection will be cut.
    pub(super) cut: bool,
}

impl Gateway {
    /// Decides about a handshake; `line` is how the socket is reached once it is open.
    ///
    /// # Errors
    /// The answer to one who may not come in.
    pub(super) async fn judge(&self, ip: IpAddr, head: &[u8], line: Line) -> Result<Admitted, Vec<u8>> {
        let head = parse(head).map_err(|(status, message)| refusal(status, message, Id::random()))?;
        let mut client = Client::new(ip, &head.headers);
        let (status, refused) = match self.admit(&mut client, &head).await {
            Ok(response) => {
                // Known before the client is told: it may ask for a push at once.
                let connection = self.connections.open(client, line);
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

    /// Everything that can refuse a handshake, in the order of API Gateway.
    async fn admit(&self, client: &mut Client, head: &request::Parts) -> Result<Response, Refusal> {
        let api = &self.edge.api;
        let refuse = |status, message| Err(Refusal::Gateway(status, message));
        let path = head.uri.path();
        if path.strip_prefix('/').map(|path| path.strip_suffix('/').unwrap_or(path))
            != Some(api.stage.as_str())
        {
            return refuse(StatusCode::FORBIDDEN, "Forbidden");
        }
        if head.method != Method::GET {
            return refuse(StatusCode::FORBIDDEN, "Missing Authentication Token");
        }
        if !head.headers.contains_key(header::UPGRADE) {
            return refuse(StatusCode::UPGRADE_REQUIRED, "Upgrade Required");
        }
        let mut response = create_response(&bare(head))
            .map_err(|_| Refusal::Gateway(StatusCode::BAD_REQUEST, "Bad request"))?;
        if !self.edge.limits.admits_connection() {
            return refuse(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests");
        }
        if self.edge.faults.rejection() {
            let status = StatusCode::from_u16(self.edge.profile.handshake_reject_status);
            return refuse(status.unwrap_or(StatusCode::TOO_MANY_REQUESTS), "Too Many Requests");
        }
        let (arn, request_id) = (api.method_arn("$connect"), Id::random());
        let question = |client: &Client| event::authorize_socket(api, client, head, &arn, request_id);
        self.gatekeeper.admit(client, head, b"", &arn, question).await.map_err(|denial| {
            if denial == Denial::Failed {
                count(&self.edge.meters.execution_errors);
            }
            Refusal::Denied(denial)
        })?;

        count(&self.edge.meters.connects);
        let result = self.integrate(Function::Connect, event::connect(api, client, head, request_id)).await;
        let result = result.map_err(|error| match error {
            IntegrationError::TimedOut => {
                Refusal::Gateway(StatusCode::GATEWAY_TIMEOUT, "Endpoint request timed out")
            }
            _ => Refusal::Gateway(StatusCode::BAD_GATEWAY, "Internal server error"),
        })?;
        if !(200..300).contains(&result.status_code) {
            let status = StatusCode::from_u16(result.status_code).unwrap_or(StatusCode::BAD_GATEWAY);
            return Err(Refusal::Lambda(status, result.body.unwrap_or_default()));
        }
        // A subprotocol is agreed on only if the Lambda names it.
        let protocol = header::SEC_WEBSOCKET_PROTOCOL;
        let named =
            result.headers.iter().flatten().find(|(name, _)| name.eq_ignore_ascii_case(protocol.as_str()));
        if let Some(value) = named.and_then(|(_, value)| HeaderValue::try_from(value).ok()) {
            response.headers_mut().insert(protocol, value);
        }
        Ok(response)
    }

    /// A socket has ended; nobody can be reached by it any more.
    pub(super) fn ended(self: &Arc<Self>, connection: Arc<Connection>, end: End) {
        self.connections.forget(connection.client.id);
        if end == End::Cut {
            self.edge.faults.cut();
        }
        let gateway = Arc::clone(self);
        self.tasks.spawn(async move { gateway.disconnect(&connection, &end).await });
    }

    /// `$disconnect`, whatever the way the connection ended.
    async fn disconnect(&self, connection: &Connection, end: &End) {
        let (code, reason) = match end {
            End::Client(code, reason) => (*code, reason.as_str()),
            End::Server(close) => (close.code.into(), close.reason.as_str()),
            End::Lost | End::Cut => (1006, ""),
        };
        let event = event::disconnect(&self.edge.api, &connection.client, code, reason);
        // Nobody is left to be told; the error has been counted and logged.
        drop(self.integrate(Function::Disconnect, event).await);
    }
}

/// The gateway as the desk behind a door of this very process.
impl Desk for Arc<Gateway> {
    type Guest = Resident;

    fn profile(&self) -> &GatewayProfile {
        &self.edge.profile
    }

    async fn knock(&self, ip: IpAddr, head: Vec<u8>) -> Verdict<Resident> {
        let mailbox = Arc::new(Mailbox::default());
        match self.judge(ip, &head, Line::Here(Arc::clone(&mailbox))).await {
            Ok(Admitted { connection, response, cut }) => {
                let guest = Resident { gateway: Self::clone(self), connection, mailbox };
                Verdict::Open { response, guest, cut }
            }
            Err(refusal) => Verdict::Refused(refusal),
        }
    }
}

/// A socket of this very process.
pub(super) struct Resident {
    gateway: Arc<Gateway>,
    connection: Arc<Connection>,
    mailbox: Arc<Mailbox>,
}

impl Guest for Resident {
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

/// The head as tungstenite's own type.
fn bare(head: &request::Parts) -> Request<()> {
    Request::from_parts(head.clone(), ())
}
