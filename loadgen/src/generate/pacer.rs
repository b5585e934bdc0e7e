//! Pacing: hands each arrival to a player at its intended instant, from a thread with a clock of its own.
//!
//! tokio's timer has a wheel of one millisecond, and the kernel wakes a sleeping thread up to 50 µs late on purpose, to
//! wake several at once (`PR_SET_TIMERSLACK`). This thread has no wheel and gives the slack up: it parks until the
//! very instant, on a futex with a high-resolution timer, and is not held up by the runtime's work. It decides
//! nothing: *when* is a pure function of the plan ([`Schedule`]) or, in the closed model, the end of a player's pause;
//! *who* a pure function of seed, operation and index, among the players whose socket is open. An arrival is never
//! skipped: one that comes late leaves late, and its delay is measured; what a stopped run does not come to is returned
//! ([`Unreached`]).
//!
//! What to do next is a pure function of what is due and how long it is until then ([`DueNext`]); time itself is behind
//! [`Timer`], so that tests pace hours of a plan in no time.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use scenarios::Plan;
use scenarios::plan::operation::Operation;

use crate::clock::{Clock, Micros, micros};
use crate::player::{Players, ThinkTime};
use crate::record::{Event, Observer, classes};
use crate::schedule::{Arrival, Reached, Schedule, Unreached, player_of, unreached};

/// Longest sleep: how soon a stop is noticed.
const NAP: Duration = Duration::from_millis(50);

/// What the pacer's thread works with.
pub struct Pacer {
    /// The plan.
    pub plan: Arc<Plan>,
    /// The run's clock.
    pub clock: Clock,
    /// The players.
    pub players: Arc<Players>,
    /// When players of the closed model send.
    pub think_time: Arc<ThinkTime>,
    /// Where its events go.
    pub observer: Observer,
    /// Set from outside to end early.
    pub stop: Arc<AtomicBool>,
}

/// How the pacer learns of the time, and lets it pass.
trait Timer {
    /// Microseconds since the run's start.
    fn now(&self) -> Micros;
    /// How long it is until an instant; zero when it has come.
    fn left(&self, due: Micros) -> Duration;
    /// Waits so long at most.
    fn wait(&self, at_most: Duration);
}

/// The run's clock, and the parking of the calling thread.
struct ThreadTimer<'c>(&'c Clock);

impl Timer for ThreadTimer<'_> {
    fn now(&self) -> Micros {
        self.0.now()
    }

    fn left(&self, due: Micros) -> Duration {
        self.0.instant(due).saturating_duration_since(Instant::now())
    }

    fn wait(&self, at_most: Duration) {
        std::thread::park_timeout(at_most);
    }
}

/// What the pacer does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DueNext {
    /// Nothing is due: it waits.
    Wait(Duration),
    /// The schedule's next arrival is due.
    Arrival,
    /// The first pause of the closed model has ended.
    ThinkElapsed,
    /// Everything is done.
    Done,
}

impl DueNext {
    /// `arrival` and `think` are due next, if there are any; without them there is nothing to do after `end`.
    fn of(
        arrival: Option<Micros>,
        think: Option<Micros>,
        end: Micros,
        left: impl FnOnce(Micros) -> Duration,
    ) -> Self {
        let due = arrival.into_iter().chain(think).min();
        let left = left(due.unwrap_or(end));
        if !left.is_zero() {
            Self::Wait(left.min(NAP))
        } else if due.is_none() {
            Self::Done
        } else if arrival == due {
            Self::Arrival
        } else {
            Self::ThinkElapsed
        }
    }
}

impl Pacer {
    /// Runs the schedule to its end, or until stopped; returns what was not come to. Blocks.
    #[must_use]
    pub fn run(&self) -> Vec<Unreached> {
        // The smallest slack there is; where it is refused, sends are a few microseconds later, and that is measured.
        if let Err(error) = rustix::thread::set_current_timer_slack(NonZeroU64::new(1)) {
            tracing::debug!("the timer slack stays as it is: {error}");
        }
        self.think_time.queue.paced_here();
        self.pace(&ThreadTimer(&self.clock))
    }

    fn pace(&self, timer: &impl Timer) -> Vec<Unreached> {
        let queue = &self.think_time.queue;
        // Players of the closed model may think until the plan is over.
        let closed = self.plan.operations.iter().any(|planned| planned.think().is_some());
        let end = if closed { micros(self.plan.end()) } else { 0 };
        let shard = self.players.shard();
        let mut schedule = Schedule::of(&self.plan, shard).peekable();
        let mut reached = Reached::default();
        while !self.stop.load(Ordering::Relaxed) {
            let arrival = schedule.peek().map(|arrival| arrival.due);
            match DueNext::of(arrival, queue.next(), end, |due| timer.left(due)) {
                DueNext::Wait(left) => timer.wait(left),
                DueNext::Arrival => {
                    if let Some(arrival) = schedule.next() {
                        reached.count(arrival.operation);
                        self.dispatch(arrival);
                    }
                }
                DueNext::ThinkElapsed => {
                    // Only this thread takes; what has come meanwhile ends even earlier.
                    if let Some(timer_of) = queue.take()
                        && self.think_time.on_think_elapsed(timer.now(), &timer_of)
                    {
                        self.players.wake(timer_of.player);
                    }
                }
                DueNext::Done => break,
            }
        }
        unreached(&self.plan, shard, &reached)
    }

    fn dispatch(&self, arrival: Arrival) {
        let Arrival { operation, index, measured: ledger, .. } = arrival;
        let player = match operation {
            Operation::CONNECT => u32::try_from(index).ok(),
            operation => {
                let what = self.plan.operation(operation).what;
                self.players.open_from(player_of(&self.plan, what, index))
            }
        };
        let unsent = match player {
            Some(player) if self.players.hand(player, arrival) => None,
            Some(_) => Some(&classes::UNSENT_BACKLOG),
            None => Some(&classes::UNSENT_NO_OPEN_SOCKET),
        };
        self.observer.observe(Event::Offered { operation, ledger, unsent });
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;
    use crate::record::{Names, Recorder, ThreadTally};

    /// A timer that moves only by waiting. It keeps what was due when, and may be held up once.
    #[derive(Default)]
    struct FakeTimer {
        now: Cell<Micros>,
        /// Each instant that had come, and when it was looked at.
        came: RefCell<Vec<(Micros, Micros)>>,
        /// From when on, until when the thread does not run.
        held_up: Cell<Option<(Micros, Micros)>>,
        /// What is set, and when.
        stop: Option<(Micros, Arc<AtomicBool>)>,
    }

    impl Timer for FakeTimer {
        fn now(&self) -> Micros {
            self.now.get()
        }

        fn left(&self, due: Micros) -> Duration {
            let left = Duration::from_micros(due.saturating_sub(self.now.get()));
            if left.is_zero() {
                self.came.borrow_mut().push((due, self.now.get()));
            }
            left
        }

        fn wait(&self, at_most: Duration) {
            self.now.set(self.now.get() + micros(at_most));
            if let Some((from, until)) = self.held_up.get()
                && self.now.get() >= from
            {
                self.held_up.set(None);
                self.now.set(until);
            }
            if let Some((at, stop)) = &self.stop {
                stop.store(self.now.get() >= *at, Ordering::Relaxed);
            }
        }
    }

    fn pacer(operations: &str) -> Pacer {
        let scenario = format!(
            "name = \"pace\"\nplayers = 50\nphases = [{{ kind = \"hold\", duration = \"1h\" }}]\n[sockets]\nconnect_rate = \
             100.0\n{operations}"
        );
        let checked =
            scenarios::check("pace.toml", &scenario, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let (plan, players) = (Arc::new(checked.plan), Arc::new(Players::new(50)));
        let clock = Clock::default();
        let observer =
            Observer::new(Arc::new(Recorder::new(1)), clock.clone(), Names::of(&plan), |_, said| {
                said.to_owned()
            });
        let think_time = Arc::new(ThinkTime::new(Arc::clone(&plan), Arc::clone(&players), observer.clone()));
        Pacer { plan, clock, players, think_time, observer, stop: Arc::default() }
    }

    fn recorded(pacer: &Pacer) -> ThreadTally {
        let (mut total, mut spare) = Default::default();
        pacer.observer.recorder().drain(&mut total, &mut spare);
        total
    }

    /// How late everything was that came; the last that comes is the end.
    fn delays(timer: &FakeTimer) -> Vec<Micros> {
        let came = timer.came.borrow();
        came.iter().rev().skip(1).map(|(due, at)| at - due).collect()
    }

    const ROUTES: &str = "[operations.unknown_route]\nrate = 2.0\n";

    #[test]
    fn an_hour_of_arrivals_is_dispatched_at_its_instants() {
        let (pacer, timer) = (pacer(ROUTES), FakeTimer::default());
        assert_eq!(pacer.pace(&timer), []);
        assert!(delays(&timer).iter().all(|delay| *delay == 0));
        let total = recorded(&pacer);
        let routes = total.measured.operation(Operation::of(1));
        assert_eq!((routes.offered, routes.unsent), (7_200, 7_200), "no socket is open");
        assert_eq!(routes.errors.iter().next(), Some(("unsent_no_open_socket", 7_200)));
        assert_eq!(pacer.players.awaited(), 50, "every player was told to connect");
    }

    #[test]
    fn a_thread_that_was_held_up_skips_nothing() {
        let pacer = pacer(ROUTES);
        let timer = FakeTimer { held_up: Cell::new(Some((10_000_000, 25_000_000))), ..FakeTimer::default() };
        assert_eq!(pacer.pace(&timer), []);
        assert_eq!(recorded(&pacer).measured.operation(Operation::of(1)).offered, 7_200);
        let late = delays(&timer).into_iter().filter(|delay| *delay > 0).count();
        assert!((29..=31).contains(&late), "two a second for fifteen seconds: {late}");
    }

    #[test]
    fn what_a_stopped_run_did_not_come_to_is_returned() {
        let pacer = pacer(ROUTES);
        let stop = Some((60_000_000, Arc::clone(&pacer.stop)));
        let unreached = pacer.pace(&FakeTimer { stop, ..FakeTimer::default() });
        let left: u64 = unreached.iter().map(|unreached| unreached.count).sum();
        let offered = recorded(&pacer).measured.operation(Operation::of(1)).offered;
        assert!((110..=120).contains(&offered), "{offered}");
        assert_eq!(offered + left, 7_200);
    }

    #[test]
    fn players_of_the_closed_model_are_woken_when_their_pauses_end() {
        use crate::player::Pause;

        let pacer = pacer("[operations.send_message]\nmodel = \"closed\"\nthink_time = \"7s\"\n");
        let timer = FakeTimer::default();
        let start = micros(pacer.plan.phases_start());
        pacer.think_time.think(start, 3, Operation::of(1), Pause::Again);
        assert_eq!(pacer.think_time.queue.next(), Some(start + 7_000_000));
        assert_eq!(pacer.pace(&timer), []);
        assert!(timer.came.borrow().contains(&(start + 7_000_000, start + 7_000_000)));
        assert_eq!(pacer.think_time.queue.next(), None);
        assert!(timer.now() >= micros(pacer.plan.end()), "players may think until the plan is over");
        let total = recorded(&pacer);
        assert_eq!(total.measured.operation(Operation::of(1)).offered, 0, "its socket is closed by then");
    }

    #[test]
    fn what_is_next_is_what_is_due_first() {
        let left = |now: Micros| move |due: Micros| Duration::from_micros(due.saturating_sub(now));
        let wait = |micros| DueNext::Wait(Duration::from_micros(micros));
        assert_eq!(DueNext::of(Some(100), None, 0, left(40)), wait(60));
        assert_eq!(DueNext::of(Some(100), Some(90), 0, left(40)), wait(50));
        assert_eq!(DueNext::of(Some(100), Some(90), 0, left(95)), DueNext::ThinkElapsed);
        assert_eq!(DueNext::of(Some(90), Some(90), 0, left(95)), DueNext::Arrival);
        assert_eq!(
            DueNext::of(Some(10_000_000), None, 0, left(0)),
            DueNext::Wait(NAP),
            "a stop is to be noticed"
        );
        assert_eq!(DueNext::of(None, None, 100, left(40)), wait(60));
        assert_eq!(DueNext::of(None, None, 100, left(100)), DueNext::Done);
    }
}
