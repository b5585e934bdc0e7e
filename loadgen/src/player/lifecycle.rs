//! What a player does with its socket from the first handshake on: holds it, loses it, comes back.
//!
//! ```text
//! connect ─▶ hold ─▶ run over ─▶ farewell
//!   │         ├─▶ life over ─▶ pause ─▶ connect again (same player id)
//!   │         ├─▶ cut, silent, malformed ─┐
//!   └─▶ refused                           ├─▶ backoff ─▶ connect again, or give up
//!             └─▶ ended by the backend ───┘
//! ```

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use scenarios::disruptions::planned::{ClientFault, Policy};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;

use super::backoff;
use super::behaviour::{Mood, NOT_SENT};
use super::handshake::Stream;
use super::heart::Heart;
use super::session::{End, Session};
use super::shared::{GooseSample, Play, Refusal};
use crate::clock::Micros;
use crate::delivery::presence::Presence;
use crate::record::{Class, NO_OPEN_SOCKET};

type Socket = WebSocketStream<Stream>;

/// Longest wait: an exponential has no bound of its own.
const A_DAY: Duration = Duration::from_secs(86_400);

/// Why a player has no socket.
#[derive(Debug, Clone, Copy)]
enum Gone {
    /// The run is over.
    RunOver,
    /// Its life was over.
    Left,
    /// It wants it back: since when, and whether the socket was cut by its own side.
    Lost { at: Micros, cut: bool },
}

/// Lives until the run is over or the player stays away; `socket` is what the first handshake led to. It stays in its
/// place until it is used: a socket that is handed on by value has room in every future that it went through.
pub(super) async fn live(
    play: &Arc<Play>,
    number: u32,
    socket: &mut Option<Socket>,
    goose: &mpsc::Sender<GooseSample>,
) {
    let mut gone = Gone::Lost { at: play.clock.now(), cut: false };
    for life in 0.. {
        if socket.is_some() {
            gone = hold(play, number, life, socket, goose).await;
        }
        if matches!(gone, Gone::RunOver) {
            return;
        }
        // Boxed, so that a player who stays does not carry the state of one who comes back.
        *socket = Box::pin(come_back(play, number, life, gone)).await;
        if socket.is_none() {
            return;
        }
    }
}

/// The dice of one life of a player: the same seed gives the same.
fn dice(play: &Play, number: u32, life: u32) -> SmallRng {
    let place = (u64::from(number) << 32 | u64::from(life)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    SmallRng::seed_from_u64(play.plan.seed ^ place ^ 0x6c69_7665_735f_6f6e)
}

/// Plays on an open socket until it ends.
async fn hold(
    play: &Arc<Play>,
    number: u32,
    life: u32,
    socket: &mut Option<Socket>,
    goose: &mpsc::Sender<GooseSample>,
) -> Gone {
    let Some(open) = socket.take() else { return Gone::Lost { at: play.clock.now(), cut: false } };
    let mood = Mood::of(play, number, &mut dice(play, number, life));
    if mood.as_deref().is_some_and(Mood::is_slow) {
        play.recorder.with(|tally| tally.disruptions.fault_mut(ClientFault::SlowReader).made += 1);
    }
    let presence = mood.as_deref().map_or(Presence::Open, Mood::presence);
    play.set_presence(number, presence, false);
    if presence == Presence::Open {
        play.players.begin_thinking(&play.plan, &play.recorder, play.clock.now(), number);
    }
    let heart = Heart::of(play.plan.way.heartbeat.as_ref(), play.clock.now());
    let mut session = Session::new(play, number, life, open, mood, heart, goose);
    let end = poll_fn(|cx| session.poll(cx)).await;
    let provoked = session.mood.as_deref().is_some_and(|mood| mood.sent().is_some());
    play.set_presence(number, Presence::Closed, provoked || !matches!(end, End::Dropped(..)));
    play.players.set_deadline(number, None);
    play.settle_order(number);
    // Boxed, so that farewells do not stay in the player's task.
    Box::pin(part(play, session, end)).await
}

/// Takes leave of a socket as its end demands, and counts it.
async fn part(play: &Play, mut session: Session<'_>, end: End) -> Gone {
    let at = play.clock.now();
    let (fault, sent) = session.mood.as_deref().map_or((None, None), |mood| {
        mood.unsent().into_iter().for_each(|kind| play.became(kind, NOT_SENT));
        (mood.fault(), mood.sent())
    });
    // What became of the trouble that the whole socket was.
    let settle = |outcome: &Class| {
        fault.into_iter().chain(sent).for_each(|kind| play.became(kind, outcome.clone()));
    };
    match end {
        End::Left => {
            if fault == Some(ClientFault::HalfOpen) {
                settle(&session.find_out().await);
            } else {
                settle(&"run_ended".into());
            }
            session.leave().await;
            return Gone::RunOver;
        }
        End::LifeOver => {
            settle(&"left".into());
            play.recorder.with(|tally| tally.disruptions.churn.left += 1);
            session.leave().await;
            return Gone::Left;
        }
        End::Silent => {
            settle(&session.find_out().await);
        }
        End::Unusable => {}
        End::Cut(cut) => {
            settle(&"cut".into());
            play.recorder.with(|tally| tally.disruptions.fault_mut(ClientFault::Cut).made += 1);
            session.cut(cut).await;
            return Gone::Lost { at, cut: true };
        }
        End::Dropped(class, detail) => {
            session.drop_pending(&class);
            if let Some(kind) = sent.or(fault) {
                settle(&class);
                play.sample(session.number, kind.word(), &class, || detail);
            } else {
                play.recorder.with(|tally| {
                    tally.sockets.dropped += 1;
                    tally.disruptions.ends.count(class.clone());
                });
                play.sample(session.number, "socket", &class, || detail);
            }
        }
    }
    Gone::Lost { at, cut: false }
}

/// Brings a player back; `None`: it stays away, or the run is over.
async fn come_back(play: &Play, number: u32, life: u32, mut gone: Gone) -> Option<Socket> {
    let disruptions = &play.plan.disruptions;
    let churn = disruptions.churn_of(number);
    let mut dice = dice(play, number, life);
    // A socket that was cut has one outcome, whatever comes afterwards.
    let mut cut = matches!(gone, Gone::Lost { cut: true, .. });
    let mut settle = |outcome: &'static str| {
        if std::mem::take(&mut cut) {
            play.became(ClientFault::Cut, outcome);
        }
    };
    loop {
        gone = match (gone, churn) {
            (Gone::RunOver, _) | (Gone::Left, None) => return None,
            (Gone::Left, Some(churn)) => {
                if !wait(play, number, churn.pause.sample(&mut dice)).await {
                    return None;
                }
                match play.shake_hands(number).await {
                    Ok(socket) => {
                        play.recorder.with(|tally| tally.disruptions.churn.returned += 1);
                        return Some(socket);
                    }
                    Err(Refusal::RunEnded) => return None,
                    Err(refusal) => {
                        play.recorder.with(|tally| tally.disruptions.churn.refused.count(refusal.class()));
                        Gone::Lost { at: play.clock.now(), cut: false }
                    }
                }
            }
            (Gone::Lost { at, .. }, churn) => {
                match try_again(play, number, at, &mut dice).await {
                    Ok(socket) => {
                        settle("back");
                        return Some(socket);
                    }
                    Err(Absent::RunOver) => {
                        settle("run_ended");
                        return None;
                    }
                    Err(Absent::GaveUp) => settle(if disruptions.reconnect.policy == Policy::None {
                        "stayed_away"
                    } else {
                        "gave_up"
                    }),
                }
                // Who lives and leaves begins another life later; others stay away.
                churn?;
                Gone::Left
            }
        }
    }
}

/// Why a player that tried is not back.
enum Absent {
    GaveUp,
    RunOver,
}

/// Tries to come back by the policy; `at` is when the socket was lost.
async fn try_again(play: &Play, number: u32, at: Micros, dice: &mut SmallRng) -> Result<Socket, Absent> {
    let policy = &play.plan.disruptions.reconnect;
    if policy.policy == Policy::None {
        return Err(Absent::GaveUp);
    }
    play.recorder.with(|tally| tally.disruptions.reconnects.wanted += 1);
    for attempt in 0.. {
        let Some(pause) = backoff::wait(policy, attempt, dice) else { break };
        if !wait(play, number, pause).await {
            play.recorder.with(|tally| tally.disruptions.reconnects.unfinished += 1);
            return Err(Absent::RunOver);
        }
        play.recorder.with(|tally| tally.disruptions.reconnects.attempts += 1);
        match play.shake_hands(number).await {
            Ok(socket) => {
                let recovery = play.clock.now().saturating_sub(at);
                play.recorder.with(|tally| {
                    tally.disruptions.reconnects.succeeded += 1;
                    tally.measures(play.measures(at)).recovery.record(recovery);
                });
                return Ok(socket);
            }
            Err(refusal) => {
                let over = matches!(refusal, Refusal::RunEnded);
                play.recorder.with(|tally| {
                    tally.disruptions.reconnects.unfinished += u64::from(over);
                    tally.disruptions.reconnects.errors.count(refusal.class());
                });
                if over {
                    return Err(Absent::RunOver);
                }
            }
        }
    }
    play.recorder.with(|tally| tally.disruptions.reconnects.gave_up += 1);
    Err(Absent::GaveUp)
}

/// Waits, giving up arrivals that come too late; false when the run is over.
async fn wait(play: &Play, number: u32, length: Duration) -> bool {
    let mut alarm = Box::pin(tokio::time::sleep(length.min(A_DAY)));
    loop {
        let arrivals = tokio::select! {
            () = &mut alarm => return !play.players.stopping(),
            arrivals = poll_fn(|cx| play.players.poll_arrivals(number, cx)) => arrivals,
        };
        let Some(arrivals) = arrivals else { return false };
        arrivals.iter().for_each(|arrival| play.unsent(number, arrival, NO_OPEN_SOCKET));
    }
}
