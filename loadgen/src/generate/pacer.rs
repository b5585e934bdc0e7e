//! Pacing: hands each arrival to a player at its intended instant, from a thread with a clock of its own.
//!
//! tokio's timer has a wheel of one millisecond, and the kernel wakes a sleeping thread up to 50 µs late on purpose, to
//! wake several at once (`PR_SET_TIMERSLACK`). This thread has no wheel and gives the slack up: it parks until the
//! very instant, on a futex with a high-resolution timer, and is not held up by the runtime's work. It decides
//! nothing: *when* is a pure function of the plan ([`Schedule`]) or, in the closed model, the end of a player's pause;
//! *who* a pure function of seed, operation and index, among the players whose socket is open. An arrival is never
//! skipped: one that comes late leaves late, and its delay is measured; what a stopped run does not come to is told
//! ([`Unreached`]).

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rand::RngExt as _;
use scenarios::Plan;
use scenarios::threshold::Operation;

use crate::clock::{Clock, Micros, micros};
use crate::player::Players;
use crate::record::{NO_OPEN_SOCKET, Recorder, UNSENT_BACKLOG};
use crate::schedule::{Arrival, Reached, Schedule, Unreached, choices, unreached};

/// Longest sleep: how soon a stop is noticed.
const NAP: Duration = Duration::from_millis(50);

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
