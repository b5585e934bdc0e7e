//! A player's task: waits for its turn to connect, [plays](super::lifecycle), and leaves when the run ends.

use std::future::poll_fn;
use std::sync::Arc;

use scenarios::plan::operation::Operation;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;

use super::connect::{self, Refusal};
use super::context::{Outcome, PlayerContext};
use super::handshake::Stream;
use super::lifecycle::live;
use super::shared::Play;
use crate::record::{GooseSample, classes};
use crate::schedule::Arrival;

/// Plays player `number` until the run is over. `goose` receives a copy of each connect and answer.
pub async fn play(play: Arc<Play>, number: u32, goose: mpsc::Sender<GooseSample>) {
    let player = PlayerContext::new(play, number, goose);
    let players = &player.play.players;
    while let Some(arrivals) = poll_fn(|cx| players.poll_arrivals(number, cx)).await {
        let mut connected = None;
        for arrival in arrivals {
            if players.stopping() {
                player.unsent(&arrival, &classes::UNSENT_RUN_ENDED);
            } else if arrival.operation == Operation::CONNECT && connected.is_none() {
                connected = Some(first_connect(&player, &arrival).await);
            } else {
                player.unsent(&arrival, &classes::UNSENT_NO_OPEN_SOCKET);
            }
        }
        if let Some(socket) = &mut connected {
            live(&player, socket).await;
        }
    }
}

/// The handshake that the plan calls for.
async fn first_connect(player: &PlayerContext, arrival: &Arrival) -> Option<WebSocketStream<Stream>> {
    let sent = player.now();
    player.sent(arrival, sent);
    let connected = connect::connect(player).await;
    let outcome = match &connected {
        Ok(_) => Outcome::Completed,
        Err(Refusal::Timeout) => Outcome::TimedOut,
        Err(refusal) => Outcome::Failed { class: refusal.class(), detail: None },
    };
    player.ended(arrival, sent, player.now(), outcome);
    connected.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The size of what a function's future keeps.
    const fn size<F>(_: fn(Arc<Play>, u32, mpsc::Sender<GooseSample>) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn a_player_s_task_is_small() {
        assert!(size(play) <= 1_000, "{} bytes", size(play));
    }
}
