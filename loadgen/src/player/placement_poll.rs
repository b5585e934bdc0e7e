//! A placement that a player polls over REST, in a task of its own.

use std::sync::Arc;

use super::context::{Outcome, PlayerContext};
use super::error::ConnectError;
use super::shared::Play;
use super::think_time::Pause;
use crate::record::classes;
use crate::schedule::Arrival;

/// Has a placement polled for a player.
pub(super) fn start(play: &Arc<Play>, number: u32, arrival: Arrival) {
    let player = PlayerContext::without_goose(Arc::clone(play), number);
    tokio::spawn(poll(player, arrival));
}

async fn poll(player: PlayerContext, arrival: Arrival) {
    let play = &*player.play;
    let Some(rest) = &play.rest else {
        return player.unsent(&arrival, &classes::UNSENT_RUN_ENDED);
    };
    let sent = player.now();
    player.sent(&arrival, sent);
    let patience = play.plan.operation(arrival.operation).timeout;
    let settling =
        rest.settle(player.number, &play.credentials, &play.deliveries.placements, &player.observer);
    let settled = tokio::select! {
        settled = tokio::time::timeout(patience, settling) => settled,
        () = rest.stopped() => Ok(Err(ConnectError::new(&classes::INTERRUPTED, "the run ended"))),
    };
    let now = player.now();
    let outcome = match &settled {
        Ok(Ok(())) => Outcome::Completed,
        Ok(Err(ConnectError { class, detail })) => Outcome::Failed { class, detail: Some(detail) },
        Err(_) => Outcome::TimedOut,
    };
    player.ended(&arrival, sent, now, outcome);
    if play.think_time.think(now, player.number, arrival.operation, Pause::Again) {
        play.players.wake(player.number);
    }
}
