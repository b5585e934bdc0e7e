//! Admits or refuses a handshake: path, limits, faults, guard, `$connect`, in the order of API Gateway.

use std::sync::Arc;

use axum::http::{HeaderValue, Method, Request, StatusCode, header, request};
use reference_backend::function::Function;
use tokio_tungstenite::tungstenite::handshake::server::{Response, create_response};

use super::authorizer::Denial;
use super::edge::Edge;
use super::event::{self, Client};
use super::guard::RequestGuard;
use super::id::Id;
use super::integration::{Integration, IntegrationError};
use super::meters::count;

/// Why a handshake is refused.
pub(super) enum Refusal {
    /// By the gateway itself.
    Gateway(StatusCode, &'static str),
    /// By the guard of the API.
    Denied(Denial),
    /// By the `$connect` Lambda, with its own body.
    Lambda(StatusCode, String),
}

/// Decides about handshakes.
pub(super) struct Admission {
    pub(super) edge: Arc<Edge>,
    pub(super) guard: Arc<RequestGuard>,
    pub(super) integration: Integration,
}

impl Admission {
    /// Everything that can refuse a handshake, in the order of API Gateway.
    pub(super) async fn admit(
        &self,
        client: &mut Client,
        head: &request::Parts,
    ) -> Result<Response, Refusal> {
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
        self.guard.authorize(client, head, b"", &arn, question).await.map_err(|denial| {
            if denial == Denial::Failed {
                count(&self.edge.meters.execution_errors);
            }
            Refusal::Denied(denial)
        })?;

        count(&self.edge.meters.connects);
        let result =
            self.integration.measured(Function::Connect, event::connect(api, client, head, request_id)).await;
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
        // A subprotocol is selected only if the Lambda names it.
        let protocol = header::SEC_WEBSOCKET_PROTOCOL;
        let named =
            result.headers.iter().flatten().find(|(name, _)| name.eq_ignore_ascii_case(protocol.as_str()));
        if let Some(value) = named.and_then(|(_, value)| HeaderValue::try_from(value).ok()) {
            response.headers_mut().insert(protocol, value);
        }
        Ok(response)
    }
}

/// The head as tungstenite's type.
fn bare(head: &request::Parts) -> Request<()> {
    Request::from_parts(head.clone(), ())
}
