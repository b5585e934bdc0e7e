//! Pacing: hands each arrival to a player at its intended instant, from a thread with a clock of its own.
//!
//! tokio's timer has a wheel of one millisecond, and the kernel wakes a sleeping thread up to 50 µs late on purpose, to
//! wake several at once (`PR_SET_TIMERSLACK`). This thread has no wheel and gives the slack up: it parks until the
//! very instant, on a futex with a high-resolution timer, and is not held up by the runtime's work. It decides
//! nothing: *when* is a pure function of the plan ([`Schedule`]) or, in the closed model, the end of a player's pause;
//! *who* a pure function of seed, operation and index, among the players whose socket is open. An arrival is never
//! skipped: one that comes late leaves late, and its delay is measured; what a stopped run does not come to is told
//! ([`Unreached`]).

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng, rngs::SmallRng};
use scenarios::Plan;
use scenarios::arrivals::Cursor;
use scenarios::ledger::Ledger;
use scenarios::shard::Shard;
use scenarios::threshold::Operation;

use crate::clock::{Clock, Micros, micros};
use crate::player::{Arrival, Players};
use crate::record::{NO_OPEN_SOCKET, Recorder, UNSENT_BACKLOG};

/// Longest sleep: how soon a stop is noticed.
const NAP: Duration = Duration::from_millis(50);

/// A worker's arrivals of a plan, in the order of their instants.
#[derive(Debug)]
pub struct Schedule<'p> {
    plan: &'p Plan,
    /// Of each operation, the arrivals after the next one.
    cursors: Vec<Cursor<'p>>,
    /// Next arrival of each operation: due, position in the plan, index.
    next: BinaryHeap<Reverse<(Micros, usize, u64)>>,
}

impl<'p> Schedule<'p> {
    /// The whole schedule of a plan.
    #[must_use]
    pub fn new(plan: &'p Plan) -> Self {
        Self::of(plan, Shard::WHOLE)
    }

    /// One worker's part of the schedule.
    #[must_use]
    pub fn of(plan: &'p Plan, shard: Shard) -> Self {
        let mut cursors: Vec<_> = plan.operations.iter().map(|planned| planned.of(shard)).collect();
        let first = |(position, cursor): (usize, &mut Cursor<'_>)| {
            cursor.next().map(|(index, due)| Reverse((micros(due), position, index)))
        };
        let next = cursors.iter_mut().enumerate().filter_map(first).collect();
        Self { plan, cursors, next }
    }
}

impl Iterator for Schedule<'_> {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        let mut head = self.next.peek_mut()?;
        let Reverse((due, position, index)) = *head;
        match self.cursors[position].next() {
            Some((index, next)) => *head = Reverse((micros(next), position, index)),
            None => drop(PeekMut::pop(head)),
        }
        let measured = measures(self.plan, due);
        Some(Arrival { operation: self.plan.operations[position].operation, index, due, measured })
    }
}

/// Where what begins at an instant is booked.
#[must_use]
pub fn measures(plan: &Plan, at: Micros) -> Ledger {
    plan.stretch_at(Duration::from_micros(at)).ledger
}

/// A generator that belongs to one arrival: the same seed, operation and index give the same choices.
#[must_use]
pub fn choices(seed: u64, operation: Operation, index: u64) -> SmallRng {
    // SplitMix64's odd constant spreads neighbouring indices; `seed_from_u64` mixes further.
    let salt = (operation as u64 + 1) << 56;
    SmallRng::seed_from_u64(seed ^ salt ^ index.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// What the pacer's thread works with.
#[derive(Debug)]
pub struct Pacer {
    /// The plan.
    pub plan: Arc<Plan>,
    /// The run's clock.
    pub clock: Clock,
    /// The players.
    pub players: Arc<Players>,
    /// Where offered and unsendable arrivals are counted.
    pub recorder: Arc<Recorder>,
    /// Set from outside to end early.
    pub stop: Arc<AtomicBool>,
}

/// Arrivals that the schedule has come to, by operation.
type Reached = [u64; Operation::ALL.len()];

/// Arrivals that a stopped run did not come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreached {
    /// The operation.
    pub operation: Operation,
    /// Where they would have been booked.
    pub measured: Ledger,
    /// How many.
    pub count: u64,
}

impl Pacer {
    /// Runs the schedule to its end, or until stopped; returns what was not come to. Blocks.
    #[must_use]
    pub fn run(&self) -> Vec<Unreached> {
        // The smallest slack there is; where it is refused, sends are a few microseconds later, and that is measured.
        if let Err(error) = rustix::thread::set_current_timer_slack(NonZeroU64::new(1)) {
            tracing::debug!("the timer slack stays as it is: {error}");
        }
        let thinking = &self.players.thinking;
        thinking.paced_here();
        // Whoever thinks may do so until the plan is over.
        let closed = self.plan.operations.iter().any(|planned| planned.think().is_some());
        let end = if closed { micros(self.plan.end()) } else { 0 };
        let shard = self.players.shard();
        let mut schedule = Schedule::of(&self.plan, shard).peekable();
        let mut reached = Reached::default();
        while !self.stop.load(Ordering::Relaxed) {
            let open = schedule.peek().map(|arrival| arrival.due);
            let thought = thinking.next();
            let due = match (open, thought) {
                (None, None) => end,
                (open, thought) => open.unwrap_or(Micros::MAX).min(thought.unwrap_or(Micros::MAX)),
            };
            let left = self.clock.instant(due).saturating_duration_since(Instant::now());
            if !left.is_zero() {
                std::thread::park_timeout(left.min(NAP));
            } else if open == Some(due) {
                if let Some(arrival) = schedule.next() {
                    reached[arrival.operation as usize] += 1;
                    self.dispatch(arrival);
                }
            } else if thought == Some(due) {
                // Only this thread takes; what has come meanwhile ends even earlier.
                if let Some(thought) = thinking.take()
                    && self.players.think_over(&self.plan, &self.recorder, self.clock.now(), &thought)
                {
                    self.players.wake(thought.player);
                }
            } else {
                break;
            }
        }
        unreached(&self.plan, shard, &reached)
    }

    fn dispatch(&self, arrival: Arrival) {
        let player = match arrival.operation {
            Operation::Connect => u32::try_from(arrival.index).ok(),
            operation => {
                let start =
                    choices(self.plan.seed, operation, arrival.index).random_range(0..self.plan.players);
                self.players.open_from(start)
            }
        };
        let unsent = match player {
            Some(player) if self.players.hand(player, arrival) => None,
            Some(_) => Some(UNSENT_BACKLOG),
            None => Some(NO_OPEN_SOCKET),
        };
        self.recorder.offered(arrival.operation, arrival.measured, unsent);
    }
}

/// What is left of a worker's part of the plan after so many arrivals of each operation, by whether it counts.
fn unreached(plan: &Plan, shard: Shard, reached: &Reached) -> Vec<Unreached> {
    let mut left = Vec::new();
    for planned in &plan.operations {
        let reached = reached[planned.operation as usize];
        let mine_before = |offset| shard.within(0, planned.before(offset));
        let all = shard.within(0, planned.arrivals());
        for (index, stretch) in plan.stretches.iter().enumerate() {
            let first = mine_before(stretch.start).max(reached);
            let last = index + 1 == plan.stretches.len();
            let count = if last { all } else { mine_before(stretch.end) }.saturating_sub(first);
            if count > 0 {
                left.push(Unreached { operation: planned.operation, measured: stretch.ledger, count });
            }
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCENARIO: &str = r#"
        name = "pace"
        players = 50
        phases = [{ kind = "ramp", duration = "2s", measured = false }, { kind = "hold", duration = "3s" }]
        [sockets]
        connect_rate = 100.0
        [operations.send_message]
        rate = 40.0
        [operations.placement_request]
        rate = 7.5
    "#;

    #[test]
    fn the_schedule_is_the_plan_in_order() {
        let plan =
            scenarios::check("pace.toml", SCENARIO, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}")).plan;
        let arrivals: Vec<_> = Schedule::new(&plan).collect();
        assert!(arrivals.windows(2).all(|pair| pair[0].due <= pair[1].due));
        for planned in &plan.operations {
            let mine: Vec<_> =
                arrivals.iter().filter(|arrival| arrival.operation == planned.operation).collect();
            assert_eq!(mine.len() as u64, planned.arrivals(), "{}", planned.operation);
            assert!(mine.iter().enumerate().all(|(index, arrival)| arrival.index == index as u64));
        }
        let ramp_end = micros(plan.stretches[1].end);
        let messages = arrivals.iter().filter(|arrival| arrival.operation == Operation::SendMessage);
        assert!(messages.clone().all(|arrival| arrival.measured.is_measured() == (arrival.due >= ramp_end)));
        assert_eq!(messages.count(), 40 + 120);
    }

    #[test]
    fn workers_together_do_exactly_the_schedule() {
        let plan =
            scenarios::check("pace.toml", SCENARIO, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}")).plan;
        let key = |arrival: Arrival| (arrival.due, arrival.operation, arrival.index, arrival.measured);
        let mut whole: Vec<_> = Schedule::new(&plan).map(key).collect();
        whole.sort_unstable();
        for workers in [2, 3, 7] {
            let part = |worker| Schedule::of(&plan, Shard::new(worker, workers).unwrap());
            let mut together: Vec<_> = (0..workers).flat_map(part).map(key).collect();
            together.sort_unstable();
            assert_eq!(together, whole, "{workers}");
        }
    }

    #[test]
    fn what_a_stopped_run_did_not_come_to_makes_up_the_plan() {
        let plan =
            scenarios::check("pace.toml", SCENARIO, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}")).plan;
        for (worker, workers) in [(0, 1), (2, 3)] {
            let shard = Shard::new(worker, workers).unwrap();
            let all = Schedule::of(&plan, shard).count();
            for stopped in [0, 1, all / 3, all / 2, all - 1, all] {
                let mut reached = Reached::default();
                for arrival in Schedule::of(&plan, shard).take(stopped) {
                    reached[arrival.operation as usize] += 1;
                }
                let mut told: Vec<_> = unreached(&plan, shard, &reached)
                    .iter()
                    .flat_map(|left| {
                        std::iter::repeat_n((left.operation, left.measured), left.count as usize)
                    })
                    .collect();
                let mut left: Vec<_> = Schedule::of(&plan, shard)
                    .skip(stopped)
                    .map(|arrival| (arrival.operation, arrival.measured))
                    .collect();
                told.sort_unstable();
                left.sort_unstable();
                assert_eq!(told, left, "stopped after {stopped} of {all}");
            }
        }
    }

    #[test]
    fn choices_depend_on_all_three() {
        let draw = |seed, operation, index| choices(seed, operation, index).random::<u64>();
        let one = draw(1, Operation::SendMessage, 5);
        assert_eq!(one, draw(1, Operation::SendMessage, 5));
        assert_ne!(one, draw(2, Operation::SendMessage, 5));
        assert_ne!(one, draw(1, Operation::UnknownRoute, 5));
        assert_ne!(one, draw(1, Operation::SendMessage, 6));
    }
}
