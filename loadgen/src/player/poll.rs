//! An operation that a player polls over REST, in a task of its own.

use std::sync::Arc;

use scenarios::plan::operation::What;

use super::context::{Outcome, PlayerContext};
use super::error::ConnectError;
use super::shared::Play;
use super::think_time::Pause;
use crate::record::classes;
use crate::schedule::Arrival;

/// Has an operation polled for a player.
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
    let planned = play.plan.operation(arrival.operation);
    let What::Poll(number) = planned.what else { return };
    let patience = planned.timeout;
    let settling = rest.settle(&player, planned, number, arrival.index);
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
