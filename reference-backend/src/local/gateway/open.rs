//! From an accepted TCP connection to an open socket, and from its end to `$disconnect`.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::{HeaderValue, Method, Request, StatusCode, header, request};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{Response, create_response};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::connections::Connection;
use super::event::{self, Client};
use super::handshake::{HeadError, accept, read_head, refuse, refuse_with};
use super::meters::count;
use super::profile::limit;
use super::session::{End, Session, Socket, farewell};
use super::{Denial, Gateway, Id, IntegrationError};
use crate::function::Function;

/// What an idle socket keeps for reading and writing. Small, because sockets are many and most of them rest.
const READ_BUFFER: usize = 1_024;
const WRITE_BUFFER: usize = 2_048;

/// Why a handshake is refused.
enum Refusal {
    /// By the gateway itself.
    Gateway(StatusCode, &'static str),
    /// By the `$connect` Lambda, in its own words.
    Lambda(StatusCode, String),
}

impl Gateway {
    /// Sees one connection through from its first byte to its last.
    pub(super) async fn welcome(self: Arc<Self>, stream: TcpStream, source_ip: IpAddr) {
        // The handshake's state is large and short-lived; boxed, it does not stay with the socket.
        if let Some((socket, connection)) = Box::pin(self.handshake(stream, source_ip)).await {
            let gateway = Arc::clone(&self);
            self.tasks.spawn(gateway.live(socket, connection));
        }
    }

    async fn handshake(&self, mut stream: TcpStream, source_ip: IpAddr) -> Option<(Socket, Arc<Connection>)> {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot switch off Nagle's algorithm");
        }
        let profile = &self.edge.profile;
        let head = match limit(profile.handshake_timeout_s) {
            Some(limit) => tokio::time::timeout(limit, read_head(&mut stream)).await.ok()?,
            None => read_head(&mut stream).await,
        };
        let (head, rest) = match head {
            Ok(read) => read,
            Err(HeadError::Ended(_)) => return None,
            Err(HeadError::Refused(status, message)) => {
                refuse(&mut stream, status, message, Id::random()).await;
                return None;
            }
        };
        let mut client = Client::new(source_ip, &head.headers);
        let response = match self.admit(&mut client, &head).await {
            Ok(response) => response,
            Err(Refusal::Gateway(status, message)) => {
                if status.is_client_error() {
                    count(&self.edge.meters.client_errors);
                }
                refuse(&mut stream, status, message, client.id).await;
                return None;
            }
            Err(Refusal::Lambda(status, body)) => {
                refuse_with(&mut stream, status, &body).await;
                return None;
            }
        };
        // Known before the client is told: it may ask for a push at once.
        let connection = self.connections.open(client);
        if accept(&mut stream, &response).await.is_err() {
            self.disconnect(&connection, &End::Lost).await;
            return None;
        }
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_frame_size(Some(profile.max_frame_bytes))
            .max_message_size(Some(profile.max_message_bytes));
        let socket = WebSocketStream::from_partially_read(stream, rest, Role::Server, Some(config)).await;
        Some((socket, connection))
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
        if !self.authorizer.sees_credentials(head) {
            return refuse(StatusCode::UNAUTHORIZED, "Unauthorized");
        }
        let (arn, request_id) = (api.method_arn("$connect"), Id::random());
        let question = event::authorize_socket(api, client, head, &arn, request_id);
        let context = self.authorizer.decide(question, &arn).await.map_err(|denial| {
            if denial == Denial::Failed {
                count(&self.edge.meters.execution_errors);
            }
            Refusal::Gateway(denial.status(), denial.message())
        })?;
        client.authorizer = Some(context);

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

    async fn live(self: Arc<Self>, mut socket: Socket, connection: Arc<Connection>) {
        if self.closing.is_cancelled() {
            connection.end(super::connections::going_away());
        }
        let end = Session::new(&self, &connection, &mut socket).run().await;
        self.connections.forget(connection.client.id);
        // Both are rare and large; boxed, they are not part of what every open socket keeps.
        Box::pin(async { tokio::join!(farewell(socket, &end), self.disconnect(&connection, &end)) }).await;
    }

    /// `$disconnect`, whatever the way the connection ended.
    async fn disconnect(&self, connection: &Connection, end: &End) {
        self.connections.forget(connection.client.id);
        let (code, reason) = match end {
            End::Client(code, reason) => (*code, reason.as_str()),
            End::Server(close) => (close.code.into(), close.reason.as_str()),
            End::Lost => (1006, ""),
        };
        let event = event::disconnect(&self.edge.api, &connection.client, code, reason);
        // Nobody is left to be told; the error has been counted and logged.
        drop(self.integrate(Function::Disconnect, event).await);
    }
}

/// The head as tungstenite's own type.
fn bare(head: &request::Parts) -> Request<()> {
    Request::from_parts(head.clone(), ())
}
