//! What a player does with its socket from the first handshake on: holds it, loses it, reconnects.
//!
//! ```text
//! connect ─▶ hold ─▶ run over ─▶ close
//!   │         ├─▶ session over ─▶ pause ─▶ connect again (same player id)
//!   │         ├─▶ cut, not read, malformed ─┐
//!   └─▶ refused                             ├─▶ backoff ─▶ connect again, or give up
//!             └─▶ ended by the backend ─────┘
//! ```

use std::future::poll_fn;
use std::time::Duration;

use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use scenarios::plan::disruptions::{ClientFault, Policy};
use tokio_tungstenite::WebSocketStream;

use super::backoff;
use super::connect::{Refusal, connect};
use super::context::PlayerContext;
use super::disruptions::settle_command;
use super::handshake::Stream;
use super::session::{Behaviour, Dropped, End, HeartbeatTimer, Session};
use crate::clock::Micros;
use crate::delivery::presence::Presence;
use crate::record::{Class, Event, classes};

type Socket = WebSocketStream<Stream>;

/// Longest wait: an exponential has no bound of its own.
const A_DAY: Duration = Duration::from_secs(86_400);

/// Why a player has no socket.
#[derive(Debug, Clone, Copy)]
enum NoSocket {
    /// The run is over.
    RunOver,
    /// Its session was over.
    Left,
    /// It wants it back: since when, and whether the socket was cut by its own side.
    Lost { at: Micros, cut: bool },
}

/// Holds a socket, and reconnects where one is lost, until the run is over or the player stays away; `socket` is what the
/// first handshake led to. It stays in its place until it is used: a socket that is handed on by value has room in every
/// future that it went through.
pub(super) async fn live(player: &PlayerContext, socket: &mut Option<Socket>) {
    let mut why = NoSocket::Lost { at: player.now(), cut: false };
    for socket_generation in 0.. {
        if socket.is_some() {
            why = hold(player, socket_generation, socket).await;
        }
        if matches!(why, NoSocket::RunOver) {
            return;
        }
        // Boxed, so that the state of reconnecting is allocated only while a player reconnects.
        *socket = Box::pin(come_back(player, socket_generation, why)).await;
        if socket.is_none() {
            return;
        }
    }
}

/// The dice of one of a player's sockets: the same seed gives the same.
fn dice(player: &PlayerContext, socket_generation: u32) -> SmallRng {
    let place =
        (u64::from(player.number) << 32 | u64::from(socket_generation)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    SmallRng::seed_from_u64(player.play.plan.seed ^ place ^ 0x6c69_7665_735f_6f6e)
}

/// Plays on an open socket until it ends.
async fn hold(player: &PlayerContext, socket_generation: u32, socket: &mut Option<Socket>) -> NoSocket {
    let Some(open) = socket.take() else { return NoSocket::Lost { at: player.now(), cut: false } };
    let play = &*player.play;
    let mut dice = dice(player, socket_generation);
    let behaviour = Behaviour::of(&play.plan, player.number, &mut dice, player.now());
    if behaviour.as_deref().is_some_and(Behaviour::is_slow) {
        player.observe(Event::FaultMade(ClientFault::SlowReader));
    }
    let presence = behaviour.as_deref().map_or(Presence::Open, Behaviour::presence);
    player.set_presence(presence, false);
    if presence == Presence::Open {
        play.think_time.begin(player.now(), player.number);
    }
    let heartbeat = HeartbeatTimer::of(play.plan.way.heartbeat.as_ref(), player.now());
    let mut session = Session::new(player, socket_generation, open, behaviour, heartbeat);
    let end = poll_fn(|cx| session.poll(cx)).await;
    let own_doing = session.malformed_sent().is_some() || !matches!(end, End::Dropped(_));
    player.set_presence(Presence::Closed, own_doing);
    play.players.set_deadline(player.number, None);
    settle_command(play, player.number);
    // Boxed, so that the closing handshake does not stay in the player's task.
    Box::pin(end_session(player, session, end)).await
}

/// Ends a session as its end demands, and observes what became of it.
async fn end_session(player: &PlayerContext, mut session: Session<'_>, end: End) -> NoSocket {
    let at = player.now();
    let unsent = session.malformed_unsent();
    unsent.into_iter().for_each(|fault| player.fault_outcome(fault, &classes::UNSENT_NO_OPEN_SOCKET));
    let (fault, sent) = (session.fault(), session.malformed_sent());
    // What became of the client fault that the whole socket was, and of a malformed message.
    let settle = |outcome: &Class| {
        fault.into_iter().chain(sent).for_each(|fault| player.fault_outcome(fault, outcome));
    };
    match end {
        End::RunOver => {
            if fault == Some(ClientFault::HalfOpen) {
                settle(&session.find_out().await);
            } else {
                settle(&classes::RUN_ENDED);
            }
            session.leave().await;
            return NoSocket::RunOver;
        }
        // A session is over only once no client fault is under way.
        End::SessionOver => {
            player.observe(Event::SessionEnded);
            session.leave().await;
            return NoSocket::Left;
        }
        End::NotRead => {
            settle(&session.find_out().await);
        }
        End::Unusable => {}
        End::Cut(cut) => {
            settle(&classes::CUT);
            player.observe(Event::FaultMade(ClientFault::Cut));
            session.cut(cut).await;
            return NoSocket::Lost { at, cut: true };
        }
        End::Dropped(Dropped { class, detail }) => {
            session.fail_all(&class);
            let (player, observer) = (player.number, &player.observer);
            if let Some(fault) = sent.or(fault) {
                settle(&class);
                observer.observe(Event::FaultEndedSocket { player, fault, class: &class, detail: &detail });
            } else {
                observer.observe(Event::Dropped { player, class: &class, detail: &detail });
            }
        }
    }
    NoSocket::Lost { at, cut: false }
}

/// Brings a player back; `None`: it stays away, or the run is over.
async fn come_back(player: &PlayerContext, socket_generation: u32, mut why: NoSocket) -> Option<Socket> {
    let disruptions = &player.play.plan.disruptions;
    let churn = disruptions.churn_of(player.number);
    let mut dice = dice(player, socket_generation);
    // A socket that was cut has one outcome, whatever comes afterwards.
    let mut cut = matches!(why, NoSocket::Lost { cut: true, .. });
    let mut settle = |outcome: &'static Class| {
        if std::mem::take(&mut cut) {
            player.fault_outcome(ClientFault::Cut, outcome);
        }
    };
    loop {
        why = match (why, churn) {
            (NoSocket::RunOver, _) | (NoSocket::Left, None) => return None,
            (NoSocket::Left, Some(churn)) => {
                if !wait(player, churn.pause.sample(&mut dice)).await {
                    return None;
                }
                match connect(player).await {
                    Ok(socket) => {
                        player.observe(Event::SessionStarted);
                        return Some(socket);
                    }
                    Err(Refusal::RunEnded) => return None,
                    Err(refusal) => {
                        player.observe(Event::SessionRefused { class: refusal.class() });
                        NoSocket::Lost { at: player.now(), cut: false }
                    }
                }
            }
            (NoSocket::Lost { at, .. }, churn) => {
                match reconnect(player, at, &mut dice).await {
                    Ok(socket) => {
                        settle(&classes::BACK);
                        return Some(socket);
                    }
                    Err(NotBack::RunOver) => {
                        settle(&classes::RUN_ENDED);
                        return None;
                    }
                    Err(NotBack::GaveUp) => settle(if disruptions.reconnect.policy == Policy::None {
                        &classes::STAYED_AWAY
                    } else {
                        &classes::GAVE_UP
                    }),
                }
                // A player with churn begins another session later; others stay away.
                churn?;
                NoSocket::Left
            }
        }
    }
}

/// Why a player that wants its socket back has none.
enum NotBack {
    GaveUp,
    RunOver,
}

/// Reconnects by the policy; `at` is when the socket was lost.
async fn reconnect(player: &PlayerContext, at: Micros, dice: &mut SmallRng) -> Result<Socket, NotBack> {
    let policy = &player.play.plan.disruptions.reconnect;
    if policy.policy == Policy::None {
        return Err(NotBack::GaveUp);
    }
    player.observe(Event::ReconnectWanted);
    for attempt in 0.. {
        let Some(pause) = backoff::wait(policy, attempt, dice) else { break };
        if !wait(player, pause).await {
            player.observe(Event::ReconnectUnfinished);
            return Err(NotBack::RunOver);
        }
        player.observe(Event::ReconnectAttempted);
        match connect(player).await {
            Ok(socket) => {
                let recovery = player.now().saturating_sub(at);
                player.observe(Event::Reconnected { ledger: player.play.ledger_at(at), recovery });
                return Ok(socket);
            }
            Err(refusal) => {
                player.observe(Event::ReconnectFailed { class: refusal.class() });
                if matches!(refusal, Refusal::RunEnded) {
                    player.observe(Event::ReconnectUnfinished);
                    return Err(NotBack::RunOver);
                }
            }
        }
    }
    player.observe(Event::ReconnectGaveUp);
    Err(NotBack::GaveUp)
}

/// Waits, giving up arrivals that come too late; false when the run is over.
async fn wait(player: &PlayerContext, length: Duration) -> bool {
    let players = &player.play.players;
    let mut alarm = Box::pin(tokio::time::sleep(length.min(A_DAY)));
    loop {
        let arrivals = tokio::select! {
            () = &mut alarm => return !players.stopping(),
            arrivals = poll_fn(|cx| players.poll_arrivals(player.number, cx)) => arrivals,
        };
        let Some(arrivals) = arrivals else { return false };
        arrivals.iter().for_each(|arrival| player.unsent(arrival, &classes::UNSENT_NO_OPEN_SOCKET));
    }
}
