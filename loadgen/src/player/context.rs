//! One player as its own task sees it: its number, what it shares with all, and where its events go.

use std::fmt;
use std::sync::Arc;

use protocol::protocol::PushOutcome;
use scenarios::plan::disruptions::ClientFault;
use scenarios::plan::operation::{Kind, Operation};
use tokio::sync::mpsc;

use super::journey::{Failure, JourneyEnd};
use super::roster::OWN_REQUESTS;
use super::shared::Play;
use super::tap::Sight;
use super::think_time::Pause;
use crate::clock::Micros;
use crate::delivery::presence::Presence;
use crate::delivery::{Receipt, ReceivedPush};
use crate::record::{Class, Event, GooseSample, Observer, classes};
use crate::schedule::Arrival;

/// How an operation that was sent ended.
#[derive(Clone, Copy)]
pub(super) enum Outcome<'o> {
    /// Answered as expected.
    Completed,
    /// Answered wrongly, or the socket broke.
    Failed {
        /// The error class.
        class: &'o Class,
        /// What was seen, unless another event has it.
        detail: Option<&'o dyn fmt::Display>,
    },
    /// Not answered in time.
    TimedOut,
}

/// One player.
pub(super) struct PlayerContext {
    /// What it shares with all.
    pub(super) play: Arc<Play>,
    /// Its number.
    pub(super) number: u32,
    /// Where its events go.
    pub(super) observer: Observer,
}

impl PlayerContext {
    /// Player `number`; goose gets a copy of what ends its operations.
    pub(super) fn new(play: Arc<Play>, number: u32, goose: mpsc::Sender<GooseSample>) -> Self {
        let observer = play.observer.with_goose(goose);
        Self { play, number, observer }
    }

    /// Player `number` past its socket: goose gets no copy.
    pub(super) fn without_goose(play: Arc<Play>, number: u32) -> Self {
        let observer = play.observer.clone();
        Self { play, number, observer }
    }

    pub(super) fn now(&self) -> Micros {
        self.play.clock.now()
    }

    /// Something has happened.
    #[inline]
    pub(super) fn observe(&self, event: Event<'_>) {
        self.observer.observe(event);
    }

    /// Whether an operation's arrivals wait for answers, so that there is no instant at which they should have left.
    fn is_closed(&self, operation: Operation) -> bool {
        self.play.plan.operation(operation).think().is_some()
    }

    /// An arrival could not be sent.
    pub(super) fn unsent(&self, arrival: &Arrival, class: &Class) {
        let Arrival { operation, measured: ledger, .. } = *arrival;
        self.play.players.done();
        self.observe(Event::Unsent { player: self.number, operation, ledger, class });
    }

    /// An arrival was sent.
    pub(super) fn sent(&self, arrival: &Arrival, sent: Micros) {
        let Arrival { operation, due, measured: ledger, .. } = *arrival;
        let planned = arrival.index < OWN_REQUESTS && !self.is_closed(operation);
        let delay = planned.then(|| sent.saturating_sub(due));
        self.observe(Event::Sent { operation, ledger, delay });
    }

    /// An arrival was sent to which no answer is awaited: that is all there is of it.
    pub(super) fn unanswered(&self, arrival: &Arrival) {
        let Arrival { operation, measured: ledger, .. } = *arrival;
        self.play.players.done();
        self.observe(Event::Unanswered { operation, ledger });
    }

    /// An operation that was sent has ended at `now`.
    pub(super) fn ended(&self, arrival: &Arrival, sent: Micros, now: Micros, outcome: Outcome<'_>) {
        let Arrival { operation, due, measured: ledger, .. } = *arrival;
        let intended = if self.is_closed(operation) { sent } else { due };
        let (player, response) = (self.number, now.saturating_sub(intended));
        self.play.players.done();
        self.observe(match outcome {
            Outcome::Completed => {
                Event::Completed { operation, ledger, response, service: now.saturating_sub(sent) }
            }
            Outcome::Failed { class, detail } => {
                Event::Failed { player, operation, ledger, response, class, detail }
            }
            Outcome::TimedOut => Event::TimedOut { player, operation, ledger, response },
        });
    }

    /// In the closed model the plan's request is followed by the next; one that the player makes by itself is not. What
    /// follows at once is sent before the task sleeps again.
    pub(super) fn think(&self, arrival: &Arrival, now: Micros, pause: Pause) {
        if arrival.index < OWN_REQUESTS {
            self.play.think_time.think(now, self.number, arrival.operation, pause);
        }
    }

    /// Something was pushed, in this message and with this value where one ties it: matched here at once, or later, or by
    /// the worker that sent it. Returns what it turned out to be where that is known.
    pub(super) fn pushed(
        &self,
        kind: Kind,
        value: Option<&str>,
        message: &str,
        outcome: &PushOutcome<'_>,
        now: Micros,
    ) -> Option<Receipt> {
        let mut push = ReceivedPush::of(self.number, now, outcome)?;
        if self.play.plan.trace {
            let stamps = self.play.plan.protocol.stamps(kind.index(), message);
            push.stamps = stamps.map(Vec::into_boxed_slice);
        }
        let receipt = self.play.deliveries.received(kind, value, message, &push)?;
        self.play.pushed(kind, &push, receipt);
        Some(receipt)
    }

    /// Shows what the player's socket did to the one who looks on, if somebody does; each text of it is to be made with the
    /// function that `sight` is given.
    #[inline]
    pub(super) fn show(&self, at: Micros, sight: impl FnOnce(&dyn Fn(&str) -> String) -> Sight) {
        if let Some(tap) = &self.play.tap {
            tap.see(self.number, at, sight(&|text| self.play.shown(self.number, text)));
        }
    }

    /// The player's journey has come to an end. As a whole it is an operation that was done all the way.
    pub(super) fn journey_ended(&self, end: &JourneyEnd) {
        let JourneyEnd { operation, begun, ledger, at, failed } = *end;
        let (player, response) = (self.number, at.saturating_sub(begun));
        self.observe(Event::Offered { operation, ledger, unsent: None });
        self.observe(Event::Sent { operation, ledger, delay: None });
        let (class, detail) = match failed {
            None => {
                return self.observe(Event::Completed { operation, ledger, response, service: response });
            }
            Some(Failure::Step(step)) => {
                let class = self.observer.class_of(player, "step_", self.play.plan.name(step));
                (class, "this step of the journey failed")
            }
            Some(Failure::Socket) => (classes::SOCKET_LOST.clone(), "the socket was lost on the journey"),
        };
        let (class, detail): (_, Option<&dyn fmt::Display>) = (&class, Some(&detail));
        self.observe(Event::Failed { player, operation, ledger, response, class, detail });
    }

    /// What became of a client fault.
    pub(super) fn fault_outcome(&self, fault: ClientFault, outcome: &Class) {
        self.observe(Event::FaultOutcome { fault, outcome });
    }

    /// The player's socket may be used from now on; it begins what it does in the closed model.
    pub(super) fn open(&self, presence: Presence) {
        self.set_presence(presence, false);
        if presence == Presence::Open {
            self.play.think_time.begin(self.now(), self.number);
        }
    }

    /// The player's presence changes, by its own doing or not.
    pub(super) fn set_presence(&self, presence: Presence, own_doing: bool) {
        self.play.set_presence(self.number, presence, own_doing);
    }
}
