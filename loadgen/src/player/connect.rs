//! A player's handshake, counted among the sockets.

use std::future::poll_fn;

use tokio_tungstenite::WebSocketStream;

use super::context::PlayerContext;
use super::error::ConnectError;
use super::handshake::{SocketOptions, Stream};
use super::tap::Sight;
use crate::record::{Class, Event, classes};

/// Why a handshake led to no socket.
pub(super) enum Refusal {
    /// It took too long.
    Timeout,
    /// The run ended meanwhile.
    RunEnded,
    /// An error of this class, which has been observed.
    Error(Class),
}

impl Refusal {
    /// The error class.
    pub(super) const fn class(&self) -> &Class {
        match self {
            Self::Timeout => &classes::TIMEOUT,
            Self::RunEnded => &classes::INTERRUPTED,
            Self::Error(class) => class,
        }
    }
}

/// Opens the player's socket.
pub(super) async fn connect(player: &PlayerContext) -> Result<WebSocketStream<Stream>, Refusal> {
    let (play, number) = (&*player.play, player.number);
    player.observe(Event::HandshakeStarted);
    // Boxed, so that the handshake's state does not stay in the player's task.
    let opening = Box::pin(tokio::time::timeout(
        play.plan.connect_timeout,
        play.endpoint.open(number, &play.plan, &play.credentials, socket_options(player)),
    ));
    let opened = tokio::select! {
        opened = opening => opened.map_err(|_| Refusal::Timeout),
        () = poll_fn(|cx| play.players.poll_stop(number, cx)) => Err(Refusal::RunEnded),
    };
    match opened {
        Ok(Ok(socket)) => {
            player.observe(Event::HandshakeCompleted);
            player.show(player.now(), |_| Sight::Connected);
            Ok(socket)
        }
        Ok(Err(ConnectError { class, detail })) => {
            player.observe(Event::HandshakeRefused { player: number, error: Some((&class, &detail)) });
            player.show(player.now(), |shown| Sight::Refused {
                class: class.to_string(),
                detail: shown(&detail),
            });
            Err(Refusal::Error(class))
        }
        Err(refusal) => {
            player.observe(Event::HandshakeRefused { player: number, error: None });
            Err(refusal)
        }
    }
}

fn socket_options(player: &PlayerContext) -> SocketOptions {
    let plan = &player.play.plan;
    let slow = plan.disruptions.slow.as_ref().filter(|slow| slow.share.holds(player.number));
    SocketOptions {
        receive_buffer: slow.and_then(|slow| slow.receive_buffer),
        max_message: Some(plan.max_message_bytes as usize),
    }
}
