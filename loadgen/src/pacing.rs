//! Pacing: hands each arrival to a player at its intended instant, from a thread with a clock of its own.
//!
//! tokio's timer has a wheel of one millisecond; a thread that sleeps on the system's clock does better and is
//! not held up by the runtime's work. The thread decides nothing: *when* is a pure function of the plan
//! ([`Schedule`]), *who* a pure function of seed, operation and index, among the players whose socket is open.
//! An arrival is never skipped: one that comes late leaves late, and its delay is measured.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng, rngs::SmallRng};
use scenarios::Plan;
use scenarios::threshold::Operation;

use crate::clock::{Clock, Micros, micros};
use crate::player::{Arrival, Players};
use crate::record::Recorder;

/// Longest sleep: how soon a stop is noticed.
const NAP: Duration = Duration::from_millis(50);

/// Every arrival of a plan, in the order of their instants.
#[derive(Debug)]
pub struct Schedule<'p> {
    plan: &'p Plan,
    /// Next arrival of each operation: due, position in the plan, index.
    next: BinaryHeap<Reverse<(Micros, usize, u64)>>,
}

impl<'p> Schedule<'p> {
    /// The schedule of a plan.
    #[must_use]
    pub fn new(plan: &'p Plan) -> Self {
        let first = |(position, operation): (usize, &scenarios::plan::PlannedOperation)| {
            operation.due(0).map(|due| Reverse((micros(due), position, 0)))
        };
        Self { plan, next: plan.operations.iter().enumerate().filter_map(first).collect() }
    }
}

impl Iterator for Schedule<'_> {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        let mut head = self.next.peek_mut()?;
        let Reverse((due, position, index)) = *head;
        let planned = &self.plan.operations[position];
        match planned.due(index + 1) {
            Some(next) => *head = Reverse((micros(next), position, index + 1)),
            None => drop(std::collections::binary_heap::PeekMut::pop(head)),
        }
        let measured = self.plan.stretch_at(Duration::from_micros(due)).measured;
        Some(Arrival { operation: planned.operation, index, due, measured })
    }
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

impl Pacer {
    /// Runs the schedule to its end, or until stopped. Blocks.
    pub fn run(&self) {
        for arrival in Schedule::new(&self.plan) {
            if !self.wait_until(self.clock.instant(arrival.due)) {
                return;
            }
            self.dispatch(arrival);
        }
    }

    /// Sleeps until an instant; false when stopped meanwhile.
    fn wait_until(&self, instant: Instant) -> bool {
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return false;
            }
            let left = instant.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            std::thread::sleep(left.min(NAP));
        }
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
            Some(_) => Some("unsent_backlog"),
            None => Some("unsent_no_open_socket"),
        };
        self.recorder.with(|tally| {
            let operation = tally.measures(arrival.measured).operation_mut(arrival.operation);
            operation.offered += 1;
            if let Some(class) = unsent {
                operation.give_up(class);
            }
        });
    }
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
        assert!(messages.clone().all(|arrival| arrival.measured == (arrival.due >= ramp_end)));
        assert_eq!(messages.count(), 40 + 120);
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
