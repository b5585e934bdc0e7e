//! Pauses of the closed model that are under way, in the order of their ends.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::OnceLock;
use std::thread::Thread;

use parking_lot::Mutex;
use scenarios::plan::operation::Operation;

use crate::clock::Micros;

/// A pause under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ThinkTimer {
    /// When it ends.
    pub due: Micros,
    /// Whose it is.
    pub player: u32,
    /// What comes then.
    pub operation: Operation,
    /// The request's number among all of this operation.
    pub index: u64,
    /// Which of the player's sockets it belongs to.
    pub(super) socket_generation: u32,
}

/// All pauses under way.
#[derive(Debug, Default)]
pub struct ThinkQueue {
    timers: Mutex<BinaryHeap<Reverse<ThinkTimer>>>,
    pacer: OnceLock<Thread>,
}

impl ThinkQueue {
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
        self.timers.lock().peek().map(|Reverse(timer)| timer.due)
    }

    /// Takes the first pause.
    pub fn take(&self) -> Option<ThinkTimer> {
        self.timers.lock().pop().map(|Reverse(timer)| timer)
    }

    /// Adds a pause.
    pub(super) fn add(&self, timer: ThinkTimer) {
        let first = {
            let mut timers = self.timers.lock();
            timers.push(Reverse(timer));
            timers.peek() == Some(&Reverse(timer))
        };
        if first {
            self.wake();
        }
    }
}
