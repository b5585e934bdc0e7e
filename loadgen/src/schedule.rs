//! A plan's arrivals in the order of their instants, and what a stopped run did not come to.
//!
//! Pure functions of the plan: the same file and seed give the same arrivals and the same choices.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::time::Duration;

use rand::{RngExt as _, SeedableRng, rngs::SmallRng};
use scenarios::Plan;
use scenarios::plan::arrivals::Cursor;
use scenarios::plan::ledger::Ledger;
use scenarios::plan::operation::{Operation, What};
use scenarios::plan::shard::Shard;

use crate::clock::{Micros, micros};

/// An operation that the plan calls for at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// What is to be done.
    pub operation: Operation,
    /// Its number among the plan's arrivals of this operation.
    pub index: u64,
    /// The intended instant.
    pub due: Micros,
    /// Where it is booked.
    pub measured: Ledger,
}

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
    plan.phase_at(Duration::from_micros(at)).ledger
}

/// A generator that belongs to one arrival: the same seed, operation and index give the same choices.
#[must_use]
pub fn choices(seed: u64, what: What, index: u64) -> SmallRng {
    // SplitMix64's odd constant spreads neighbouring indices; `seed_from_u64` mixes further.
    let salt = what.salt() << 56;
    SmallRng::seed_from_u64(seed ^ salt ^ index.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// The player that an arrival is for, if its socket is open; else the next whose socket is.
#[must_use]
pub fn player_of(plan: &Plan, what: What, index: u64) -> u32 {
    choices(plan.seed, what, index).random_range(0..plan.players)
}

/// Arrivals that the schedule has come to, by operation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reached(Vec<u64>);

impl Reached {
    /// One more of an operation.
    pub(crate) fn count(&mut self, operation: Operation) {
        if self.0.len() <= operation.index() {
            self.0.resize(operation.index() + 1, 0);
        }
        self.0[operation.index()] += 1;
    }

    fn of(&self, operation: Operation) -> u64 {
        self.0.get(operation.index()).copied().unwrap_or(0)
    }
}

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

/// What is left of a worker's part of the plan after so many arrivals of each operation, by whether it counts.
pub(crate) fn unreached(plan: &Plan, shard: Shard, reached: &Reached) -> Vec<Unreached> {
    let mut left = Vec::new();
    for planned in &plan.operations {
        let reached = reached.of(planned.operation);
        let mine_before = |offset| shard.within(0, planned.before(offset));
        let all = shard.within(0, planned.arrivals());
        for (index, phase) in plan.phases.iter().enumerate() {
            let first = mine_before(phase.start).max(reached);
            let last = index + 1 == plan.phases.len();
            let count = if last { all } else { mine_before(phase.end) }.saturating_sub(first);
            if count > 0 {
                left.push(Unreached { operation: planned.operation, measured: phase.ledger, count });
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
            assert_eq!(mine.len() as u64, planned.arrivals(), "{}", planned.name);
            assert!(mine.iter().enumerate().all(|(index, arrival)| arrival.index == index as u64));
        }
        let ramp_end = micros(plan.phases[1].end);
        let messages =
            arrivals.iter().filter(|arrival| Some(arrival.operation) == plan.operation_named("send_message"));
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
                    reached.count(arrival.operation);
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
        let draw = |seed, what, index| choices(seed, what, index).random::<u64>();
        let one = draw(1, What::Request(0), 5);
        assert_eq!(one, draw(1, What::Request(0), 5));
        assert_ne!(one, draw(2, What::Request(0), 5));
        assert_ne!(one, draw(1, What::Request(2), 5));
        assert_ne!(one, draw(1, What::Request(0), 6));
    }
}
