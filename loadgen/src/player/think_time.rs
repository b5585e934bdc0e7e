//! The closed model: a player sends, waits for the answer, thinks, and sends again.
//!
//! Pauses wait in a queue that the pacer's thread looks at beside the open arrivals, so that the end of a pause is as
//! precise as an open arrival. A pause is drawn by seed, operation and the request's index; the index counts the
//! player's requests, so that no two requests of a run share one. A pause ends only for the socket it began on: the
//! next socket of the same player begins its own.

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use scenarios::Plan;
use scenarios::plan::operation::Operation;

use super::roster::Players;
use super::think_queue::{ThinkQueue, ThinkTimer};
use crate::clock::{Micros, micros};
use crate::record::{Event, Observer, classes};
use crate::schedule::{Arrival, choices, measures};

/// Tells the draws of pauses from those of recipients.
const SALT: u64 = 0x7468_696e_6b69_6e67;
/// A player that the load does not call for, or that could not send, asks again after this at the earliest.
const IDLE: Duration = Duration::from_millis(100);

/// Why a player thinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    /// Its socket has just opened: a random part of a pause, so that players do not move in step.
    First,
    /// Its request was answered.
    Again,
    /// The load does not call for it now, or its request could not be sent.
    Idle,
}

/// When the players of the closed model send.
pub struct ThinkTime {
    plan: Arc<Plan>,
    players: Arc<Players>,
    observer: Observer,
    /// Pauses under way.
    pub queue: ThinkQueue,
}

impl ThinkTime {
    /// Nobody thinks yet.
    #[must_use]
    pub fn new(plan: Arc<Plan>, players: Arc<Players>, observer: Observer) -> Self {
        Self { plan, players, observer, queue: ThinkQueue::default() }
    }

    /// Lets a player think before an operation of the closed model; does nothing for open ones and when the plan is
    /// over by then. Returns whether there was no pause, and the request lies in the mailbox of a player who has not
    /// been woken for it.
    pub fn think(&self, now: Micros, player: u32, operation: Operation, pause: Pause) -> bool {
        let plan = &*self.plan;
        let planned = plan.operation(operation);
        let Some(think) = planned.think() else { return false };
        let index = self.players.next_request(player);
        let mut random = choices(plan.seed ^ SALT, planned.what, index);
        let length = match pause {
            Pause::First => think.sample(&mut random).mul_f64(random.random()),
            Pause::Again => think.sample(&mut random),
            Pause::Idle => think.sample(&mut random).max(IDLE),
        };
        let due = now.max(micros(plan.phases_start())) + micros(length);
        if due >= micros(plan.end()) {
            return false;
        }
        let socket_generation = self.players.socket_generation(player);
        let timer = ThinkTimer { due, player, operation, index, socket_generation };
        if due <= now {
            return self.on_think_elapsed(now, &timer);
        }
        self.queue.add(timer);
        false
    }

    /// A pause has ended: puts the request into the mailbox, unless the pause's socket is gone or the load does not
    /// call for it. Returns whether it lies there.
    pub fn on_think_elapsed(&self, now: Micros, timer: &ThinkTimer) -> bool {
        let ThinkTimer { due, player, operation, index, .. } = *timer;
        if !self.is_current(timer) {
            return false;
        }
        let idle = || self.think(now, player, operation, Pause::Idle);
        if !called_for(&self.plan, player, due) || self.players.is_leaving(player) {
            return idle();
        }
        let ledger = measures(&self.plan, due);
        let put = self.players.put(player, Arrival { operation, index, due, measured: ledger });
        let unsent = (!put).then_some(&classes::UNSENT_BACKLOG);
        self.observer.observe(Event::Offered { operation, ledger, unsent });
        put || idle()
    }

    /// A player's socket has opened: what it does in the closed model begins, when its task looks into the mailbox.
    pub(super) fn begin(&self, now: Micros, player: u32) {
        for planned in &self.plan.operations {
            self.think(now, player, planned.operation, Pause::First);
        }
    }

    /// Whether the socket that a pause belongs to is still open, and its player still sends.
    fn is_current(&self, timer: &ThinkTimer) -> bool {
        self.players.sends(timer.player)
            && self.players.socket_generation(timer.player) == timer.socket_generation
    }
}

/// Whether the load calls for a player: it is a share of the players, and the first ones are called first.
pub(super) fn called_for(plan: &Plan, player: u32, at: Micros) -> bool {
    let share = (f64::from(player) + 0.5) / f64::from(plan.players);
    share < plan.load_at(Duration::from_micros(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::delivery::presence::Presence;
    use crate::record::{Names, Recorder};

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

    fn think_time(pause: &str) -> ThinkTime {
        let observer =
            Observer::new(Arc::new(Recorder::new(1)), Clock::default(), Names::default(), |_, said| {
                said.to_owned()
            });
        ThinkTime::new(Arc::new(plan(pause)), Arc::new(Players::new(10)), observer)
    }

    #[test]
    fn a_pause_ends_for_the_socket_it_began_on() {
        let think_time = think_time("1s");
        let (players, queue) = (&think_time.players, &think_time.queue);
        let think_again = |now| think_time.think(now, 3, Operation::of(1), Pause::Again);
        players.set_presence(3, Presence::Open, false, 0);
        think_time.begin(0, 3);
        let first = queue.take().unwrap();
        assert!((2_000_000..3_000_000).contains(&first.due), "from the first phase on: {first:?}");
        assert_eq!(queue.next(), None, "no player thinks before an open arrival");
        think_again(4_000_000);
        let again = queue.take().unwrap();
        assert_eq!((again.due, again.index), (5_000_000, 13));
        assert!(think_time.is_current(&again));
        players.set_presence(3, Presence::Closed, false, 0);
        assert!(!think_time.is_current(&again));
        players.set_presence(3, Presence::Open, false, 0);
        assert!(!think_time.is_current(&again), "another socket");
        think_again(11_900_000);
        assert_eq!(queue.next(), None, "the plan is over by then");
    }

    #[test]
    fn a_request_without_a_pause_is_handed_over_at_once_where_the_load_calls_for_it() {
        let think_time = think_time("0s");
        let (players, queue) = (&think_time.players, &think_time.queue);
        let offered = || {
            let (mut total, mut spare) = Default::default();
            think_time.observer.recorder().drain(&mut total, &mut spare);
            total.measured.operation(Operation::of(1)).offered
        };
        for (player, now, handed, thinks) in [
            (3, 1_500_000, 0, true),
            (3, 4_000_000, 1, false),
            (7, 4_000_000, 0, true),
            (3, 12_000_000, 0, false),
        ] {
            players.set_presence(player, Presence::Open, false, 0);
            let put = think_time.think(now, player, Operation::of(1), Pause::Again);
            assert_eq!(put, handed == 1);
            assert_eq!(players.awaited(), handed, "{player} at {now}");
            assert_eq!(offered(), handed);
            assert_eq!(queue.take().is_some(), thinks);
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
