//! The control plane: all HTTP endpoints of the stack, on one port.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode, request};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use reference_backend::ports::PushError;
use serde_json::json;

use super::cloudwatch::{self, CloudWatch};
use super::documented::Documented;
use super::dynamodb::{self, DynamoDb};
use super::gamelift::{self, GameLift};
use super::gateway::endpoint::DeployedApi;
use super::gateway::{Gateway, Id, RestMethod};
use super::identity::{self, LocalIdentity};
use super::lambda::endpoint::Deployed;
use super::permissions::Permissions;
use super::rpc::{self, Call, Codec};
use super::service_quotas::{self, ServiceQuotas};
use super::subscriptions::SnsSubscription;
use super::web::{Hosts, bounded};

/// What the endpoints need.
#[derive(Clone)]
pub struct ControlPlane {
    /// The connections, and the Lambdas behind the REST API.
    pub gateway: Arc<Gateway>,
    /// The metrics that CloudWatch serves.
    pub metrics: Arc<CloudWatch>,
    /// The tables.
    pub tables: Arc<DynamoDb>,
    /// The placement queue.
    pub queue: Arc<GameLift>,
    /// Issues tokens and tickets.
    pub identity: Arc<LocalIdentity>,
    /// The Lambdas and their mappings.
    pub(super) deployed: Arc<Deployed>,
    /// The WebSocket API.
    pub(super) api: Arc<DeployedApi>,
    /// The account's quotas.
    pub(super) quotas: Arc<ServiceQuotas>,
    /// Limits that AWS only documents.
    pub(super) documented: Documented,
    /// Who hears of placements.
    pub(super) subscription: Arc<SnsSubscription>,
    /// What callers may do.
    pub(super) permissions: Permissions,
    /// The one stage.
    pub stage: String,
    /// The hosts that it accepts.
    pub(super) hosts: Hosts,
}

impl ControlPlane {
    /// All endpoints. The REST API needs credentials, as the sockets do, and is open to every host. The other endpoints have
    /// no access control, so they are restricted to this machine.
    pub fn router(self) -> Router {
        let identity = identity::http::router(Arc::clone(&self.identity));
        let lambda = Arc::clone(&self.deployed).router(&self.permissions);
        let api = Arc::clone(&self.api).router(&self.permissions);
        let hosts = self.hosts.clone();
        let control = Router::new()
            .route(
                "/{stage}/@connections/{id}",
                post(post_to_connection).get(get_connection).delete(delete_connection),
            )
            .route(&rpc::path(cloudwatch::SERVICE), post(ask_cloudwatch))
            .route(&rpc::path(gamelift::endpoint::SERVICE), post(ask_gamelift))
            .route("/", post(ask_in_json))
            .route("/faults", get(faults))
            .route("/limits", get(limits))
            .with_state(self.clone())
            .merge(identity)
            .merge(lambda)
            .merge(api);
        let rest = Router::new()
            .route("/{stage}/placements", post(start_placement))
            .route("/{stage}/placements/{id}", get(read_placement))
            .with_state(self);
        // The size of a body is limited before.
        bounded(hosts.guard(control).merge(rest).layer(DefaultBodyLimit::disable()))
    }

    /// Answers a call in CBOR or AWS JSON.
    async fn ask(&self, service: &str, call: &Call) -> Response {
        if let Some(refusal) = self.permissions.refusal(service, call) {
            return refusal;
        }
        match service {
            cloudwatch::SERVICE => cloudwatch::answer(&self.metrics, call),
            dynamodb::SERVICE | dynamodb::STREAMS => self.tables.answer(call).await,
            gamelift::endpoint::SERVICE => gamelift::endpoint::answer(&self.queue, call).await,
            service_quotas::SERVICE => self.quotas.answer(call),
            _ => call.codec.refusal(
                StatusCode::BAD_REQUEST,
                "UnknownOperationException",
                &format!("the service {service} is not emulated"),
            ),
        }
    }

    /// The id of a path like `/{stage}/@connections/{id}`.
    fn connection(&self, stage: &str, id: &str) -> Result<Id, AwsError> {
        if stage != self.stage {
            return Err(PushError::Forbidden.into());
        }
        Id::parse(id).ok_or_else(|| AwsError::Malformed(id.into()))
    }
}

async fn post_to_connection(
    State(plane): State<ControlPlane>,
    Path((stage, id)): Path<(String, String)>,
    body: Bytes,
) -> Result<StatusCode, AwsError> {
    let id = plane.connection(&stage, &id)?;
    plane.gateway.connections().push(id, body).await?;
    Ok(StatusCode::OK)
}

async fn get_connection(
    State(plane): State<ControlPlane>,
    Path((stage, id)): Path<(String, String)>,
) -> Result<Response, AwsError> {
    let id = plane.connection(&stage, &id)?;
    let info = plane.gateway.connections().info(id).ok_or(PushError::Gone)?;
    Ok(Json(info).into_response())
}

async fn delete_connection(
    State(plane): State<ControlPlane>,
    Path((stage, id)): Path<(String, String)>,
) -> Result<StatusCode, AwsError> {
    let id = plane.connection(&stage, &id)?;
    if plane.gateway.connections().delete(id) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(PushError::Gone.into())
    }
}

async fn start_placement(
    State(plane): State<ControlPlane>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(stage): Path<String>,
    head: request::Parts,
    body: Bytes,
) -> Response {
    rest(&plane, &stage, RestMethod::StartPlacement, &head, peer, &body).await
}

async fn read_placement(
    State(plane): State<ControlPlane>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path((stage, id)): Path<(String, String)>,
    head: request::Parts,
    body: Bytes,
) -> Response {
    rest(&plane, &stage, RestMethod::ReadPlacement(&id), &head, peer, &body).await
}

async fn rest(
    plane: &ControlPlane,
    stage: &str,
    method: RestMethod<'_>,
    head: &request::Parts,
    peer: SocketAddr,
    body: &[u8],
) -> Response {
    if stage != plane.stage {
        return (StatusCode::FORBIDDEN, Json(json!({ "message": "Forbidden" }))).into_response();
    }
    plane.gateway.rest(method, head, peer.ip(), body).await
}

async fn ask_cloudwatch(
    State(plane): State<ControlPlane>,
    Path(operation): Path<String>,
    body: Bytes,
) -> Response {
    plane.ask(cloudwatch::SERVICE, &Call { codec: Codec::Cbor, operation, body }).await
}

async fn ask_gamelift(
    State(plane): State<ControlPlane>,
    Path(operation): Path<String>,
    body: Bytes,
) -> Response {
    plane.ask(gamelift::endpoint::SERVICE, &Call { codec: Codec::Cbor, operation, body }).await
}

/// AWS JSON has one path for every service, and the services that take forms have it, too.
async fn ask_in_json(State(plane): State<ControlPlane>, headers: HeaderMap, body: Bytes) -> Response {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if media_type.is_some_and(|media_type| media_type.starts_with("application/x-www-form-urlencoded")) {
        return plane.subscription.answer(&body);
    }
    let codec = Codec::of(&headers);
    let Some((service, operation)) = rpc::target(&headers) else {
        let missing = "there is no header X-Amz-Target of the form service.operation";
        return codec.refusal(StatusCode::BAD_REQUEST, "MissingAction", missing);
    };
    plane.ask(service, &Call { codec, operation: operation.into(), body }).await
}

async fn faults(State(plane): State<ControlPlane>) -> Response {
    Json(plane.gateway.connections().faults()).into_response()
}

async fn limits(State(plane): State<ControlPlane>) -> Response {
    Json(plane.documented).into_response()
}

/// An error of the Management API, in restJson1.
#[derive(Debug, thiserror::Error)]
enum AwsError {
    #[error(transparent)]
    Push(#[from] PushError),
    #[error("Invalid connectionId: {0}")]
    Malformed(String),
}

impl IntoResponse for AwsError {
    fn into_response(self) -> Response {
        let (status, kind) = match self {
            Self::Push(PushError::Gone) => (StatusCode::GONE, "GoneException"),
            Self::Push(PushError::Throttled) => (StatusCode::TOO_MANY_REQUESTS, "LimitExceededException"),
            Self::Push(PushError::TooLarge(_)) => (StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLargeException"),
            Self::Push(PushError::Forbidden) => (StatusCode::FORBIDDEN, "ForbiddenException"),
            Self::Push(PushError::Unavailable(_)) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "InternalServerErrorException")
            }
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "BadRequestException"),
        };
        (status, [("x-amzn-errortype", kind)], Json(json!({ "message": self.to_string() }))).into_response()
    }
}
