//! Starts a session placement, for push and polling alike.
//!
//! The pending record is written *before* the call to GameLift. The outcome may arrive within milliseconds, and the events
//! of a failed placement do not name the player: without the record no player could be notified.

use std::collections::BTreeMap;

use serde::Deserialize;
use uuid::Uuid;

use super::Deps;
use crate::ports::{PlacementError, PlayerLatency, StartPlacement};
use crate::store::{Placement, PlacementStatus};
use crate::trace::{Stage, Trace};
use crate::wire::{Answer, AnswerBody};

/// Default number of player slots in a game session.
const DEFAULT_MAX_PLAYERS: u32 = 10;

/// Body of a placement request; everything is optional.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PlacementRequest {
    /// Player slots in the game session.
    max_players: Option<u32>,
    /// Milliseconds to each region, as the player measured them.
    latencies: BTreeMap<String, f32>,
    /// Key-value pairs for the game session.
    game_properties: BTreeMap<String, String>,
}

/// Starts a placement for `player` and returns the answer; `trace` goes on with the placement.
pub(super) async fn start(
    deps: &Deps,
    player: &str,
    wish: PlacementRequest,
    mut trace: Option<Trace>,
) -> Answer {
    if let Some(trace) = &mut trace {
        trace.set(Stage::Table, deps.clock.epoch_us());
    }
    let placement = Placement {
        trace,
        ..Placement::pending(
            Uuid::new_v4().to_string(),
            player.to_owned(),
            deps.expire_at(deps.settings.placement_ttl),
        )
    };
    if let Err(error) = deps.placements.create(&placement).await {
        tracing::warn!(%error, "placement not stored");
        return failed();
    }
    let placement_id = placement.placement_id;
    let started = deps
        .queue
        .start_placement(StartPlacement {
            placement_id: placement_id.clone(),
            queue_name: deps.settings.queue_name.clone(),
            maximum_player_session_count: wish.max_players.unwrap_or(DEFAULT_MAX_PLAYERS),
            desired_player_sessions: vec![player.to_owned()],
            player_latencies: wish
                .latencies
                .into_iter()
                .map(|(region, latency_ms)| PlayerLatency {
                    player_id: player.to_owned(),
                    region,
                    latency_ms,
                })
                .collect(),
            game_properties: wish.game_properties,
        })
        .await;
    let Err(error) = started else {
        let body = AnswerBody::Placement { placement_id, status: PlacementStatus::Pending };
        return Answer { status: 200, body };
    };
    if let Err(error) = deps.placements.withdraw(&placement_id).await {
        tracing::warn!(%error, placement_id, "a placement that never started stays on record until it expires");
    }
    match error {
        PlacementError::Throttled => Answer::text(429, "Too Many Placement Requests"),
        PlacementError::Invalid(reason) => Answer::text(400, format!("Invalid Params [{reason}]")),
        PlacementError::Unavailable(reason) => {
            tracing::warn!(reason, "placement not started");
            failed()
        }
    }
}

/// The answer to a body that is not a [`PlacementRequest`].
pub(super) fn unreadable() -> Answer {
    Answer::text(
        400,
        "Invalid Params [maxPlayers(integer), latencies(object of numbers), gameProperties(object of strings)]",
    )
}

fn failed() -> Answer {
    Answer::text(500, "Failed To Start Placement")
}
