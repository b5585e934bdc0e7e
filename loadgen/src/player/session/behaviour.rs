//! What is unusual about an open socket: its player will leave, reads slowly, stops reading, or sends something
//! malformed. Boxed in the session, and absent for most players.

use rand::RngExt as _;
use rand::rngs::SmallRng;
use scenarios::Plan;
use scenarios::plan::disruptions::{ClientFault, SlowReaders};

use super::malformed;
use crate::clock::{Micros, micros};
use crate::delivery::presence::Presence;

/// What is unusual about a socket.
#[derive(Debug, Default)]
pub(in crate::player) struct Behaviour {
    kind: BehaviourKind,
    /// What the player will do as soon as it awaits no answer.
    action: Option<PendingAction>,
    /// A malformed message under way.
    malformed: Option<MalformedSend>,
}

/// How the player behaves as long as its socket is open.
#[derive(Debug, Default)]
enum BehaviourKind {
    /// As any other.
    #[default]
    Plain,
    /// Leaves when its stay is over; absent once it has been told to.
    Staying { until: Option<Micros> },
    /// Reads slowly.
    Slow(SlowReader),
    /// Stops reading at the first instant, until the second; `now` while it does not read.
    HalfOpen { from: Micros, until: Micros, now: bool },
}

/// When a slow reader reads.
#[derive(Debug)]
struct SlowReader {
    delay: Micros,
    /// Length of a stall, from one to the next, and where in this rhythm the player began.
    stall: Option<(Micros, Micros, Micros)>,
    next: Micros,
}

/// What a player will do as soon as it awaits no answer, so that nothing fails by its own doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PendingAction {
    /// Leave, since its session is over.
    Leave,
    /// Stop reading.
    StopReading,
    /// Send something malformed.
    Send(ClientFault),
}

/// What a player is to do at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Take the action as soon as no answer is awaited.
    Plan(PendingAction),
    /// Look what has become of the socket that was not read.
    CheckSocket,
}

/// A malformed message under way.
#[derive(Debug)]
pub(super) struct MalformedSend {
    /// What is wrong with it.
    pub(super) fault: ClientFault,
    bytes: Vec<u8>,
    written: usize,
    /// Until when its effect is awaited.
    until: Micros,
}

impl Behaviour {
    /// How player `number` behaves on a socket that opens at `now`; `None` for most.
    pub(in crate::player) fn of(
        plan: &Plan,
        number: u32,
        dice: &mut SmallRng,
        now: Micros,
    ) -> Option<Box<Self>> {
        let disruptions = &plan.disruptions;
        let kind = if let Some(slow) = disruptions.slow.as_ref().filter(|slow| slow.share.holds(number)) {
            BehaviourKind::Slow(SlowReader::new(slow, dice))
        } else if let Some(half_open) =
            disruptions.half_open.as_ref().filter(|half_open| half_open.share.holds(number))
        {
            let from = now + micros(half_open.after.sample(dice));
            let lasts = half_open.lasts.map_or(Micros::MAX, |lasts| micros(lasts.sample(dice)));
            BehaviourKind::HalfOpen { from, until: from.saturating_add(lasts), now: false }
        } else if let Some(churn) = disruptions.churn_of(number) {
            BehaviourKind::Staying { until: Some(now + micros(churn.session.sample(dice))) }
        } else {
            return None;
        };
        Some(Box::new(Self { kind, action: None, malformed: None }))
    }

    /// Whether the player sends and is sent to like any other, from the start.
    pub(in crate::player) const fn presence(&self) -> Presence {
        if self.is_slow() { Presence::NotReading } else { Presence::Open }
    }

    /// The client fault that the whole socket is, if it is.
    pub(super) const fn fault(&self) -> Option<ClientFault> {
        match self.kind {
            BehaviourKind::Slow(_) => Some(ClientFault::SlowReader),
            BehaviourKind::HalfOpen { now: true, .. } => Some(ClientFault::HalfOpen),
            _ => None,
        }
    }

    /// The malformed message, a part of which has left; the end of the socket is its effect.
    pub(super) fn malformed_sent(&self) -> Option<ClientFault> {
        self.malformed.as_ref().filter(|send| send.written > 0).map(|send| send.fault)
    }

    /// The malformed message of which nothing was sent.
    pub(super) fn malformed_unsent(&self) -> Option<ClientFault> {
        match self.action {
            Some(PendingAction::Send(fault)) => Some(fault),
            _ => self.malformed.as_ref().filter(|send| send.written == 0).map(|send| send.fault),
        }
    }

    /// Whether the player does not read, and so does nothing else either.
    pub(super) const fn is_silent(&self) -> bool {
        matches!(self.kind, BehaviourKind::HalfOpen { now: true, .. })
    }

    /// Whether it reads slowly: nothing that it reads is in the figures.
    pub(in crate::player) const fn is_slow(&self) -> bool {
        matches!(self.kind, BehaviourKind::Slow(_))
    }

    /// Whether it may read a message now.
    pub(super) const fn reads(&self, now: Micros) -> bool {
        match &self.kind {
            BehaviourKind::Slow(slow) => slow.next <= now,
            BehaviourKind::HalfOpen { now: silent, .. } => !*silent,
            _ => true,
        }
    }

    /// A message has been read.
    pub(super) fn has_read(&mut self, now: Micros) {
        if let BehaviourKind::Slow(slow) = &mut self.kind {
            slow.next = slow.next.max(now + slow.delay);
        }
    }

    /// What is due at `now`.
    pub(super) fn step(&mut self, now: Micros) -> Option<Step> {
        match &mut self.kind {
            BehaviourKind::Plain => None,
            BehaviourKind::Staying { until } => {
                until.take_if(|until| *until <= now).map(|_| Step::Plan(PendingAction::Leave))
            }
            BehaviourKind::Slow(slow) => {
                slow.stall(now);
                None
            }
            BehaviourKind::HalfOpen { from, until, now: silent } => match *silent {
                false if *from <= now => Some(Step::Plan(PendingAction::StopReading)),
                true if *until <= now => Some(Step::CheckSocket),
                _ => None,
            },
        }
    }

    /// Plans an action; returns the malformed message that is not sent because of it.
    pub(super) const fn plan(&mut self, action: PendingAction) -> Option<ClientFault> {
        match self.action.replace(action) {
            Some(PendingAction::Send(fault)) => Some(fault),
            _ => None,
        }
    }

    /// Plans to send something malformed; false where the player has other plans.
    pub(super) fn plan_malformed(&mut self, fault: ClientFault) -> bool {
        let free = !self.has_plans() && self.malformed.is_none() && self.fault().is_none();
        if free {
            self.action = Some(PendingAction::Send(fault));
        }
        free
    }

    /// Whether an action is planned.
    pub(super) const fn has_plans(&self) -> bool {
        self.action.is_some()
    }

    /// Whether an action is planned, or a malformed message under way: the player begins nothing else meanwhile.
    pub(super) const fn is_occupied(&self) -> bool {
        self.has_plans() || self.malformed.is_some()
    }

    /// Takes the planned action, unless a malformed message is under way.
    pub(super) const fn take_action(&mut self) -> Option<PendingAction> {
        if self.malformed.is_some() { None } else { self.action.take() }
    }

    /// The player stops reading.
    pub(super) const fn stop_reading(&mut self) {
        if let BehaviourKind::HalfOpen { now: silent, .. } = &mut self.kind {
            *silent = true;
        }
    }

    /// A malformed message is to leave; its effect is awaited until then.
    pub(super) fn send_malformed(&mut self, fault: ClientFault, until: Micros) {
        self.malformed = Some(MalformedSend { fault, bytes: malformed::bytes(fault), written: 0, until });
    }

    /// The malformed message under way.
    pub(super) const fn malformed_mut(&mut self) -> Option<&mut MalformedSend> {
        self.malformed.as_mut()
    }

    /// Takes the malformed message whose effect is no longer awaited.
    pub(super) fn malformed_elapsed(&mut self, now: Micros) -> Option<MalformedSend> {
        self.malformed.take_if(|send| send.until <= now)
    }

    /// Takes the malformed message that a frame without an id answers, if one is awaited.
    pub(super) fn claim(&mut self) -> Option<ClientFault> {
        self.malformed.take_if(|send| send.is_whole()).map(|send| send.fault)
    }

    /// When the player has to be looked at again.
    pub(super) fn due(&self, now: Micros) -> Option<Micros> {
        let kind = match &self.kind {
            BehaviourKind::Plain => None,
            BehaviourKind::Staying { until } => *until,
            BehaviourKind::Slow(slow) => Some(slow.next).filter(|next| *next > now),
            BehaviourKind::HalfOpen { from, now: false, .. } => Some(*from),
            BehaviourKind::HalfOpen { until, .. } => Some(*until),
        };
        let malformed = self.malformed.as_ref().map(|send| send.until);
        kind.into_iter().chain(malformed).min()
    }
}

impl MalformedSend {
    /// What has not been written.
    pub(super) fn unwritten(&self) -> &[u8] {
        &self.bytes[self.written..]
    }

    /// So many more bytes were written.
    pub(super) const fn wrote(&mut self, bytes: usize) {
        self.written += bytes;
    }

    /// Whether all of it was written.
    pub(super) const fn is_whole(&self) -> bool {
        self.written == self.bytes.len()
    }
}

impl SlowReader {
    fn new(slow: &SlowReaders, dice: &mut SmallRng) -> Self {
        let stall = slow.stall.map(|(stall, every)| {
            let every = micros(every).max(1);
            (micros(stall), every, dice.random_range(0..every))
        });
        Self { delay: micros(slow.delay), stall, next: 0 }
    }

    /// Puts off the next reading to the end of a stall that `now` lies in.
    fn stall(&mut self, now: Micros) {
        if let Some((stall, every, phase)) = self.stall {
            let into = (now + phase) % every;
            if into < stall {
                self.next = self.next.max(now + stall - into);
            }
        }
    }
}
