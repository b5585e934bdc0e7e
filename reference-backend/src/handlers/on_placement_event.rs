//! SNS topic of the placement queue: writes a placement's outcome to its record.

use aws_lambda_events::sns::SnsEvent;
use serde::Deserialize;

use super::{Deps, HandlerError};
use crate::function::Function;
use crate::store::{Placement, PlacementStatus};

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
    #[serde(default)]
    port: Option<String>,
    #[serde(default)]
    ip_address: Option<String>,
    #[serde(default)]
    game_session_arn: Option<String>,
    #[serde(default)]
    placed_player_sessions: Vec<PlayerSession>,
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

pub(super) async fn handle(deps: &Deps, event: SnsEvent) -> Result<(), HandlerError> {
    for record in event.records {
        let event: QueueEvent = serde_json::from_str(&record.sns.message)
            .map_err(|source| HandlerError::Event { function: Function::OnPlacementEvent, source })?;
        settle(deps, event.detail).await?;
    }
    Ok(())
}

async fn settle(deps: &Deps, detail: Detail) -> Result<(), HandlerError> {
    // Only the record knows the player: events of placements without a place do not.
    let Some(record) = deps.placements.get(&detail.placement_id).await? else {
        tracing::warn!(placement_id = detail.placement_id, "outcome of an unknown or expired placement");
        return Ok(());
    };
    let session =
        detail.placed_player_sessions.into_iter().find(|session| session.player_id == record.player_id);
    let outcome = Placement {
        status: match detail.r#type {
            Outcome::Fulfilled => PlacementStatus::Fulfilled,
            Outcome::Cancelled => PlacementStatus::Cancelled,
            Outcome::TimedOut => PlacementStatus::TimedOut,
            Outcome::Failed => PlacementStatus::Failed,
        },
        ip_address: detail.ip_address,
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
