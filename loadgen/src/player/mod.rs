//! Players: each is a task with a socket, driven by arrivals that the pacer hands over.
//!
//! The pacer's thread and the players' tasks meet in [`Players`]: a small mailbox per player (no channel, whose
//! first block alone would cost more than the rest of an idle player), the waker of its task, and whether its
//! socket is open.

mod handshake;
mod play;
mod session;
mod wire;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use atomic_waker::AtomicWaker;
use parking_lot::Mutex;
use rand::rngs::SmallRng;
use rand::seq::index::sample;
use scenarios::threshold::Operation;

use crate::clock::Micros;

pub use handshake::{ConnectError, Endpoint, EndpointError};
pub use play::{GooseSample, Outcome, Play, play};
pub use wire::{AckId, Incoming};

/// Arrivals that a player may have waiting; more means that its task does not get to run.
const BACKLOG: usize = 256;

/// An operation that the plan calls for at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// What is to be done.
    pub operation: Operation,
    /// Its number among the plan's arrivals of this operation.
    pub index: u64,
    /// The intended instant.
    pub due: Micros,
    /// Whether it counts for the summary.
    pub measured: bool,
}

/// Where the pacer and one player's task meet.
#[derive(Debug, Default)]
struct Slot {
    inbox: Mutex<Vec<Arrival>>,
    waker: AtomicWaker,
    open: AtomicBool,
    /// When the oldest awaited answer times out; 0 when none is awaited.
    deadline: AtomicU64,
}

/// All players of a run.
#[derive(Debug)]
pub struct Players {
    slots: Box<[Slot]>,
    stopping: AtomicBool,
    open: AtomicU64,
    peak_open: AtomicU64,
    awaited: AtomicU64,
}

impl Players {
    /// `count` players, none connected.
    #[must_use]
    pub fn new(count: u32) -> Self {
        Self {
            slots: (0..count).map(|_| Slot::default()).collect(),
            stopping: AtomicBool::new(false),
            open: AtomicU64::new(0),
            peak_open: AtomicU64::new(0),
            awaited: AtomicU64::new(0),
        }
    }

    /// Hands an arrival to a player; false when its mailbox is full.
    #[must_use]
    pub fn hand(&self, player: u32, arrival: Arrival) -> bool {
        let slot = self.slot(player);
        {
            let mut inbox = slot.inbox.lock();
            if inbox.len() >= BACKLOG {
                return false;
            }
            inbox.push(arrival);
        }
        self.awaited.fetch_add(1, Ordering::Relaxed);
        slot.waker.wake();
        true
    }

    /// The first player from `start` on, round the end, whose socket is open.
    #[must_use]
    pub fn open_from(&self, start: u32) -> Option<u32> {
        let start = start as usize;
        let (after, before) = (start..self.slots.len(), 0..start);
        after
            .chain(before)
            .find(|&player| self.slots[player].open.load(Ordering::Relaxed))
            .map(|player| player as u32)
    }

    /// Up to `wanted` different players whose sockets are open, drawn evenly.
    #[must_use]
    pub fn draw_open(&self, choices: &mut SmallRng, wanted: usize) -> Vec<u32> {
        let all = self.slots.len();
        // Most sockets are open in most runs: a draw with some to spare is enough, else all are looked at.
        for size in [all.min(wanted * 2 + 8), all] {
            let drawn = sample(choices, all, size).into_iter();
            let open: Vec<_> = drawn
                .filter(|&player| self.slots[player].open.load(Ordering::Relaxed))
                .take(wanted)
                .map(|player| player as u32)
                .collect();
            if open.len() == wanted || size == all {
                return open;
            }
        }
        Vec::new()
    }

    /// Sockets open now.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    /// Highest number of sockets open at once.
    #[must_use]
    pub fn peak_open(&self) -> u64 {
        self.peak_open.load(Ordering::Relaxed)
    }

    /// Arrivals handed over whose end is awaited, handshakes included.
    #[must_use]
    pub fn awaited(&self) -> u64 {
        self.awaited.load(Ordering::Relaxed)
    }

    /// Tells every player to leave.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.slots.iter().for_each(|slot| slot.waker.wake());
    }

    /// Wakes the players that wait for an answer past its time-out.
    pub fn wake_overdue(&self, now: Micros) {
        for slot in &self.slots {
            let deadline = slot.deadline.load(Ordering::Relaxed);
            if deadline != 0 && deadline <= now {
                slot.waker.wake();
            }
        }
    }

    fn stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    fn slot(&self, player: u32) -> &Slot {
        &self.slots[player as usize]
    }

    /// Takes a player's waiting arrivals; the task is woken for the next.
    fn take(&self, player: u32, cx: &Context<'_>) -> Vec<Arrival> {
        let slot = self.slot(player);
        slot.waker.register(cx.waker());
        std::mem::take(&mut *slot.inbox.lock())
    }

    /// Waits for arrivals; `None` when there are none and the run is over.
    fn poll_arrivals(&self, player: u32, cx: &Context<'_>) -> Poll<Option<Vec<Arrival>>> {
        let arrivals = self.take(player, cx);
        if !arrivals.is_empty() {
            Poll::Ready(Some(arrivals))
        } else if self.stopping() {
            Poll::Ready(None)
        } else {
            Poll::Pending
        }
    }

    /// Waits for the end of the run; arrivals stay where they are.
    fn poll_stop(&self, player: u32, cx: &Context<'_>) -> Poll<()> {
        self.slot(player).waker.register(cx.waker());
        if self.stopping() { Poll::Ready(()) } else { Poll::Pending }
    }

    fn set_open(&self, player: u32, open: bool) {
        self.slot(player).open.store(open, Ordering::Relaxed);
        if open {
            let now_open = self.open.fetch_add(1, Ordering::Relaxed) + 1;
            self.peak_open.fetch_max(now_open, Ordering::Relaxed);
        } else {
            self.open.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn set_deadline(&self, player: u32, deadline: Option<Micros>) {
        self.slot(player).deadline.store(deadline.unwrap_or(0), Ordering::Relaxed);
    }

    /// An arrival that was handed over has come to its end.
    fn done(&self) {
        self.awaited.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn recipients_are_different_open_players() {
        let players = Players::new(100);
        (0..100).step_by(3).for_each(|player| players.set_open(player, true));
        let mut choices = SmallRng::seed_from_u64(1);
        for wanted in [1, 10, 34, 60] {
            let mut drawn = players.draw_open(&mut choices, wanted);
            assert_eq!(drawn.len(), wanted.min(34));
            assert!(drawn.iter().all(|player| player % 3 == 0));
            drawn.sort_unstable();
            drawn.dedup();
            assert_eq!(drawn.len(), wanted.min(34));
        }
        assert_eq!(players.open_from(1), Some(3));
        assert_eq!(players.open_from(99), Some(99));
        assert_eq!((players.open(), players.peak_open()), (34, 34));
        assert_eq!(Players::new(3).open_from(2), None);
    }

    #[test]
    fn a_full_mailbox_refuses() {
        let players = Players::new(1);
        let arrival = Arrival { operation: Operation::SendMessage, index: 0, due: 0, measured: true };
        assert!((0..BACKLOG).all(|_| players.hand(0, arrival)));
        assert!(!players.hand(0, arrival));
    }
}
