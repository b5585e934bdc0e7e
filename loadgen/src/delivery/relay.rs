//! What a worker's players see that is of use to other workers: pushes of their sends, and who is connected.
//!
//! A send belongs to the worker that made it: the arrival's number modulo workers. A push of another worker's send is forwarded with
//! the instant of its receipt, in batches, off the players' way. What makes the counts exact although a receipt takes
//! its time is the *watermark*: everything before it has been sent, and a worker gives a push up only when the watermarks
//! of all others have passed its time-out (as event-time systems close a window: T. Akidau et al., "The Dataflow
//! Model", VLDB 2015, §2.3).

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use scenarios::plan::shard::Shard;
use serde::{Deserialize, Serialize};

use super::correlation::Correlation;
use super::presence::{Change, Presence};
use super::receipt::ReceivedPush;
use crate::clock::{Clock, Micros};

/// A push that one worker's player received of another worker's send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardedReceipt {
    /// Number of the send, as in its [`Correlation`].
    pub send: u64,
    /// The player who received it.
    pub recipient: u32,
    /// When.
    pub at: Micros,
    /// Where it says that what was asked for has failed: the error class.
    pub failed: Option<Box<str>>,
    /// In traced runs: when the stages of its way through the backend began.
    pub stamps: Option<Box<[i64]>>,
}

/// What a worker has for the others since its last batch.
#[derive(Debug, Serialize, Deserialize)]
pub struct PeerBatch {
    /// Everything before this instant has been sent.
    pub until: Micros,
    /// Sockets that opened or ended.
    pub changes: Vec<Change>,
    /// Receipts, by the worker whose sends they are of.
    pub receipts: Vec<(u32, Vec<ForwardedReceipt>)>,
}

/// What a worker receives of another's batch.
#[derive(Debug, Serialize, Deserialize)]
pub struct PeerUpdate {
    /// The other worker.
    pub from: u32,
    /// Everything of it before this instant has been sent.
    pub until: Micros,
    /// Its sockets that opened or ended.
    pub changes: Vec<Change>,
    /// Receipts of this worker's sends.
    pub receipts: Vec<ForwardedReceipt>,
}

/// A batch is due at least so often: others wait for the watermark.
const SILENCE: Micros = 200_000;

/// What is to be sent to other workers, and how far they are.
#[derive(Debug)]
pub struct Relay {
    shard: Shard,
    clock: Clock,
    outbox: Mutex<Outbox>,
    /// The others' watermarks; of oneself, and of those that are lost, the end of time.
    watermarks: Box<[AtomicU64]>,
}

#[derive(Debug, Default)]
struct Outbox {
    until: Micros,
    changes: Vec<Change>,
    receipts: Vec<Vec<ForwardedReceipt>>,
}

impl Relay {
    /// Nothing to send yet, nothing received.
    #[must_use]
    pub fn new(shard: Shard, clock: Clock) -> Self {
        let workers = 0..shard.step();
        let watermarks =
            workers.clone().map(|worker| AtomicU64::new(if shard.has(worker) { Micros::MAX } else { 0 }));
        let receipts = workers.map(|_| Vec::new()).collect();
        let outbox = Outbox { receipts, ..Outbox::default() };
        Self { shard, clock, watermarks: watermarks.collect(), outbox: Mutex::new(outbox) }
    }

    /// Whether a send was made by another worker.
    #[must_use]
    pub const fn is_elsewhere(&self, sent: Correlation) -> bool {
        !self.shard.has(sent.index())
    }

    /// A player received what another worker has sent.
    pub fn forward(&self, sent: Correlation, push: &ReceivedPush) {
        let worker = (sent.index() % self.shard.step()) as usize;
        let ReceivedPush { player: recipient, at, failed, stamps } = push.clone();
        let mut outbox = self.outbox.lock();
        // A thread that was held up since the receipt must not fall behind the watermark.
        let at = at.max(outbox.until);
        outbox.receipts[worker].push(ForwardedReceipt { send: sent.send, recipient, at, failed, stamps });
    }

    /// Something has changed with a player.
    pub fn changed(&self, player: u32, presence: Presence, was_open: bool, own_doing: bool) {
        let mut outbox = self.outbox.lock();
        let at = self.clock.now();
        outbox.changes.push(Change { player, presence, was_open, own_doing, at });
    }

    /// The batch since the last one; `None` when it can wait.
    #[must_use]
    pub fn take(&self) -> Option<PeerBatch> {
        let mut outbox = self.outbox.lock();
        let until = self.clock.now();
        let idle = outbox.changes.is_empty() && outbox.receipts.iter().all(Vec::is_empty);
        if idle && until < outbox.until + SILENCE {
            return None;
        }
        outbox.until = until;
        let receipts = (0..).zip(&mut outbox.receipts).filter(|(_, receipts)| !receipts.is_empty());
        let receipts = receipts.map(|(worker, receipts)| (worker, std::mem::take(receipts))).collect();
        Some(PeerBatch { until, changes: std::mem::take(&mut outbox.changes), receipts })
    }

    /// Everything of another worker before `until` has been received.
    pub fn received(&self, worker: u32, until: Micros) {
        if let Some(watermark) = self.watermarks.get(worker as usize) {
            watermark.fetch_max(until, Ordering::Relaxed);
        }
    }

    /// Up to this instant every receipt of every worker is known here.
    #[must_use]
    pub fn horizon(&self) -> Micros {
        self.watermarks.iter().map(|watermark| watermark.load(Ordering::Relaxed)).min().unwrap_or(Micros::MAX)
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

    /// Of an operation whose number would make another worker of it.
    fn sent(index: u64) -> Correlation {
        Correlation::new(1, 1, index)
    }

    fn pushed(player: u32, at: Micros) -> ReceivedPush {
        ReceivedPush { player, at, failed: None, stamps: None }
    }

    fn forwarded(index: u64, recipient: u32, at: Micros) -> ForwardedReceipt {
        ForwardedReceipt { send: sent(index).send, recipient, at, failed: None, stamps: None }
    }

    #[test]
    fn a_receipt_goes_to_the_worker_that_sent() {
        let relay = relay();
        let elsewhere = |index| relay.is_elsewhere(sent(index));
        assert!(elsewhere(0) && !elsewhere(4) && elsewhere(5));
        relay.forward(sent(5), &pushed(7, 100));
        relay.forward(sent(3), &pushed(8, 101));
        relay.changed(4, Presence::Open, false, false);
        let PeerBatch { until, changes, receipts } = relay.take().unwrap();
        assert!(until >= 10_000_000 && changes[0].at <= until);
        assert_eq!(receipts[0], (0, vec![forwarded(3, 8, 101)]));
        assert_eq!(receipts[1], (2, vec![forwarded(5, 7, 100)]));
        assert!(relay.take().is_none(), "nothing new, and the watermark is fresh");
    }

    #[test]
    fn nothing_comes_after_a_watermark_that_lies_before_it() {
        let relay = relay();
        let until = relay.take().unwrap().until;
        relay.forward(sent(0), &pushed(7, until - 5_000));
        relay.changed(4, Presence::Closed, true, true);
        let PeerBatch { changes, receipts, .. } = relay.take().unwrap();
        assert_eq!(receipts[0].1[0].at, until);
        assert!(changes[0].at >= until);
    }

    #[test]
    fn the_horizon_is_the_slowest_of_the_others() {
        let relay = relay();
        relay.received(0, 500);
        assert_eq!(relay.horizon(), 0);
        relay.received(2, 300);
        relay.received(2, 200);
        assert_eq!(relay.horizon(), 300);
        relay.received(2, Micros::MAX);
        assert_eq!(relay.horizon(), 500);
    }
}
