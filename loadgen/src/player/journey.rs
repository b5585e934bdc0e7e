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
                Stage::Next => match self.journey.steps[self.position] {
                    Step::Do { operation, .. } => {
                        self.stage = Stage::Told;
                        return Some(JourneyStep::Do(operation));
                    }
                    Step::Leave(length) => {
                        self.stage = Stage::Leaving(length.sample(&mut self.dice));
                        return Some(JourneyStep::Leave);
                    }
                    Step::Pause(length) => self.stage = self.pause(length, now),
                },
                // The push has not come.
                Stage::Waiting(_) => self.fail_step(now),
                Stage::Told | Stage::Leaving(_) | Stage::Over => return None,
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

    /// Whether a journey has ended that has not been told.
    pub(super) const fn has_ended(&self) -> bool {
        self.ended.is_some()
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

    /// Whether a push of this kind ends the step.
    pub(super) fn awaits(&self, kind: Kind) -> bool {
        matches!(&self.stage, Stage::Waiting(waiting) if waiting.push == Some(kind))
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
        (self.stage, self.left) = match *step {
            Step::Do { times, .. } => (Stage::Next, times.sample(&mut self.dice)),
            Step::Pause(length) => (self.pause(length, now), 0),
            Step::Leave(_) => (Stage::Next, 0),
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use scenarios::Plan;

    use super::*;

    const SECOND: Micros = 1_000_000;
    const LEDGER: Ledger = Ledger::MEASURED;

    fn plan(journey: &str) -> Plan {
        let scenario = format!(
            "name = \"j\"\nplayers = 1\nphases = [{{ kind = \"hold\", duration = \"9s\" }}]\n[[journeys]]\nname = \"a\"\n{journey}\n"
        );
        scenarios::check("j.toml", &scenario, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}")).plan
    }

    fn run(plan: &Plan) -> JourneyRun<'_> {
        JourneyRun::new(plan.journey_of(0).unwrap(), SmallRng::seed_from_u64(1))
    }

    fn step(run: &mut JourneyRun<'_>, now: Micros) -> Option<JourneyStep> {
        run.step(now, |_| Some(LEDGER))
    }

    fn ended(run: &mut JourneyRun<'_>) -> Option<(Micros, Micros, Option<Failure>)> {
        run.take_ended().map(|end| (end.begun, end.at, end.failed))
    }

    #[test]
    fn a_journey_goes_from_step_to_step_and_begins_again() {
        let plan = plan(
            "steps = [\"send_message\", { pause = \"2s\" }, { do = \"unknown_route\", times = 2, pause = \"1s\" }]",
        );
        let [send, unknown] =
            ["send_message", "unknown_route"].map(|name| plan.operation_named(name).unwrap());
        let mut run = run(&plan);
        assert_eq!(step(&mut run, 10), Some(JourneyStep::Do(send)));
        assert_eq!((step(&mut run, 10), run.due()), (None, None), "each step once");
        run.asked(7, 10);
        run.answered(8, false, None, 15);
        assert_eq!(step(&mut run, 15), None, "another's request");
        run.answered(7, true, None, 20);
        assert_eq!(step(&mut run, 20), None);
        assert_eq!(run.due(), Some(20 + 2 * SECOND));
        assert_eq!(step(&mut run, 20 + 2 * SECOND), Some(JourneyStep::Do(unknown)));
        run.asked(8, 20 + 2 * SECOND);
        run.answered(8, true, None, 30 + 2 * SECOND);
        assert_eq!((step(&mut run, 30 + 2 * SECOND), run.due()), (None, Some(30 + 3 * SECOND)));
        assert_eq!(step(&mut run, 40 + 3 * SECOND), Some(JourneyStep::Do(unknown)));
        run.asked(9, 40 + 3 * SECOND);
        assert!(!run.has_ended());
        run.answered(9, true, None, 50 + 3 * SECOND);
        assert_eq!(ended(&mut run), Some((10, 50 + 3 * SECOND, None)), "no pause after the last time");
        assert_eq!(step(&mut run, 60 + 3 * SECOND), Some(JourneyStep::Do(send)), "from the start again");
    }

    #[test]
    fn a_step_ends_with_its_push_which_may_come_before_the_answer() {
        let plan = plan("loop = false\nsteps = [{ do = \"placement_request\", until = \"push\" }]");
        let placement = plan.kinds().find(|(_, push)| *push.name == *"placement").unwrap().0;
        let operation = plan.operation_named("placement_request").unwrap();
        let asked = || {
            let mut run = run(&plan);
            assert_eq!(step(&mut run, 0), Some(JourneyStep::Do(operation)));
            run.asked(7, 0);
            run
        };
        let (mut run, other) = (asked(), Kind::of(0));
        run.answered(7, true, Some("mine"), 5);
        for (kind, value) in [(other, "mine"), (placement, "other")] {
            run.pushed(kind, None, Some(value), true, 6);
            assert!(!run.has_ended(), "not this push");
        }
        run.pushed(placement, None, Some("mine"), true, 9);
        assert_eq!(ended(&mut run), Some((0, 9, None)));
        assert_eq!((step(&mut run, 99 * SECOND), run.due()), (None, None), "once");

        let mut run = asked();
        run.pushed(placement, None, Some("other"), false, 3);
        run.pushed(placement, None, Some("mine"), true, 4);
        assert!(!run.has_ended(), "it is not known whose it is");
        run.answered(7, true, Some("mine"), 5);
        assert_eq!(ended(&mut run), Some((0, 5, None)));

        let failed = Some(Failure::Step(operation));
        let mut run = asked();
        run.answered(7, true, Some("mine"), 5);
        run.pushed(placement, None, Some("mine"), false, 9);
        assert_eq!(ended(&mut run), Some((0, 9, failed)), "the push says that it has failed");

        let mut run = asked();
        run.answered(7, false, None, 5);
        assert_eq!(ended(&mut run), Some((0, 5, failed)), "the answer does");

        let mut run = asked();
        run.answered(7, true, Some("mine"), 5);
        assert_eq!(run.due(), Some(30 * SECOND));
        assert_eq!(step(&mut run, 30 * SECOND), None);
        assert_eq!(ended(&mut run), Some((0, 30 * SECOND, failed)), "it does not come");
    }

    #[test]
    fn a_push_by_marker_or_player_ends_the_step_that_it_belongs_to() {
        let plan = plan("steps = [{ do = \"placement_request\", until = \"push\" }]");
        let kind = Kind::of(1);
        let mut run = run(&plan);
        step(&mut run, 0);
        run.asked(7, 0);
        run.pushed(kind, Some(6), None, true, 1);
        run.answered(7, true, None, 2);
        assert!(!run.has_ended(), "another send's");
        run.pushed(kind, Some(7), None, true, 3);
        assert_eq!(ended(&mut run), Some((0, 3, None)));
        step(&mut run, 4);
        run.asked(8, 4);
        run.pushed(kind, None, None, true, 5);
        run.answered(8, true, None, 6);
        assert_eq!(ended(&mut run), Some((4, 6, None)), "the player's own, before the answer");
    }

    #[test]
    fn a_player_that_leaves_goes_on_with_its_next_socket() {
        let plan = plan("steps = [\"unknown_route\", { leave = \"3s\" }, \"send_message\"]");
        let mut run = run(&plan);
        let first = |run: &mut JourneyRun<'_>, now| {
            assert!(matches!(step(run, now), Some(JourneyStep::Do(_))));
            run.asked(0, now);
            run.answered(0, true, None, now);
        };
        first(&mut run, 5);
        assert_eq!(step(&mut run, 5), Some(JourneyStep::Leave));
        assert_eq!((run.away(), run.due()), (Some(Duration::from_secs(3)), None));
        assert_eq!(step(&mut run, 6), None, "each step once");
        run.returned();
        assert!(matches!(step(&mut run, 4 * SECOND), Some(JourneyStep::Do(_))));
        run.asked(1, 4 * SECOND);
        run.answered(1, true, None, 5 * SECOND);
        assert_eq!(ended(&mut run), Some((5, 5 * SECOND, None)), "its time away is part of it");
        // A handshake that is refused fails it; the next begins on the socket after that.
        first(&mut run, 5 * SECOND);
        assert_eq!(step(&mut run, 5 * SECOND), Some(JourneyStep::Leave));
        run.lost(8 * SECOND);
        assert_eq!(ended(&mut run), Some((5 * SECOND, 8 * SECOND, Some(Failure::Socket))));
        run.returned();
        assert_eq!((run.away(), run.due()), (None, Some(9 * SECOND)));
    }

    #[test]
    fn a_journey_that_failed_is_followed_by_the_next_after_a_rest() {
        let plan = plan("steps = [\"send_message\"]");
        let mut run = run(&plan);
        step(&mut run, 0);
        run.asked(1, 0);
        run.lost(4);
        assert_eq!(ended(&mut run), Some((0, 4, Some(Failure::Socket))));
        run.answered(1, false, None, 5);
        run.lost(6);
        assert!(!run.has_ended(), "nothing is under way");
        assert_eq!((step(&mut run, 5), run.due()), (None, Some(4 + REST)));
        assert!(matches!(step(&mut run, 4 + REST), Some(JourneyStep::Do(_))));
        assert_eq!(run.take_unfinished().map(|(_, ledger)| ledger), Some(LEDGER));
        assert_eq!(run.take_unfinished(), None);
    }

    #[test]
    fn a_journey_waits_until_the_load_calls_for_it() {
        let plan = plan("steps = [\"send_message\"]");
        let mut run = run(&plan);
        assert_eq!(run.step(5, |_| None), None);
        assert_eq!((run.due(), run.take_unfinished()), (Some(5 + REST), None));
        assert!(step(&mut run, 5 + REST).is_some());
    }

    proptest! {
        /// Whatever happens, a journey that began has ended once, or is under way; what is done is what its steps say.
        #[test]
        fn every_journey_that_began_ends_once(events in prop::collection::vec((0_u8..8, 0_u64..2_000_000), 1..200)) {
            let plan = plan(
                "steps = [{ do = \"send_message\", times = \"1 to 3\", pause = \"1s\" }, { leave = \"1s\" }, \
                 { do = \"placement_request\", until = \"push\" }, { pause = \"1s\" }]",
            );
            let (mut run, placement) = (run(&plan), Kind::of(1));
            let (mut now, mut index, mut begun, mut ended, mut done) = (0, 0, 0_u64, 0_u64, 0_u64);
            for (event, after) in events {
                now += after;
                let called = |_| Some(LEDGER);
                match event {
                    0 => run.answered(index, false, None, now),
                    1 | 2 => run.answered(index, true, Some("value"), now),
                    3 => run.pushed(placement, None, Some("value"), true, now),
                    4 => run.pushed(placement, None, Some("other"), true, now),
                    5 => run.lost(now),
                    6 => run.returned(),
                    _ => {}
                }
                loop {
                    ended += u64::from(run.take_ended().is_some());
                    let resting = run.begun.is_none();
                    let step = run.step(now, called);
                    begun += u64::from(resting && (run.begun.is_some() || run.has_ended()));
                    match step {
                        Some(JourneyStep::Do(_)) => {
                            (index, done) = (index + 1, done + 1);
                            run.asked(index, now);
                        }
                        Some(JourneyStep::Leave) => prop_assert!(run.away().is_some()),
                        None if run.has_ended() => {}
                        None => break,
                    }
                }
                prop_assert_eq!(begun, ended + u64::from(run.begun.is_some()));
                prop_assert!(ended <= done, "none ends before its first step");
                prop_assert!(run.due().is_none_or(|due| due > now), "nothing is due that has not been done");
            }
        }
    }
}
