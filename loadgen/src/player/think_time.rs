//! The closed model: a player sends, waits for the answer, thinks, and sends again.
//!
//! Who thinks waits in a heap that the pacer's thread looks at beside the open arrivals, so that the end of a pause
//! is as precise as an open arrival. A pause is drawn by seed, operation and the request's index; the index counts
//! the player's requests, so that no two requests of a run share one. A pause ends only for the socket it began on:
//! the next socket of the same player begins its own.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;
use std::thread::Thread;
use std::time::Duration;

use parking_lot::Mutex;
use rand::RngExt;
use scenarios::Plan;
use scenarios::plan::PlannedOperation;
use scenarios::threshold::Operation;

use super::Players;
use crate::clock::{Micros, micros};
use crate::record::{Recorder, UNSENT_BACKLOG};
use crate::schedule::Arrival;
use crate::schedule::{choices, measures};

/// Tells the draws of pauses from those of recipients.
const SALT: u64 = 0x7468_696e_6b69_6e67;
/// A player that the load does not call for, or that could not send, asks again after this at the earliest.
const IDLE: Duration = Duration::from_millis(100);

/// Why a player thinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    /// Its socket has just opened: a random part of a pause, so that players do not move in step.
    First,
    /// It has had its answer.
    Again,
    /// The load does not call for it now, or its request could not be sent.
    Idle,
}

/// A pause under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Thought {
    /// When it ends.
    pub due: Micros,
    /// Whose it is.
    pub player: u32,
    /// What comes then.
    pub operation: Operation,
    /// The request's number among all of this operation.
    pub index: u64,
    /// Which of the player's sockets it belongs to.
    life: u32,
}

/// All pauses under way.
#[derive(Debug, Default)]
pub struct Thinking {
    pauses: Mutex<BinaryHeap<Reverse<Thought>>>,
    pacer: OnceLock<Thread>,
}

impl Thinking {
    /// The calling thread is the one that acts when a pause ends.
    pub fn paced_here(&self) {
        // Once for each run; a second call changes nothing.
        let _ = self.pacer.set(std::thread::current());
    }

    /// Has the pacer look again: there is an earlier pause, or the run is over.
    pub fn wake(&self) {
        if let Some(pacer) = self.pacer.get() {
            pacer.unpark();
        }
    }

    /// When the first pause ends.
    pub fn next(&self) -> Option<Micros> {
        self.pauses.lock().peek().map(|Reverse(thought)| thought.due)
    }

    /// Takes the first pause.
    pub fn take(&self) -> Option<Thought> {
        self.pauses.lock().pop().map(|Reverse(thought)| thought)
    }

    fn add(&self, thought: Thought) {
        let first = {
            let mut pauses = self.pauses.lock();
            pauses.push(Reverse(thought));
            pauses.peek() == Some(&Reverse(thought))
        };
        if first {
            self.wake();
        }
    }
}

impl Players {
    /// Lets a player think before an operation of the closed model; does nothing for open ones and when the plan is
    /// over by then. Tells whether there was no pause, and the request lies in the mailbox of a player who has not been
    /// woken for it.
    pub fn think(
        &self,
        plan: &Plan,
        recorder: &Recorder,
        now: Micros,
        (player, operation): (u32, Operation),
        pause: Pause,
    ) -> bool {
        let Some(think) = plan.operation(operation).and_then(PlannedOperation::think) else { return false };
        let slot = self.slot(player);
        let round = u64::from(slot.rounds.fetch_add(1, Ordering::Relaxed));
        // A worker's own indices, as those of open arrivals are: whoever hears of a request knows whose it is.
        let nth = u64::from(player) / self.shard.step();
        let index = (round * self.slots.len() as u64 + nth) * self.shard.step() + self.shard.first();
        let mut random = choices(plan.seed ^ SALT, operation, index);
        let length = match pause {
            Pause::First => think.sample(&mut random).mul_f64(random.random()),
            Pause::Again => think.sample(&mut random),
            Pause::Idle => think.sample(&mut random).max(IDLE),
        };
        let due = now.max(micros(plan.phases_start())) + micros(length);
        if due >= micros(plan.end()) {
            return false;
        }
        let life = slot.life.load(Ordering::Relaxed);
        let thought = Thought { due, player, operation, index, life };
        if due <= now {
            return self.think_over(plan, recorder, now, &thought);
        }
        self.thinking.add(thought);
        false
    }

    /// A pause has ended: puts the request into the mailbox, unless the pause's socket is gone or the load does not
    /// call for it. Tells whether it lies there.
    pub fn think_over(&self, plan: &Plan, recorder: &Recorder, now: Micros, thought: &Thought) -> bool {
        let Thought { due, player, operation, index, .. } = *thought;
        if !self.lives(thought) {
            return false;
        }
        let idle = || self.think(plan, recorder, now, (player, operation), Pause::Idle);
        if !called_for(plan, player, due) || self.is_busy(player) {
            return idle();
        }
        let arrival = Arrival { operation, index, due, measured: measures(plan, due) };
        let put = self.put(player, arrival);
        recorder.offered(operation, arrival.measured, (!put).then_some(UNSENT_BACKLOG));
        put || idle()
    }

    /// A player's socket has opened: what it does in the closed model begins, when its task looks into the mailbox.
    pub(super) fn begin_thinking(&self, plan: &Plan, recorder: &Recorder, now: Micros, player: u32) {
        for planned in &plan.operations {
            self.think(plan, recorder, now, (player, planned.operation), Pause::First);
        }
    }

    /// Whether the socket that a pause belongs to is still open, and its player has not fallen silent.
    fn lives(&self, thought: &Thought) -> bool {
        let slot = self.slot(thought.player);
        self.sends(thought.player) && slot.life.load(Ordering::Relaxed) == thought.life
    }
}

/// Whether the load calls for a player: it is a share of the players, and the first ones are called first.
fn called_for(plan: &Plan, player: u32, at: Micros) -> bool {
    let share = (f64::from(player) + 0.5) / f64::from(plan.players);
    share < plan.load_at(Duration::from_micros(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::presence::Presence;

    const SCENARIO: &str = r#"
        name = "closed"
        players = 10
        phases = [{ kind = "hold", duration = "10s", load = 0.5 }]
        [sockets]
        connect_rate = 10.0
        [operations.send_message]
        model = "closed"
        think_time = "PAUSE"
        [operations.unknown_route]
        rate = 1.0
    "#;

    fn plan(pause: &str) -> Plan {
        scenarios::check("closed.toml", &SCENARIO.replace("PAUSE", pause), &[])
            .unwrap_or_else(|mistakes| panic!("{mistakes}"))
            .plan
    }

    #[test]
    fn a_pause_ends_for_the_socket_it_began_on() {
        let (plan, players, recorder) = (plan("1s"), Players::new(10), Recorder::new(1));
        let think_again =
            |now| players.think(&plan, &recorder, now, (3, Operation::SendMessage), Pause::Again);
        players.set_presence(3, Presence::Open, false, 0);
        players.begin_thinking(&plan, &recorder, 0, 3);
        let first = players.thinking.take().unwrap();
        assert!((2_000_000..3_000_000).contains(&first.due), "from the first phase on: {first:?}");
        assert_eq!(players.thinking.next(), None, "nobody thinks before an open arrival");
        think_again(4_000_000);
        let again = players.thinking.take().unwrap();
        assert_eq!((again.due, again.index), (5_000_000, 13));
        assert!(players.lives(&again));
        players.set_presence(3, Presence::Closed, false, 0);
        assert!(!players.lives(&again));
        players.set_presence(3, Presence::Open, false, 0);
        assert!(!players.lives(&again), "another socket");
        think_again(11_900_000);
        assert_eq!(players.thinking.next(), None, "the plan is over by then");
    }

    #[test]
    fn a_request_without_a_pause_is_handed_over_at_once_where_the_load_calls_for_it() {
        let (plan, players, recorder) = (plan("0s"), Players::new(10), Recorder::new(1));
        let offered = || {
            let (mut total, mut spare) = Default::default();
            recorder.drain(&mut total, &mut spare);
            total.measured.operation(Operation::SendMessage).offered
        };
        for (player, now, handed, thinks) in [
            (3, 1_500_000, 0, true),
            (3, 4_000_000, 1, false),
            (7, 4_000_000, 0, true),
            (3, 12_000_000, 0, false),
        ] {
            players.set_presence(player, Presence::Open, false, 0);
            let put = players.think(&plan, &recorder, now, (player, Operation::SendMessage), Pause::Again);
            assert_eq!(put, handed == 1);
            assert_eq!(players.awaited(), handed, "{player} at {now}");
            assert_eq!(offered(), handed);
            assert_eq!(players.thinking.take().is_some(), thinks);
            players.take_more(player).iter().for_each(|arrival| {
                assert_eq!(arrival.due, now);
                players.done();
            });
        }
    }

    #[test]
    fn the_load_is_a_share_of_the_players() {
        let plan = plan("1s");
        let called = (0..10).filter(|player| called_for(&plan, *player, 5_000_000)).count();
        assert_eq!(called, 5);
        assert!(!called_for(&plan, 0, 100), "before the first phase");
    }
}
