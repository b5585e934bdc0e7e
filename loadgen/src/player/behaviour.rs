//! What is unusual about an open socket: its player will leave, reads slowly, falls silent, or sends what it should
//! not. Boxed in the session and absent for most players, who just stay.

use std::task::{Context, Poll};

use rand::RngExt as _;
use rand::rngs::SmallRng;
use scenarios::disruptions::planned::{ClientFault, SlowReaders};
use scenarios::threshold::Operation;
use tokio::io::AsyncWrite as _;

use super::churn::{Life, Placed, Step};
use super::commands::Order;
use super::session::malformed;
use super::session::{End, Session};
use super::shared::Play;
use crate::clock::{Micros, micros};
use crate::delivery::presence::Presence;
use crate::record::NO_OPEN_SOCKET;
use crate::schedule::Arrival;

/// First number of the requests that players' own lives make, beyond any that a plan's arrivals have.
pub(super) const OWN: u64 = 1 << 48;

/// Outcome of a malformed message that no player could send.
pub(super) const NOT_SENT: &str = NO_OPEN_SOCKET;

/// What is unusual about a socket.
#[derive(Debug, Default)]
pub(super) struct Mood {
    character: Character,
    /// What the player will do as soon as it awaits no answer.
    intent: Option<Intent>,
    /// Malformed bytes on their way, or whose effect is awaited.
    case: Option<Case>,
}

/// How the player is as long as its socket is open.
#[derive(Debug, Default)]
enum Character {
    /// As any other.
    #[default]
    Plain,
    /// Leaves when its life is over.
    Living(Life),
    /// Reads slowly.
    Slow(Slow),
    /// Falls silent at the first instant, until the second.
    Silent { from: Micros, until: Micros, now: bool },
}

/// When a slow reader reads.
#[derive(Debug)]
struct Slow {
    delay: Micros,
    /// Length of a stall, from one to the next, and where in this rhythm the player began.
    stall: Option<(Micros, Micros, Micros)>,
    next: Micros,
}

/// What a player will do as soon as it awaits no answer, so that nothing fails by its own doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Intent {
    Leave,
    FallSilent,
    Send(ClientFault),
}

/// A malformed message under way.
#[derive(Debug)]
struct Case {
    kind: ClientFault,
    bytes: Vec<u8>,
    written: usize,
    /// Until when its effect is awaited.
    until: Micros,
}

impl Mood {
    /// The mood in which player `number` begins its life `life` on a socket; `None` for most.
    pub(super) fn of(play: &Play, number: u32, dice: &mut SmallRng) -> Option<Box<Self>> {
        let disruptions = &play.plan.disruptions;
        let now = play.clock.now();
        let character = if let Some(slow) = disruptions.slow.as_ref().filter(|slow| slow.share.holds(number))
        {
            Character::Slow(Slow::new(slow, dice))
        } else if let Some(silent) =
            disruptions.half_open.as_ref().filter(|silent| silent.share.holds(number))
        {
            let from = now + micros(silent.after.sample(dice));
            let lasts = silent.lasts.map_or(Micros::MAX, |lasts| micros(lasts.sample(dice)));
            Character::Silent { from, until: from.saturating_add(lasts), now: false }
        } else if let Some(churn) = disruptions.churn_of(number) {
            Character::Living(Life::new(churn, dice, now))
        } else {
            return None;
        };
        Some(Box::new(Self { character, intent: None, case: None }))
    }

    /// Whether the player sends and is sent to like any other, from the start.
    pub(super) const fn presence(&self) -> Presence {
        if matches!(self.character, Character::Slow(_)) { Presence::Listed } else { Presence::Open }
    }

    /// The kind of trouble that the whole socket is, if it is.
    pub(super) const fn fault(&self) -> Option<ClientFault> {
        match self.character {
            Character::Slow(_) => Some(ClientFault::SlowReader),
            Character::Silent { now: true, .. } => Some(ClientFault::HalfOpen),
            _ => None,
        }
    }

    /// The malformed message whose effect the end of the socket is.
    pub(super) fn sent(&self) -> Option<ClientFault> {
        self.case.as_ref().filter(|case| case.written > 0).map(|case| case.kind)
    }

    /// The malformed message that was never sent, as the socket has ended.
    pub(super) fn unsent(&self) -> Option<ClientFault> {
        let unwritten = self.case.as_ref().filter(|case| case.written == 0).map(|case| case.kind);
        match self.intent {
            Some(Intent::Send(kind)) => Some(kind),
            _ => unwritten,
        }
    }

    /// Whether the player has fallen silent.
    pub(super) const fn is_silent(&self) -> bool {
        matches!(self.character, Character::Silent { now: true, .. })
    }

    /// Whether it reads slowly: nothing that it reads is in the figures.
    pub(super) const fn is_slow(&self) -> bool {
        matches!(self.character, Character::Slow(_))
    }

    /// Whether it may read a message now.
    pub(super) const fn reads(&self, now: Micros) -> bool {
        match &self.character {
            Character::Slow(slow) => slow.next <= now,
            Character::Silent { now: silent, .. } => !*silent,
            _ => true,
        }
    }

    /// A message has been read.
    pub(super) fn has_read(&mut self, now: Micros) {
        if let Character::Slow(slow) = &mut self.character {
            slow.next = slow.next.max(now + slow.delay);
        }
    }

    /// A request of the player was answered.
    pub(super) fn answered(
        &mut self,
        arrival: &Arrival,
        placement: Option<&str>,
        now: Micros,
    ) -> Option<Placed> {
        match (&mut self.character, arrival.operation) {
            (Character::Living(life), Operation::PlacementRequest) => {
                life.answered(arrival.index, placement, now)
            }
            _ => None,
        }
    }

    /// A placement was pushed to the player.
    pub(super) fn placed(&mut self, placement: &str, fulfilled: bool, now: Micros) -> Option<Placed> {
        match &mut self.character {
            Character::Living(life) => life.pushed(placement, fulfilled, now),
            _ => None,
        }
    }

    /// The malformed message that a frame without an id answers, if one is awaited.
    pub(super) fn claim(&mut self) -> Option<ClientFault> {
        self.case.take_if(|case| case.written == case.bytes.len()).map(|case| case.kind)
    }

    /// When the player has to be looked at again.
    pub(super) fn due(&self, now: Micros) -> Option<Micros> {
        let character = match &self.character {
            Character::Plain => None,
            Character::Living(life) => life.due(),
            Character::Slow(slow) => Some(slow.next).filter(|next| *next > now),
            Character::Silent { from, now: false, .. } => Some(*from),
            Character::Silent { until, .. } => Some(*until),
        };
        let case = self.case.as_ref().map(|case| case.until);
        character.into_iter().chain(case).min()
    }
}

impl Slow {
    fn new(slow: &SlowReaders, dice: &mut SmallRng) -> Self {
        let stall = slow.stall.map(|(stall, every)| {
            let every = micros(every).max(1);
            (micros(stall), every, dice.random_range(0..every))
        });
        Self { delay: micros(slow.delay), stall, next: 0 }
    }

    /// Puts off the next reading to the end of a stall that lies in `now`.
    fn stall(&mut self, now: Micros) {
        if let Some((stall, every, phase)) = self.stall {
            let into = (now + phase) % every;
            if into < stall {
                self.next = self.next.max(now + stall - into);
            }
        }
    }
}

impl Session<'_> {
    /// Obeys an order of the disruptions.
    pub(super) fn obey(&mut self, order: Order) -> Option<End> {
        match order {
            Order::Cut(cut) => return Some(End::Cut(cut)),
            Order::Send(kind) => {
                let mood = self.mood.get_or_insert_default();
                if mood.intent.is_some() || mood.case.is_some() || mood.fault().is_some() {
                    self.play.became(kind, NOT_SENT);
                } else {
                    mood.intent = Some(Intent::Send(kind));
                    self.play.set_presence(self.number, Presence::Busy, false);
                }
            }
        }
        None
    }

    /// Takes the steps that are due; ready when one ends the socket.
    pub(super) fn poll_mood(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        let Some(mood) = self.mood.as_deref_mut() else { return Poll::Pending };
        let now = self.play.clock.now();
        match &mut mood.character {
            Character::Plain => {}
            Character::Living(life) => {
                let placing = life.is_placing();
                match life.step(now) {
                    Some(Step::Ask) => self.ask(cx, now),
                    Some(Step::Leave) => {
                        if placing {
                            self.play.recorder.with(|tally| tally.disruptions.churn.unplaced += 1);
                        }
                        self.intend(Intent::Leave);
                    }
                    None => {}
                }
            }
            Character::Slow(slow) => slow.stall(now),
            Character::Silent { from, now: false, .. } if *from <= now => self.intend(Intent::FallSilent),
            Character::Silent { until, now: true, .. } if *until <= now => return Poll::Ready(End::Silent),
            Character::Silent { .. } => {}
        }
        Poll::Pending
    }

    /// Carries out what waited for the last answer; ready when it ends the socket.
    pub(super) fn poll_intent(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        if self.mood.is_none() {
            return Poll::Pending;
        }
        let now = self.play.clock.now();
        if self.pending.is_empty()
            && let Some(end) = self.carry_out(now)
        {
            return Poll::Ready(end);
        }
        self.poll_case(cx, now)
    }

    fn intend(&mut self, intent: Intent) {
        let Some(mood) = self.mood.as_deref_mut() else { return };
        if let Some(Intent::Send(kind)) = mood.intent.replace(intent) {
            self.play.became(kind, NOT_SENT);
        }
        self.play.set_presence(self.number, Presence::Busy, false);
    }

    /// Nothing is awaited: the intent can be carried out.
    fn carry_out(&mut self, now: Micros) -> Option<End> {
        let mood = self.mood.as_deref_mut()?;
        if mood.case.is_some() {
            return None;
        }
        match mood.intent.take()? {
            Intent::Leave => return Some(End::LifeOver),
            Intent::FallSilent => {
                if let Character::Silent { now: silent, .. } = &mut mood.character {
                    *silent = true;
                }
                self.play.set_presence(self.number, Presence::Listed, true);
                self.play.recorder.with(|tally| tally.disruptions.fault_mut(ClientFault::HalfOpen).made += 1);
            }
            Intent::Send(kind) => {
                let until = now + micros(self.play.plan.disruptions.malformed.patience);
                mood.case = Some(Case { kind, bytes: malformed::bytes(kind), written: 0, until });
            }
        }
        None
    }

    /// Writes a malformed message past tungstenite, once everything before it has left.
    fn poll_case(&mut self, cx: &mut Context<'_>, now: Micros) -> Poll<End> {
        if self.unflushed {
            // Woken again when it has left.
            return Poll::Pending;
        }
        let Some(case) = self.mood.as_deref_mut().and_then(|mood| mood.case.as_mut()) else {
            return Poll::Pending;
        };
        while case.written < case.bytes.len() {
            let stream = std::pin::Pin::new(self.socket.get_mut());
            match stream.poll_write(cx, &case.bytes[case.written..]) {
                Poll::Ready(Ok(0) | Err(_)) | Poll::Pending => break,
                Poll::Ready(Ok(written)) => case.written += written,
            }
        }
        if let Poll::Ready(Err(error)) = std::pin::Pin::new(self.socket.get_mut()).poll_flush(cx) {
            return Poll::Ready(super::session::dropped(&error.into()));
        }
        if case.until <= now {
            let (kind, whole) = (case.kind, case.written == case.bytes.len());
            if let Some(mood) = self.mood.as_deref_mut() {
                mood.case = None;
            }
            self.play.became(kind, if whole { "ignored" } else { "write_blocked" });
            if !whole {
                // Half a message makes everything after it malformed, too.
                return Poll::Ready(End::Unusable);
            }
            self.resume();
        }
        Poll::Pending
    }

    /// A malformed message has had its effect and the socket is still open: back to ordinary work.
    pub(super) fn resume(&mut self) {
        if self.mood.as_deref().is_some_and(|mood| mood.intent.is_none()) {
            self.play.set_presence(self.number, Presence::Open, false);
        }
    }

    /// The player's own life asks for a game session.
    fn ask(&mut self, cx: &mut Context<'_>, now: Micros) {
        let play = self.play;
        let index = OWN + (u64::from(self.number) << 24) + u64::from(self.life);
        if now >= micros(play.plan.end()) {
            return;
        }
        let measured = play.measures(now);
        let arrival = Arrival { operation: Operation::PlacementRequest, index, due: now, measured };
        play.players.begun();
        play.recorder.with(|tally| tally.measures(measured).operation_mut(arrival.operation).offered += 1);
        if let Some(Mood { character: Character::Living(life), .. }) = self.mood.as_deref_mut() {
            life.asked(index, now + micros(play.plan.placement_timeout));
        }
        self.send(&arrival, cx);
    }

    /// Counts how asking for a game session ended.
    pub(super) fn count_placed(&self, placed: Option<Placed>) {
        let Some(placed) = placed else { return };
        self.play.recorder.with(|tally| match placed {
            Placed::Yes => tally.disruptions.churn.placed += 1,
            Placed::No => tally.disruptions.churn.unplaced += 1,
        });
        // Its stay begins now, so that it is looked at again when that is over.
        self.play.players.wake(self.number);
    }
}
