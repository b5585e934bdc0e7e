//! Where a player is on its journey. Its position outlives its sockets: a player that leaves on its way goes on with the next.
//!
//! ```text
//! rest ─▶ do ─▶ (answer, push) ─▶ pause ─▶ do ─▶ leave ─▶ (next socket) ─▶ … ─▶ ended ─▶ rest
//!          └──▶ failed, timed out, socket lost ──────────────────────────────────▶ ended ─▶ rest
//! ```

use std::time::Duration;

use rand::rngs::SmallRng;
use scenarios::plan::journey::{Journey, Step, Until};
use scenarios::plan::ledger::Ledger;
use scenarios::plan::operation::{Kind, Operation};

use crate::clock::{Micros, micros};

/// How long a player rests after a journey that failed, or that the load did not call for.
const REST: Micros = 1_000_000;

/// A player's way through its journey, again and again.
#[derive(Debug)]
pub(super) struct JourneyRun<'p> {
    journey: &'p Journey,
    dice: SmallRng,
    stage: Stage,
    /// The step that is done, or comes next.
    position: usize,
    /// How often the step's operation is still to be done, this time included.
    left: u32,
    /// When this journey began, and where it is booked; `None` while it rests.
    begun: Option<(Micros, Ledger)>,
    /// A journey that has ended, until that is told.
    ended: Option<JourneyEnd>,
}

/// What a player does.
#[derive(Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing, until then; the next journey begins if the load calls for it.
    Resting { until: Micros },
    /// Nothing, until then; what stands at the position comes next.
    Pausing { until: Micros },
    /// What stands at the position comes next, at once.
    Next,
    /// It has been told to do what stands at the position.
    Told,
    /// It waits for what ends the step.
    Waiting(Waiting),
    /// Leaves, and is away for so long.
    Leaving(Duration),
    /// It has no further journey.
    Over,
}

/// What a player waits for.
#[derive(Debug, PartialEq, Eq)]
struct Waiting {
    /// The request.
    index: u64,
    /// The push that ends the step, if that is what does.
    push: Option<Kind>,
    /// When the push is no longer in time.
    until: Option<Micros>,
    /// Whether the answer has come, and the value that it ties the push with.
    answered: Option<Option<Box<str>>>,
    /// Pushes that came before the answer: their values, and whether they brought what was asked for.
    early: Vec<(Option<Box<str>>, bool)>,
}

/// What a player is to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JourneyStep {
    /// Do an operation, and tell [`JourneyRun::asked`].
    Do(Operation),
    /// Leave, and come back after [`JourneyRun::away`].
    Leave,
}

/// A journey that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct JourneyEnd {
    /// The journey as a whole.
    pub(super) operation: Operation,
    /// When it began.
    pub(super) begun: Micros,
    /// Where it is booked.
    pub(super) ledger: Ledger,
    /// When it ended.
    pub(super) at: Micros,
    /// Why it failed, if it did.
    pub(super) failed: Option<Failure>,
}

/// Why a journey failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// This operation of it did: it was not sent, not answered as expected or in time, or its push failed to come.
    Step(Operation),
    /// Its socket was lost, or the player could not come back after it had left.
    Socket,
}

impl<'p> JourneyRun<'p> {
    /// A player that has not begun.
    pub(super) const fn new(journey: &'p Journey, dice: SmallRng) -> Self {
        let stage = Stage::Resting { until: 0 };
        Self { journey, dice, stage, position: 0, left: 0, begun: None, ended: None }
    }

    /// When the player has to be looked at again.
    pub(super) const fn due(&self) -> Option<Micros> {
        match &self.stage {
            Stage::Resting { until } | Stage::Pausing { until } => Some(*until),
            Stage::Next => Some(0),
            Stage::Waiting(waiting) => waiting.until,
            Stage::Told | Stage::Leaving(_) | Stage::Over => None,
        }
    }

    /// What is to be done at `now`; each step is returned once. `called` says whether the load calls for the player, and
    /// where what it begins is booked.
    pub(super) fn step(
        &mut self,
        now: Micros,
        called: impl Fn(Micros) -> Option<Ledger>,
    ) -> Option<JourneyStep> {
        while self.due().is_some_and(|due| due <= now) {
            match &self.stage {
                Stage::Resting { .. } => match called(now) {
                    None => self.stage = Stage::Resting { until: now + REST },
                    Some(ledger) => {
                        self.begun = Some((now, ledger));
                        self.arrive(0, now);
                    }
                },
                Stage::Pausing { .. } if self.left > 0 => self.stage = Stage::Next,
                Stage::Pausing { .. } => self.arrive(self.position + 1, now),
                Stage::Next => {
                    let Step::Do { operation, .. } = self.journey.steps[self.position] else { return None };
                    self.stage = Stage::Told;
                    return Some(JourneyStep::Do(operation));
                }
                // The push has not come.
                Stage::Waiting(_) => self.fail_step(now),
                Stage::Told | Stage::Leaving(_) | Stage::Over => return None,
            }
            if matches!(self.stage, Stage::Leaving(_)) {
                return Some(JourneyStep::Leave);
            }
            // Told before the next begins.
            if self.ended.is_some() {
                return None;
            }
        }
        None
    }

    /// Takes the journey that has ended, if one has.
    pub(super) const fn take_ended(&mut self) -> Option<JourneyEnd> {
        self.ended.take()
    }

    /// Takes the journey that has begun and not ended, since the run is over.
    pub(super) fn take_unfinished(&mut self) -> Option<(Operation, Ledger)> {
        let (_, ledger) = self.begun.take()?;
        Some((self.journey.operation, ledger))
    }

    /// For how long the player stays away, if it leaves.
    pub(super) const fn away(&self) -> Option<Duration> {
        if let Stage::Leaving(length) = self.stage { Some(length) } else { None }
    }

    /// The step's operation is being done with request `index`.
    pub(super) fn asked(&mut self, index: u64, now: Micros) {
        let Step::Do { until, .. } = self.journey.steps[self.position] else { return };
        let (push, until) = match until {
            Until::Answer => (None, None),
            Until::Push { kind, within } => (Some(kind), Some(now.saturating_add(micros(within)))),
        };
        self.stage = Stage::Waiting(Waiting { index, push, until, answered: None, early: Vec::new() });
    }

    /// A request of the player's own has ended: as expected, and with the value that ties its push where there is one, or
    /// otherwise. One that nothing answers has ended when it was sent.
    pub(super) fn answered(&mut self, index: u64, ok: bool, tied: Option<&str>, now: Micros) {
        let Stage::Waiting(waiting) = &mut self.stage else { return };
        if waiting.index != index || waiting.answered.is_some() {
            return;
        }
        if !ok {
            return self.fail_step(now);
        }
        if waiting.push.is_none() {
            return self.pass_step(now);
        }
        let early = waiting.early.iter().find(|(value, _)| value.as_deref() == tied).map(|(_, ok)| *ok);
        waiting.answered = Some(tied.map(Into::into));
        if let Some(ok) = early {
            self.settle(ok, now);
        }
    }

    /// A push came to the player: of request `index` where the push itself says so, with the value that ties it where
    /// one does, and with what was asked for or without it.
    pub(super) fn pushed(
        &mut self,
        kind: Kind,
        index: Option<u64>,
        value: Option<&str>,
        ok: bool,
        now: Micros,
    ) {
        let Stage::Waiting(waiting) = &mut self.stage else { return };
        if waiting.push != Some(kind) || index.is_some_and(|index| index != waiting.index) {
            return;
        }
        match &waiting.answered {
            Some(tied) if tied.as_deref() == value => self.settle(ok, now),
            Some(_) => {}
            None => waiting.early.push((value.map(Into::into), ok)),
        }
    }

    /// The player has come back after it had left.
    pub(super) fn returned(&mut self) {
        if matches!(self.stage, Stage::Leaving(_)) {
            (self.stage, self.left) = (Stage::Pausing { until: 0 }, 0);
        }
    }

    /// The player's socket is lost, or it could not come back: a journey under way has failed.
    pub(super) fn lost(&mut self, now: Micros) {
        if self.begun.is_some() {
            self.end(Some(Failure::Socket), now);
        }
    }

    /// Comes to a step, or to the end.
    fn arrive(&mut self, position: usize, now: Micros) {
        self.position = position;
        let Some(step) = self.journey.steps.get(position) else { return self.end(None, now) };
        self.left = 0;
        self.stage = match *step {
            Step::Do { times, .. } => {
                self.left = times.sample(&mut self.dice);
                Stage::Next
            }
            Step::Pause(length) => self.pause(length, now),
            Step::Leave(length) => Stage::Leaving(length.sample(&mut self.dice)),
        };
    }

    fn pause(&mut self, length: scenarios::draw::Draw, now: Micros) -> Stage {
        Stage::Pausing { until: now.saturating_add(micros(length.sample(&mut self.dice))) }
    }

    fn settle(&mut self, ok: bool, now: Micros) {
        if ok { self.pass_step(now) } else { self.fail_step(now) }
    }

    /// The step's operation has been done once more.
    fn pass_step(&mut self, now: Micros) {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 {
            return self.arrive(self.position + 1, now);
        }
        let Step::Do { pause, .. } = self.journey.steps[self.position] else { return };
        self.stage = pause.map_or(Stage::Next, |pause| self.pause(pause, now));
    }

    fn fail_step(&mut self, now: Micros) {
        let failed = match self.journey.steps[self.position] {
            Step::Do { operation, .. } => Failure::Step(operation),
            Step::Pause(_) | Step::Leave(_) => Failure::Socket,
        };
        self.end(Some(failed), now);
    }

    fn end(&mut self, failed: Option<Failure>, at: Micros) {
        let Some((begun, ledger)) = self.begun.take() else { return };
        self.ended = Some(JourneyEnd { operation: self.journey.operation, begun, ledger, at, failed });
        self.stage = match failed {
            _ if !self.journey.repeats => Stage::Over,
            None => Stage::Resting { until: at },
            Some(_) => Stage::Resting { until: at + REST },
        };
    }
}
