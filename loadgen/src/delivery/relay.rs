//! What a worker's players see that is of use to other workers: pushes of their sends, and who is connected.
//!
//! A send belongs to the worker that made it: number modulo workers. A push of somebody else's send is handed on with
//! the instant of its receipt, in batches, off the players' way. What makes the counts exact although a receipt takes
//! its time is the *watermark*: a batch says up to which instant everything has been handed on, and a worker gives a push up
//! only when the watermarks of all others have passed its time-out (as event-time systems close a window: T. Akidau
//! et al., "The Dataflow Model", VLDB 2015, §2.3).

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use scenarios::shard::Shard;

use super::presence::Change;
use crate::workers::link::ToRun;
use serde::{Deserialize, Serialize};

use crate::clock::{Clock, Micros};
use crate::delivery::presence::Presence;

/// A push that one worker's player received of another worker's send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    /// Number of the send.
    pub send: u64,
    /// The player who received it.
    pub recipient: u32,
    /// When.
    pub at: Micros,
}

/// Passed on at least so often: others wait for the watermark.
const SILENCE: Micros = 200_000;

/// What is for other workers, and what has been heard of them.
#[derive(Debug)]
pub struct Relay {
    shard: Shard,
    clock: Clock,
    outbox: Mutex<Outbox>,
    /// The others' watermarks; of oneself, and of those that are gone, the end of time.
    heard: Box<[AtomicU64]>,
}

#[derive(Debug, Default)]
struct Outbox {
    until: Micros,
    changes: Vec<Change>,
    passed: Vec<Vec<Passed>>,
}

impl Relay {
    /// Nothing to pass on yet, nothing heard.
    #[must_use]
    pub fn new(shard: Shard, clock: Clock) -> Self {
        let workers = 0..shard.step();
        let heard =
            workers.clone().map(|worker| AtomicU64::new(if shard.has(worker) { Micros::MAX } else { 0 }));
        let passed = workers.map(|_| Vec::new()).collect();
        let outbox = Outbox { passed, ..Outbox::default() };
        Self { shard, clock, heard: heard.collect(), outbox: Mutex::new(outbox) }
    }

    /// Whether a send was made by another worker.
    #[must_use]
    pub const fn is_elsewhere(&self, send: u64) -> bool {
        !self.shard.has(send)
    }

    /// A player received at `at` what another worker has sent.
    pub fn pass(&self, send: u64, recipient: u32, at: Micros) {
        let mut outbox = self.outbox.lock();
        // A thread that was held up since the receipt must not undo what has been promised meanwhile.
        let at = at.max(outbox.until);
        outbox.passed[(send % self.shard.step()) as usize].push(Passed { send, recipient, at });
    }

    /// Something has changed with a player.
    pub fn changed(&self, player: u32, presence: Presence, was_open: bool, own_doing: bool) {
        let mut outbox = self.outbox.lock();
        let at = self.clock.now();
        outbox.changes.push(Change { player, presence, was_open, own_doing, at });
    }

    /// What there is to tell since the last time; `None` when it can wait.
    #[must_use]
    pub fn take(&self) -> Option<ToRun> {
        let mut outbox = self.outbox.lock();
        let until = self.clock.now();
        let idle = outbox.changes.is_empty() && outbox.passed.iter().all(Vec::is_empty);
        if idle && until < outbox.until + SILENCE {
            return None;
        }
        outbox.until = until;
        let passed = (0..).zip(&mut outbox.passed).filter(|(_, passed)| !passed.is_empty());
        let passed: Vec<_> = passed.map(|(worker, passed)| (worker, std::mem::take(passed))).collect();
        Some(ToRun::Told { until, changes: std::mem::take(&mut outbox.changes), passed })
    }

    /// Another worker has told everything before `until`.
    pub fn heard(&self, worker: u32, until: Micros) {
        if let Some(heard) = self.heard.get(worker as usize) {
            heard.fetch_max(until, Ordering::Relaxed);
        }
    }

    /// Up to this instant every receipt of every worker is known here.
    #[must_use]
    pub fn horizon(&self) -> Micros {
        self.heard.iter().map(|heard| heard.load(Ordering::Relaxed)).min().unwrap_or(Micros::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::monotonic;

    fn relay() -> Relay {
        let clock = Clock::default();
        clock.start_at(monotonic() - Duration::from_secs(10));
        Relay::new(Shard::new(1, 3).unwrap(), clock)
    }

    /// When, the changes, and what is passed on to each worker.
    type Told = (Micros, Vec<Change>, Vec<(u32, Vec<Passed>)>);

    fn told(relay: &Relay) -> Told {
        match relay.take() {
            Some(ToRun::Told { until, changes, passed }) => (until, changes, passed),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_receipt_goes_to_the_worker_that_sent() {
        let relay = relay();
        assert!(relay.is_elsewhere(0) && !relay.is_elsewhere(4) && relay.is_elsewhere(5));
        relay.pass(5, 7, 100);
        relay.pass(3, 8, 101);
        relay.changed(4, Presence::Open, false, false);
        let (until, changes, passed) = told(&relay);
        assert!(until >= 10_000_000 && changes[0].at <= until);
        assert_eq!(passed[0], (0, vec![Passed { send: 3, recipient: 8, at: 101 }]));
        assert_eq!(passed[1], (2, vec![Passed { send: 5, recipient: 7, at: 100 }]));
        assert!(relay.take().is_none(), "nothing new, and the watermark is fresh");
    }

    #[test]
    fn nothing_comes_after_a_watermark_that_lies_before_it() {
        let relay = relay();
        let (until, ..) = told(&relay);
        relay.pass(0, 7, until - 5_000);
        relay.changed(4, Presence::Closed, true, true);
        let (_, changes, passed) = told(&relay);
        assert_eq!(passed[0].1[0].at, until);
        assert!(changes[0].at >= until);
    }

    #[test]
    fn the_horizon_is_the_slowest_of_the_others() {
        let relay = relay();
        relay.heard(0, 500);
        assert_eq!(relay.horizon(), 0);
        relay.heard(2, 300);
        relay.heard(2, 200);
        assert_eq!(relay.horizon(), 300);
        relay.heard(2, Micros::MAX);
        assert_eq!(relay.horizon(), 500);
    }
}
