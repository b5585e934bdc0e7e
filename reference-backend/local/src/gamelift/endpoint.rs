//! GameLift's API as SDKs call it: `StartGameSessionPlacement`, `DescribeGameSessionPlacement` and
//! `StopGameSessionPlacement` on the one queue, and `DescribeGameSessionQueues`.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::StatusCode;
use axum::response::Response;
use reference_backend::ports::{self, PlacementError, PlacementQueue as _, StartPlacement};
use serde::{Deserialize, Serialize};

use super::ledger::TrackedPlacement;
use super::{GameLift, Outcome};
use crate::account::REGION;
use crate::rpc::{Call, Malformed, Number, Timestamp};

/// Name of the service on the wire.
pub(crate) const SERVICE: &str = "GameLift";

/// Answers one call of the API.
pub(crate) async fn answer(queue: &GameLift, call: &Call) -> Response {
    let shown = |placement: TrackedPlacement| {
        call.codec.answer(&PlacementOutput { game_session_placement: Shown::new(queue, &placement) })
    };
    let answer = match call.operation.as_str() {
        "StartGameSessionPlacement" => start(queue, call).await.map(shown),
        "DescribeGameSessionPlacement" => describe(queue, call).map(shown),
        "StopGameSessionPlacement" => stop(queue, call).map(shown),
        "DescribeGameSessionQueues" => queues(queue, call).map(|queues| call.codec.answer(&queues)),
        _ => Err(GameLiftError::UnknownOperation(call.operation.clone())),
    };
    answer.unwrap_or_else(|error| call.codec.refusal(error.status(), error.code(), &error.to_string()))
}

fn queues(queue: &GameLift, call: &Call) -> Result<QueuesOutput, GameLiftError> {
    let request: QueuesRequest = call.parameters()?;
    if let Some(other) = request.names.iter().find(|name| **name != queue.name && **name != queue.arn) {
        return Err(GameLiftError::NotFound(format!("Queue {other} (this stack has only {})", queue.name)));
    }
    Ok(QueuesOutput { game_session_queues: [ShownQueue::new(queue)] })
}

async fn start(queue: &GameLift, call: &Call) -> Result<TrackedPlacement, GameLiftError> {
    let request: StartRequest = call.parameters()?;
    let wanted = &request.game_session_queue_name;
    if *wanted != queue.name && *wanted != queue.arn {
        return Err(GameLiftError::NotFound(format!("Queue {wanted} (this stack has only {})", queue.name)));
    }
    let id = request.placement_id.clone();
    queue.start_placement(request.into()).await?;
    find(queue, &id)
}

fn describe(queue: &GameLift, call: &Call) -> Result<TrackedPlacement, GameLiftError> {
    let request: PlacementId = call.parameters()?;
    find(queue, &request.placement_id)
}

fn stop(queue: &GameLift, call: &Call) -> Result<TrackedPlacement, GameLiftError> {
    let PlacementId { placement_id: id } = call.parameters()?;
    let mut placement = find(queue, &id)?;
    if placement.end.is_some() {
        let refusal = format!("placementId(one that is pending, {id} has ended)");
        return Err(PlacementError::Invalid(refusal).into());
    }
    queue.cancel(&id)?;
    // The state that it has once the outcome is published.
    placement.end =
        Some(super::PlacementEnd { outcome: Outcome::Cancelled, at: SystemTime::now(), game_session: None });
    Ok(placement)
}

fn find(queue: &GameLift, id: &str) -> Result<TrackedPlacement, GameLiftError> {
    queue.find(id).ok_or_else(|| GameLiftError::NotFound(format!("Placement {id}")))
}

/// Why a call fails.
#[derive(Debug, thiserror::Error)]
enum GameLiftError {
    #[error(transparent)]
    Placement(#[from] PlacementError),
    #[error("{0} does not exist.")]
    NotFound(String),
    #[error(transparent)]
    Serialization(#[from] Malformed),
    #[error(
        "the operation {0} is not emulated; the local stack answers StartGameSessionPlacement, \
         DescribeGameSessionPlacement, StopGameSessionPlacement and DescribeGameSessionQueues"
    )]
    UnknownOperation(String),
}

impl GameLiftError {
    const fn status(&self) -> StatusCode {
        match self {
            Self::Placement(PlacementError::Unavailable(_)) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::UnknownOperation(_) => StatusCode::NOT_FOUND,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    const fn code(&self) -> &'static str {
        match self {
            Self::Placement(PlacementError::Throttled) => "ThrottlingException",
            Self::Placement(PlacementError::Invalid(_)) => "InvalidRequestException",
            Self::Placement(PlacementError::Unavailable(_)) => "InternalServiceException",
            Self::NotFound(_) => "NotFoundException",
            Self::Serialization(_) => "SerializationException",
            Self::UnknownOperation(_) => "UnknownOperationException",
        }
    }
}

/// What is not emulated (`GameSessionName`, `GameSessionData`, ...) is ignored.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StartRequest {
    placement_id: String,
    game_session_queue_name: String,
    maximum_player_session_count: u32,
    #[serde(default)]
    desired_player_sessions: Vec<DesiredPlayer>,
    #[serde(default)]
    player_latencies: Vec<PlayerLatency>,
    #[serde(default)]
    game_properties: Vec<GameProperty>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DesiredPlayer {
    player_id: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PlayerLatency {
    player_id: String,
    region_identifier: String,
    latency_in_milliseconds: Number,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GameProperty {
    key: String,
    value: String,
}

/// There is one queue, so there are no pages.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct QueuesRequest {
    #[serde(default)]
    names: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PlacementId {
    placement_id: String,
}

impl From<StartRequest> for StartPlacement {
    fn from(request: StartRequest) -> Self {
        let latency = |latency: PlayerLatency| ports::PlayerLatency {
            player_id: latency.player_id,
            region: latency.region_identifier,
            #[expect(clippy::cast_possible_truncation, reason = "the model's type is that small")]
            latency_ms: latency.latency_in_milliseconds.float() as f32,
        };
        let properties: BTreeMap<_, _> =
            request.game_properties.into_iter().map(|property| (property.key, property.value)).collect();
        Self {
            placement_id: request.placement_id,
            queue_name: request.game_session_queue_name,
            maximum_player_session_count: request.maximum_player_session_count,
            desired_player_sessions: request
                .desired_player_sessions
                .into_iter()
                .map(|player| player.player_id)
                .collect(),
            player_latencies: request.player_latencies.into_iter().map(latency).collect(),
            game_properties: properties,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PlacementOutput<'a> {
    game_session_placement: Shown<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct QueuesOutput {
    game_session_queues: [ShownQueue; 1],
}

/// The queue as GameLift shows it. It has no destinations: where sessions are placed is the profile's.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ShownQueue {
    name: String,
    game_session_queue_arn: String,
    /// Whole seconds on AWS.
    timeout_in_seconds: u64,
    player_latency_policies: [(); 0],
    destinations: [(); 0],
    notification_target: String,
}

impl ShownQueue {
    fn new(queue: &GameLift) -> Self {
        Self {
            name: queue.name.clone(),
            game_session_queue_arn: queue.arn.clone(),
            timeout_in_seconds: queue.profile.queue_timeout_s.ceil() as u64,
            player_latency_policies: [],
            destinations: [],
            notification_target: queue.topic.clone(),
        }
    }
}

/// A placement as GameLift shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown<'a> {
    placement_id: &'a str,
    game_session_queue_name: &'a str,
    status: &'static str,
    maximum_player_session_count: u32,
    game_properties: Vec<GameProperty>,
    player_latencies: Vec<PlayerLatency>,
    start_time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<Timestamp>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    game_session: Option<ShownGameSession<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ShownGameSession<'a> {
    ip_address: &'a str,
    dns_name: &'a str,
    port: u16,
    game_session_arn: &'a str,
    game_session_region: &'static str,
    placed_player_sessions: Vec<PlacedPlayer<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PlacedPlayer<'a> {
    player_id: &'a str,
    player_session_id: &'a str,
}

impl<'a> Shown<'a> {
    fn new(queue: &'a GameLift, placement: &'a TrackedPlacement) -> Self {
        let request = &placement.request;
        let end = placement.end.as_ref();
        let latency = |latency: &ports::PlayerLatency| PlayerLatency {
            player_id: latency.player_id.clone(),
            region_identifier: latency.region.clone(),
            latency_in_milliseconds: Number::Float(latency.latency_ms.into()),
        };
        let property =
            |(key, value): (&String, &String)| GameProperty { key: key.clone(), value: value.clone() };
        let game_session = end.and_then(|end| end.game_session.as_ref()).map(|session| ShownGameSession {
            ip_address: &session.ip_address,
            dns_name: &session.dns_name,
            port: session.port,
            game_session_arn: &session.game_session_arn,
            game_session_region: REGION,
            placed_player_sessions: session
                .players
                .iter()
                .map(|(player_id, player_session_id)| PlacedPlayer { player_id, player_session_id })
                .collect(),
        });
        Self {
            placement_id: &request.placement_id,
            game_session_queue_name: &queue.name,
            status: end.map_or("PENDING", |end| end.outcome.status()),
            maximum_player_session_count: request.maximum_player_session_count,
            game_properties: request.game_properties.iter().map(property).collect(),
            player_latencies: request.player_latencies.iter().map(latency).collect(),
            start_time: timestamp(placement.started),
            end_time: end.map(|end| timestamp(end.at)),
            game_session,
        }
    }
}

fn timestamp(at: SystemTime) -> Timestamp {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(Number::Float(since.as_secs_f64()))
}
