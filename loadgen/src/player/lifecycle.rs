//! What a player does with its socket from the first handshake on: holds it, loses it, reconnects.
//!
//! ```text
//! connect ─▶ hold ─▶ run over ─▶ close
//!   │         ├─▶ session over ─▶ pause ─▶ connect again (same player id)
//!   │         ├─▶ cut, not read, malformed ─┐
//!   └─▶ refused                             ├─▶ backoff ─▶ connect again, or give up
//!             ├─▶ not ready ────────────────┤
//!             └─▶ ended by the backend ─────┘
//! ```
//!
//! A player on a journey keeps its place in it from one socket to the next.
//!
//! Where the protocol has an opening, a socket is the player's only once it is ready: a socket that was lost before counts as
//! a failed attempt, so that the waits go on growing.

use std::future::poll_fn;
use std::time::Duration;

use protocol::outline::Retry;
use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use scenarios::plan::disruptions::{ClientFault, Policy};
use tokio_tungstenite::WebSocketStream;

use super::backoff;
use super::connect::{Refusal, connect};
use super::context::PlayerContext;
use super::disruptions::settle_command;
use super::handshake::Stream;
use super::journey::JourneyRun;
use super::session::{Behaviour, Dropped, End, Heartbeat, HeartbeatTimer, Session};
use super::tap::Sight;
use crate::clock::Micros;
use crate::delivery::presence::Presence;
use crate::record::{Class, Event, classes};

type Socket = WebSocketStream<Stream>;

/// Where a player is on its journey, if it has one.
type OnJourney<'p> = Option<Box<JourneyRun<'p>>>;

/// Longest wait: an exponential has no bound of its own.
const A_DAY: Duration = Duration::from_secs(86_400);
/// A socket that ends sooner is not followed by another at once a second time: a backend that closes every socket would
/// have the players connect as fast as they can.
const TOO_SOON: Micros = 1_000_000;

/// Why a player has no socket.
#[derive(Debug, Clone, Copy)]
enum NoSocket {
    /// The run is over.
    RunOver,
    /// Its session was over.
    Left,
    /// It wants it back.
    Lost(Lost),
}

/// How a socket was lost.
#[derive(Debug, Clone, Copy)]
struct Lost {
    at: Micros,
    /// Its own side cut it.
    cut: bool,
    /// It was open, but the player was not ready.
    unready: bool,
    /// What the protocol has the player do.
    retry: Retry,
    /// Attempts to come back that have failed so far.
    attempts: u32,
}

impl Lost {
    const fn new(at: Micros) -> Self {
        Self { at, cut: false, unready: false, retry: Retry::Policy, attempts: 0 }
    }
}

/// Holds a socket, and reconnects where one is lost, until the run is over or the player stays away; `socket` is what the
/// first handshake led to. It stays in its place until it is used: a socket that is handed on by value has room in every
/// future that it went through.
pub(super) async fn live(player: &PlayerContext, socket: &mut Option<Socket>) {
    let mut journey = player.play.plan.journey_of(player.number).map(|journey| {
        // Not those of any socket.
        Box::new(JourneyRun::new(journey, dice(player, u32::MAX)))
    });
    let mut why = NoSocket::Lost(Lost::new(player.now()));
    // How the player came to the socket that it has.
    let (mut attempts, mut retry) = (0, Retry::Policy);
    for socket_generation in 0.. {
        if socket.is_some() {
            let opened = player.now();
            why = hold(player, socket_generation, socket, &mut journey).await;
            if let NoSocket::Lost(lost) = &mut why {
                if lost.unready {
                    lost.attempts = attempts;
                }
                if lost.retry == retry && retry == Retry::AtOnce && lost.at < opened + TOO_SOON {
                    lost.retry = Retry::Policy;
                }
                retry = lost.retry;
            }
        }
        if matches!(why, NoSocket::RunOver) {
            break;
        }
        // Boxed, so that the state of reconnecting is allocated only while a player reconnects.
        (*socket, attempts) = Box::pin(come_back(player, socket_generation, why, &mut journey)).await;
        if socket.is_none() {
            break;
        }
    }
    if let Some((operation, ledger)) = journey.as_deref_mut().and_then(JourneyRun::take_unfinished) {
        player.observe(Event::JourneyUnfinished { operation, ledger });
    }
}

/// The dice of one of a player's sockets: the same seed gives the same.
fn dice(player: &PlayerContext, socket_generation: u32) -> SmallRng {
    let place =
        (u64::from(player.number) << 32 | u64::from(socket_generation)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    SmallRng::seed_from_u64(player.play.plan.seed ^ place ^ 0x6c69_7665_735f_6f6e)
}

/// Plays on an open socket until it ends.
async fn hold<'p>(
    player: &'p PlayerContext,
    socket_generation: u32,
    socket: &mut Option<Socket>,
    journey: &mut OnJourney<'p>,
) -> NoSocket {
    let Some(open) = socket.take() else { return NoSocket::Lost(Lost::new(player.now())) };
    let play = &*player.play;
    let mut dice = dice(player, socket_generation);
    let behaviour = Behaviour::of(&play.plan, player.number, &mut dice, player.now());
    if behaviour.as_deref().is_some_and(Behaviour::is_slow) {
        player.observe(Event::FaultMade(ClientFault::SlowReader));
    }
    let presence = if play.endpoint.protocol().outline().opening.is_empty() {
        behaviour.as_deref().map_or(Presence::Open, Behaviour::presence)
    } else {
        // Nobody sends to it, and it sends nothing, before it is ready.
        Presence::Leaving
    };
    player.open(presence);
    let heartbeat = HeartbeatTimer::of(Heartbeat::of(&play.plan), player.now());
    let mut session = Session::new(player, open, behaviour, journey.take(), heartbeat);
    let end = poll_fn(|cx| session.poll(cx)).await;
    *journey = session.take_journey();
    if !matches!(end, End::RunOver | End::SessionOver) {
        fail_journey(player, journey);
    }
    let own_doing =
        session.malformed_sent().is_some() || !matches!(end, End::Dropped(_) | End::NotReady { .. });
    player.set_presence(Presence::Closed, own_doing);
    play.players.set_deadline(player.number, None);
    settle_command(play, player.number);
    // Boxed, so that the closing handshake does not stay in the player's task.
    Box::pin(end_session(player, session, end)).await
}

/// The player has lost its socket, or could not come back: the journey that it was on has failed.
fn fail_journey(player: &PlayerContext, journey: &mut OnJourney<'_>) {
    let Some(journey) = journey.as_deref_mut() else { return };
    journey.lost(player.now());
    journey.take_ended().into_iter().for_each(|end| player.journey_ended(&end));
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
            let class = session.find_out().await;
            session.fail_all(&class);
            settle(&class);
        }
        End::Unusable => session.fail_all(&classes::WRITE_BLOCKED),
        End::Cut(cut) => {
            settle(&classes::CUT);
            player.observe(Event::FaultMade(ClientFault::Cut));
            session.cut(cut).await;
            return NoSocket::Lost(Lost { cut: true, ..Lost::new(at) });
        }
        End::NotReady { class } => {
            settle(&class);
            session.leave().await;
            return NoSocket::Lost(Lost { unready: true, ..Lost::new(at) });
        }
        End::Dropped(dropped) => {
            let (Dropped { class, detail, .. }, retry) =
                dropped.under(&player.play.endpoint.protocol().outline().close);
            let unready = session.is_opening();
            session.fail_all(&class);
            player.show(at, |shown| Sight::Ended { class: shown(&class), detail: shown(&detail) });
            let (player, observer) = (player.number, &player.observer);
            if let Some(fault) = sent.or(fault) {
                settle(&class);
                observer.observe(Event::FaultEndedSocket { player, fault, class: &class, detail: &detail });
            } else {
                observer.observe(Event::Dropped { player, class: &class, detail: &detail });
            }
            return NoSocket::Lost(Lost { retry, unready, ..Lost::new(at) });
        }
    }
    NoSocket::Lost(Lost::new(at))
}

/// Brings a player back, after how many attempts; without a socket it stays away, or the run is over.
async fn come_back(
    player: &PlayerContext,
    socket_generation: u32,
    mut why: NoSocket,
    journey: &mut OnJourney<'_>,
) -> (Option<Socket>, u32) {
    const AWAY: (Option<Socket>, u32) = (None, 0);
    let disruptions = &player.play.plan.disruptions;
    let churn = disruptions.churn_of(player.number);
    let away = journey.as_deref().and_then(JourneyRun::away);
    let mut dice = dice(player, socket_generation);
    // How long a player that leaves is away, each time anew.
    let pause = |dice: &mut SmallRng| away.or_else(|| Some(churn?.pause.sample(dice)));
    // A socket that was cut has one outcome, whatever comes afterwards.
    let mut cut = matches!(why, NoSocket::Lost(Lost { cut: true, .. }));
    let mut settle = |outcome: &'static Class| {
        if std::mem::take(&mut cut) {
            player.fault_outcome(ClientFault::Cut, outcome);
        }
    };
    loop {
        why = match why {
            NoSocket::RunOver => return AWAY,
            NoSocket::Left => {
                let Some(pause) = pause(&mut dice) else { return AWAY };
                if !wait(player, pause).await {
                    return AWAY;
                }
                match connect(player).await {
                    Ok(socket) => {
                        player.observe(Event::SessionStarted);
                        journey.iter_mut().for_each(|journey| journey.returned());
                        return (Some(socket), 0);
                    }
                    Err(Refusal::RunEnded) => return AWAY,
                    Err(refusal) => {
                        player.observe(Event::SessionRefused { class: refusal.class() });
                        fail_journey(player, journey);
                        NoSocket::Lost(Lost::new(player.now()))
                    }
                }
            }
            NoSocket::Lost(lost) => {
                match reconnect(player, lost, &mut dice).await {
                    Ok((socket, attempts)) => {
                        settle(&classes::BACK);
                        return (Some(socket), attempts);
                    }
                    Err(NotBack::RunOver) => {
                        settle(&classes::RUN_ENDED);
                        return AWAY;
                    }
                    Err(NotBack::GaveUp) => settle(if disruptions.reconnect.policy == Policy::None {
                        &classes::STAYED_AWAY
                    } else {
                        &classes::GAVE_UP
                    }),
                }
                // One that leaves and comes back does so later; others stay away.
                if churn.is_none() && away.is_none() {
                    return AWAY;
                }
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

/// Reconnects by the policy and what the protocol has for the way in which the socket was lost; returns after how many
/// attempts, too.
async fn reconnect(
    player: &PlayerContext,
    Lost { at, retry, attempts, .. }: Lost,
    dice: &mut SmallRng,
) -> Result<(Socket, u32), NotBack> {
    let policy = &player.play.plan.disruptions.reconnect;
    if retry == Retry::No || (retry == Retry::Policy && policy.policy == Policy::None) {
        return Err(NotBack::GaveUp);
    }
    player.observe(Event::ReconnectWanted);
    for attempt in attempts.. {
        let Some(pause) = backoff::wait(policy, retry, attempt, dice) else { break };
        if !wait(player, pause).await {
            player.observe(Event::ReconnectUnfinished);
            return Err(NotBack::RunOver);
        }
        player.observe(Event::ReconnectAttempted);
        match connect(player).await {
            Ok(socket) => {
                let recovery = player.now().saturating_sub(at);
                player.observe(Event::Reconnected { ledger: player.play.ledger_at(at), recovery });
                return Ok((socket, attempt.saturating_add(1)));
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

#[cfg(test)]
mod tests;
