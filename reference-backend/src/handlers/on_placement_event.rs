//! SNS topic of the placement queue: writes a placement's outcome to its record.

use aws_lambda_events::sns::SnsEvent;
use serde::Deserialize;

use super::{Deps, HandlerError};
use crate::function::Function;
use crate::lenient;
use crate::store::{Placement, PlacementStatus};
use crate::trace::Stage;

/// GameLift's queue event in its EventBridge envelope.
#[derive(Deserialize)]
struct QueueEvent {
    detail: Detail,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    r#type: Outcome,
    placement_id: String,
    #[serde(default, deserialize_with = "lenient::text")]
    port: Option<String>,
    #[serde(default)]
    ip_address: Option<String>,
    #[serde(default)]
    dns_name: Option<String>,
    #[serde(default)]
    game_session_arn: Option<String>,
    #[serde(default)]
    placed_player_sessions: Option<Vec<PlayerSession>>,
}

#[derive(Deserialize)]
enum Outcome {
    #[serde(rename = "PlacementFulfilled")]
    Fulfilled,
    #[serde(rename = "PlacementCancelled")]
    Cancelled,
    #[serde(rename = "PlacementTimedOut")]
    TimedOut,
    #[serde(rename = "PlacementFailed")]
    Failed,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlayerSession {
    player_id: String,
    player_session_id: String,
}

/// Handles each record by itself. If one fails, the invocation fails after the others are done, and is retried. An outcome
/// that is stored is not stored again.
pub(super) async fn handle(deps: &Deps, event: SnsEvent, begun_us: i64) -> Result<(), HandlerError> {
    let mut outcome = Ok(());
    for record in event.records {
        let settled = settle(deps, &record.sns.message, begun_us).await;
        outcome = outcome.and(settled);
    }
    outcome
}

async fn settle(deps: &Deps, message: &str, begun_us: i64) -> Result<(), HandlerError> {
    let QueueEvent { detail } = serde_json::from_str(message)
        .map_err(|source| HandlerError::Event { function: Function::OnPlacementEvent, source })?;
    // Only the record has the player: the events of failed placements do not name one.
    let Some(mut record) = deps.placements.get(&detail.placement_id).await? else {
        tracing::warn!(placement_id = detail.placement_id, "outcome of an unknown or expired placement");
        return Ok(());
    };
    if let Some(trace) = &mut record.trace {
        trace.set(Stage::Event, begun_us);
        trace.set(Stage::Outcome, deps.clock.epoch_us());
    }
    let mut sessions = detail.placed_player_sessions.into_iter().flatten();
    let session = sessions.find(|session| session.player_id == record.player_id);
    let outcome = Placement {
        status: match detail.r#type {
            Outcome::Fulfilled => PlacementStatus::Fulfilled,
            Outcome::Cancelled => PlacementStatus::Cancelled,
            Outcome::TimedOut => PlacementStatus::TimedOut,
            Outcome::Failed => PlacementStatus::Failed,
        },
        ip_address: detail.ip_address,
        dns_name: detail.dns_name,
        port: detail.port,
        game_session_arn: detail.game_session_arn,
        player_session_id: session.map(|session| session.player_session_id),
        ..record
    };
    if !deps.placements.complete(&outcome).await? {
        tracing::debug!(placement_id = outcome.placement_id, "a second outcome is ignored");
    }
    Ok(())
}
