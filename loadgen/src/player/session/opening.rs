//! What a protocol demands of every new socket before its player is ready: steps that are sent and awaited in order.
//!
//! Boxed in the session while it lasts, and absent where the protocol has no opening. It is an operation of its own,
//! `ready`, which every socket does once.

use protocol::outline::Step;

use crate::clock::{Micros, micros};
use crate::player::context::PlayerContext;
use crate::player::roster::OWN_REQUESTS;
use crate::record::{Class, Event};
use crate::schedule::Arrival;

/// The opening of a socket.
#[derive(Debug)]
pub(super) struct Opening {
    /// The operation `ready`.
    pub(super) arrival: Arrival,
    /// When it began.
    pub(super) began: Micros,
    /// When it has taken too long.
    deadline: Micros,
    step: usize,
    state: StepState,
}

/// How far a step is.
#[derive(Debug, PartialEq, Eq)]
enum StepState {
    /// Nothing has been done.
    Due,
    /// It was sent under this id, if it was sent, and its answer is awaited.
    Awaiting { id: Option<u64> },
    /// It was refused.
    Refused(Class),
    /// It is over, and nothing is done until then.
    Settling { until: Micros },
}

/// What is to be done now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum OpeningStep {
    /// Send the message of this step.
    Send(usize),
    /// Nothing: an answer or an instant is awaited.
    Wait,
    /// The player is ready.
    Ready,
    /// A step was refused.
    Failed { step: usize, class: Class },
    /// It took too long: the step that it was at.
    TimedOut(usize),
}

impl Opening {
    /// One that begins now.
    pub(super) const fn new(arrival: Arrival, began: Micros, timeout: Micros) -> Self {
        let deadline = began.saturating_add(timeout);
        Self { arrival, began, deadline, step: 0, state: StepState::Due }
    }

    /// That of a player's next socket, which begins now; `None` where the protocol has no opening.
    pub(super) fn of(player: &PlayerContext) -> Option<Box<Self>> {
        let plan = &player.play.plan;
        let operation = plan.ready()?;
        let now = player.now();
        let ledger = player.play.ledger_at(now);
        let arrival = Arrival { operation, index: OWN_REQUESTS, due: now, measured: ledger };
        player.play.players.begun();
        player.observe(Event::Offered { operation, ledger, unsent: None });
        player.sent(&arrival, now);
        Some(Box::new(Self::new(arrival, now, micros(plan.operation(operation).timeout))))
    }

    /// When it has to be looked at again.
    pub(super) fn due(&self) -> Micros {
        match self.state {
            StepState::Settling { until } => until.min(self.deadline),
            StepState::Due | StepState::Awaiting { .. } | StepState::Refused(_) => self.deadline,
        }
    }

    /// What is to be done at `now`.
    pub(super) fn next(&mut self, steps: &[Step], now: Micros) -> OpeningStep {
        if self.step < steps.len() {
            if let StepState::Refused(class) = &self.state {
                return OpeningStep::Failed { step: self.step, class: class.clone() };
            }
            if self.deadline <= now {
                return OpeningStep::TimedOut(self.step);
            }
        }
        self.go_on(steps, now);
        match self.state {
            _ if self.step >= steps.len() => OpeningStep::Ready,
            StepState::Due => OpeningStep::Send(self.step),
            StepState::Awaiting { .. } | StepState::Settling { .. } | StepState::Refused(_) => {
                OpeningStep::Wait
            }
        }
    }

    /// Goes on to the step at which there is something to send, or to wait for.
    fn go_on(&mut self, steps: &[Step], now: Micros) {
        while let Some(step) = steps.get(self.step) {
            match self.state {
                StepState::Due if !step.sends => self.await_or_settle(step, None, now),
                StepState::Settling { until } if until <= now => {
                    self.step += 1;
                    self.state = StepState::Due;
                }
                _ => return,
            }
        }
    }

    /// The step's message was sent.
    pub(super) fn sent(&mut self, steps: &[Step], id: u64, now: Micros) {
        if let Some(step) = steps.get(self.step) {
            self.await_or_settle(step, Some(id), now);
        }
    }

    fn await_or_settle(&mut self, step: &Step, id: Option<u64>, now: Micros) {
        self.state = if step.awaits { StepState::Awaiting { id } } else { Self::settling(step, now) };
    }

    /// A message may answer `step` under an id that it holds; false where it is not what is awaited.
    pub(super) fn answered(
        &mut self,
        steps: &[Step],
        step: usize,
        id: Option<u64>,
        refused: Option<Class>,
        now: Micros,
    ) -> bool {
        // What the server says first, or next, may be there before this is looked at.
        self.go_on(steps, now);
        let StepState::Awaiting { id: awaited } = self.state else { return false };
        let Some(current) = steps.get(self.step).filter(|_| self.step == step) else { return false };
        // A step that the server begins, or whose answer has no id, takes what comes.
        if id.is_some() && awaited.is_some() && id != awaited {
            return false;
        }
        self.state = refused.map_or_else(|| Self::settling(current, now), StepState::Refused);
        true
    }

    fn settling(step: &Step, now: Micros) -> StepState {
        StepState::Settling { until: now + micros(step.settle) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use scenarios::plan::ledger::Ledger;
    use scenarios::plan::operation::Operation;

    use super::*;

    fn opening() -> Opening {
        let arrival = Arrival { operation: Operation::of(1), index: 0, due: 10, measured: Ledger::MEASURED };
        Opening::new(arrival, 10, 1_000)
    }

    fn step(sends: bool, awaits: bool, settle: u64) -> Step {
        Step { name: String::new(), sends, awaits, settle: Duration::from_micros(settle) }
    }

    #[test]
    fn steps_are_sent_awaited_and_left_to_settle_in_order() {
        let steps = [step(false, true, 0), step(true, true, 0), step(true, false, 50)];
        let mut opening = opening();
        assert_eq!(opening.next(&steps, 10), OpeningStep::Wait, "the server speaks first");
        assert!(!opening.answered(&steps, 1, None, None, 11), "not its turn");
        assert!(opening.answered(&steps, 0, None, None, 12));
        assert_eq!(opening.next(&steps, 12), OpeningStep::Send(1));
        opening.sent(&steps, 7, 12);
        assert!(!opening.answered(&steps, 1, Some(8), None, 13), "another message's id");
        assert_eq!((opening.next(&steps, 13), opening.due()), (OpeningStep::Wait, 1_010));
        assert!(opening.answered(&steps, 1, Some(7), None, 14));
        assert_eq!(opening.next(&steps, 14), OpeningStep::Send(2));
        opening.sent(&steps, 8, 15);
        assert_eq!((opening.next(&steps, 64), opening.due()), (OpeningStep::Wait, 65));
        assert_eq!(opening.next(&steps, 65), OpeningStep::Ready);
    }

    #[test]
    fn what_the_server_says_first_may_be_there_at_once() {
        let steps = [step(false, true, 0), step(false, true, 0), step(true, true, 0)];
        let mut opening = opening();
        assert!(opening.answered(&steps, 0, None, None, 10));
        assert!(opening.answered(&steps, 1, None, None, 10), "in the same reading");
        assert!(!opening.answered(&steps, 2, None, None, 10), "nothing was sent that it could answer");
        assert_eq!(opening.next(&steps, 10), OpeningStep::Send(2));
    }

    #[test]
    fn a_step_that_is_refused_ends_the_opening() {
        let steps = [step(true, true, 0)];
        let mut opening = opening();
        opening.sent(&steps, 1, 10);
        assert!(opening.answered(&steps, 0, None, Some("forbidden".into()), 11));
        assert_eq!(opening.next(&steps, 11), OpeningStep::Failed { step: 0, class: "forbidden".into() });
    }

    #[test]
    fn an_opening_that_takes_too_long_says_at_which_step() {
        let steps = [step(true, true, 0)];
        let mut opening = opening();
        assert_eq!(opening.next(&steps, 10), OpeningStep::Send(0));
        opening.sent(&steps, 1, 10);
        assert_eq!(opening.next(&steps, 1_009), OpeningStep::Wait);
        assert_eq!(opening.next(&steps, 1_010), OpeningStep::TimedOut(0));
    }
}
