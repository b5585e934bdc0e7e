//! Pacing: hands each arrival to a player at its intended instant, from a thread with a clock of its own.
//!
//! tokio's timer has a wheel of one millisecond, and the kernel wakes a sleeping thread up to 50 µs late on purpose, to
//! wake several at once (`PR_SET_TIMERSLACK`). This thread has no wheel and gives the slack up: it parks until the
//! very instant, on a futex with a high-resolution timer, and is not held up by the runtime's work. It decides
//! nothing: *when* is a pure function of the plan ([`Schedule`]) or, in the closed model, the end of a player's pause;
//! *who* a pure function of seed, operation and index, among the players whose socket is open. An arrival is never
//! skipped: one that comes late leaves late, and its delay is measured; what a stopped run does not reach is returned
//! ([`Unreached`]). The time comes from a [`Timer`], so that tests pace an hour in an instant.

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

/// The time that the pacer paces by.
pub trait Timer {
    /// Microseconds since the run's start.
    fn now(&self) -> Micros;
    /// How long until an instant; nothing once it has come.
    fn left_until(&self, due: Micros) -> Duration;
    /// Sleeps on this thread until woken, and for so long at most.
    fn sleep(&self, at_most: Duration);
}

impl Timer for Clock {
    fn now(&self) -> Micros {
        self.now()
    }

    fn left_until(&self, due: Micros) -> Duration {
        self.instant(due).saturating_duration_since(Instant::now())
    }

    fn sleep(&self, at_most: Duration) {
        std::thread::park_timeout(at_most);
    }
}

/// What the pacer's thread works with.
#[derive(Debug)]
pub struct Pacer<T = Clock> {
    /// The plan.
    pub plan: Arc<Plan>,
    /// The run's clock.
    pub clock: T,
    /// The players.
    pub players: Arc<Players>,
    /// Where offered and unsendable arrivals are counted.
    pub recorder: Arc<Recorder>,
    /// Set from outside to end early.
    pub stop: Arc<AtomicBool>,
}

impl<T: Timer> Pacer<T> {
    /// Runs the schedule to its end, or until stopped; returns what was not reached. Blocks.
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
            let left = self.clock.left_until(due);
            if !left.is_zero() {
                self.clock.sleep(left.min(NAP));
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

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;
    use crate::record::ThreadTally;

    /// A clock that stands still but for the pacer's sleep, which it may overshoot.
    #[derive(Default)]
    struct FakeClock {
        now: Cell<Micros>,
        /// By how much each sleep is too long.
        late: Micros,
        /// Instants at which the pacer asked how long to sleep and was told that it had come.
        reached: RefCell<Vec<Micros>>,
        /// Set at this instant: the end of the run.
        stop: Option<(Micros, Arc<AtomicBool>)>,
    }

    impl Timer for &FakeClock {
        fn now(&self) -> Micros {
            self.now.get()
        }

        fn left_until(&self, due: Micros) -> Duration {
            let left = due.saturating_sub(self.now.get());
            if left == 0 {
                self.reached.borrow_mut().push(due);
            }
            Duration::from_micros(left)
        }

        fn sleep(&self, at_most: Duration) {
            self.now.set(self.now.get() + micros(at_most) + self.late);
            if let Some((at, stop)) = &self.stop
                && self.now.get() >= *at
            {
                stop.store(true, Ordering::Relaxed);
            }
        }
    }

    fn plan() -> Arc<Plan> {
        // An hour: nobody waits for it.
        let text = "name = \"pace\"\nplayers = 50\n[sockets]\nconnect_rate = 2.0\n[[phases]]\nkind = \"hold\"\n\
                    duration = \"1h\"\n[operations.send_message]\nrate = 0.5\n";
        let checked =
            scenarios::check("pace.toml", text, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        Arc::new(checked.plan)
    }

    /// Paces the plan; returns what was not reached, and what was recorded.
    fn pace(clock: &FakeClock, stop: Arc<AtomicBool>) -> (Vec<Unreached>, ThreadTally) {
        let plan = plan();
        let (players, recorder) = (Arc::new(Players::new(plan.players)), Arc::new(Recorder::new(1)));
        let pacer = Pacer { plan, clock, players, recorder: Arc::clone(&recorder), stop };
        let unreached = pacer.run();
        let (mut tally, mut spare) = (ThreadTally::default(), ThreadTally::default());
        recorder.drain(&mut tally, &mut spare);
        (unreached, tally)
    }

    #[test]
    fn every_arrival_is_handed_over_at_its_very_instant() {
        let clock = FakeClock::default();
        let (unreached, tally) = pace(&clock, Arc::default());
        assert_eq!(unreached, []);
        let plan = plan();
        let due: Vec<_> =
            Schedule::of(&plan, scenarios::shard::Shard::WHOLE).map(|arrival| arrival.due).collect();
        assert!(due.len() == 50 + 1_800 && clock.now.get() == due[due.len() - 1]);
        // The last is the end of a plan after which nothing is due.
        assert_eq!(clock.reached.borrow()[..due.len()], due);
        let send = tally.measured.operation(Operation::SendMessage);
        assert_eq!((send.offered, send.unsent), (1_800, 1_800), "nobody is open here");
        assert_eq!(tally.measured.operation(Operation::Connect).offered, 50);
    }

    #[test]
    fn one_that_is_late_skips_nothing() {
        let clock = FakeClock { late: 700_000, ..FakeClock::default() };
        let (unreached, tally) = pace(&clock, Arc::default());
        assert_eq!(unreached, []);
        assert_eq!(tally.measured.operation(Operation::SendMessage).offered, 1_800);
    }

    #[test]
    fn a_stop_is_noticed_within_a_nap_and_what_is_left_is_returned() {
        let stop = Arc::new(AtomicBool::new(false));
        let at = 60_000_000;
        let clock = FakeClock { stop: Some((at, Arc::clone(&stop))), ..FakeClock::default() };
        let (unreached, tally) = pace(&clock, stop);
        assert!(clock.now.get() < at + micros(NAP), "{}", clock.now.get());
        let offered = tally.measured.operation(Operation::SendMessage).offered;
        let left: u64 = unreached.iter().map(|left| left.count).sum();
        assert!(offered < 40 && offered + left == 1_800, "{offered} + {left}");
    }
}
