//! Messages under way: matched by the correlation in their text.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use scenarios::plan::ledger::Ledger;

use super::correlation::Correlation;
use super::lost::{Expired, Missing};
use super::receipt::Receipt;
use crate::clock::Micros;

/// Parts of the tables, so that players do not wait for each other.
const SHARDS: usize = 16;

/// One send that pushes are expected of.
#[derive(Debug)]
struct Expected {
    sender: u32,
    sent: Micros,
    measured: Ledger,
    /// Sorted recipient numbers, and whether each has received it.
    recipients: Box<[(u32, bool)]>,
    missing: u32,
    /// Latencies of the first and the last receipt so far, until they have been returned.
    extremes: Option<(Micros, Micros)>,
}

impl Expected {
    /// Notes a receipt; the extremes once it was the last that was missing.
    fn note(&mut self, latency: Micros) -> Option<(Micros, Micros)> {
        let (first, last) = self.extremes.unwrap_or((latency, latency));
        self.extremes = Some((first.min(latency), last.max(latency)));
        self.missing -= 1;
        if self.missing == 0 { self.extremes.take() } else { None }
    }
}

/// Sends by number, in the order of their time-outs.
#[derive(Debug, Default)]
struct MessageShard {
    sends: HashMap<u64, Expected>,
    due: VecDeque<(Micros, u64)>,
}

/// Highest send received by (sender, recipient), in two generations so that it cannot grow for ever.
#[derive(Debug, Default)]
struct ReceiptOrder {
    current: HashMap<(u32, u32), u64>,
    previous: HashMap<(u32, u32), u64>,
}

impl ReceiptOrder {
    /// Notes a receipt; returns whether a later send was there before.
    fn note(&mut self, sender: u32, recipient: u32, send: u64) -> bool {
        let pair = (sender, recipient);
        let before = self.current.get(&pair).or_else(|| self.previous.get(&pair)).copied();
        self.current.insert(pair, before.map_or(send, |before| before.max(send)));
        before.is_some_and(|before| before > send)
    }

    fn rotate(&mut self) {
        self.previous = std::mem::take(&mut self.current);
    }
}

/// Messages under way.
#[derive(Debug)]
pub struct Messages {
    run: u32,
    timeout: Micros,
    /// Time-out and grace together.
    patience: Micros,
    shards: [Mutex<MessageShard>; SHARDS],
    order: [Mutex<ReceiptOrder>; SHARDS],
    rotated: AtomicU64,
    outstanding: AtomicU64,
}

impl Messages {
    /// Matching for one run; a push is late `timeout` after its send, and lost `grace` after that.
    #[must_use]
    pub fn new(run: u32, timeout: Micros, grace: Micros) -> Self {
        Self {
            run,
            timeout,
            patience: timeout + grace,
            shards: Default::default(),
            order: Default::default(),
            rotated: AtomicU64::new(0),
            outstanding: AtomicU64::new(0),
        }
    }

    /// The correlation of a send.
    #[must_use]
    pub const fn correlation(&self, send: u64) -> Correlation {
        Correlation { run: self.run, send }
    }

    /// Pushes still awaited.
    #[must_use]
    pub fn outstanding(&self) -> u64 {
        self.outstanding.load(Ordering::Relaxed)
    }

    /// Expects one push per recipient. Call before the send leaves: a push can be faster than this thread.
    pub fn expect(&self, send: u64, sender: u32, mut recipients: Vec<u32>, sent: Micros, measured: Ledger) {
        recipients.sort_unstable();
        recipients.dedup();
        let missing = u32::try_from(recipients.len()).unwrap_or(u32::MAX);
        self.outstanding.fetch_add(u64::from(missing), Ordering::Relaxed);
        let recipients = recipients.into_iter().map(|recipient| (recipient, false)).collect();
        let mut shard = self.shard(send).lock();
        shard.sends.insert(send, Expected { sender, sent, measured, recipients, missing, extremes: None });
        shard.due.push_back((sent + self.patience, send));
    }

    /// Expects nothing more of a send that failed; returns how many pushes are no longer expected.
    pub fn withdraw(&self, send: u64) -> u64 {
        let missing = self.shard(send).lock().sends.get_mut(&send).map_or(0, |expected| {
            expected.recipients =
                expected.recipients.iter().copied().filter(|(_, received)| *received).collect();
            u64::from(std::mem::take(&mut expected.missing))
        });
        self.outstanding.fetch_sub(missing, Ordering::Relaxed);
        missing
    }

    /// Whether a message was sent in this run.
    #[must_use]
    pub const fn is_ours(&self, correlation: Correlation) -> bool {
        correlation.run == self.run
    }

    /// Matches a push that `recipient` received at `now`.
    pub fn receive(&self, correlation: Correlation, recipient: u32, now: Micros) -> Receipt {
        if !self.is_ours(correlation) {
            return Receipt::Unexpected;
        }
        let (sender, receipt) = {
            let mut shard = self.shard(correlation.send).lock();
            let Some(expected) = shard.sends.get_mut(&correlation.send) else { return Receipt::TooLate };
            if now >= expected.sent + self.patience {
                return Receipt::TooLate;
            }
            let late = now >= expected.sent + self.timeout;
            let Ok(position) = expected.recipients.binary_search_by_key(&recipient, |(number, _)| *number)
            else {
                return Receipt::Unexpected;
            };
            if std::mem::replace(&mut expected.recipients[position].1, true) {
                return Receipt::Duplicate { measured: expected.measured };
            }
            let latency = now.saturating_sub(expected.sent);
            (expected.sender, (latency, expected.note(latency), late, expected.measured))
        };
        self.outstanding.fetch_sub(1, Ordering::Relaxed);
        let out_of_order =
            self.order[recipient as usize % SHARDS].lock().note(sender, recipient, correlation.send);
        let (latency, complete, late, measured) = receipt;
        Receipt::Received { latency, complete, out_of_order, late, measured }
    }

    /// Gives up what is due at `now`.
    pub fn expire(&self, now: Micros) -> Expired {
        self.expire_except_away(now, |_, _| false)
    }

    /// Gives up what is due at `now`. What a recipient misses that was away at some time since the send, by its own
    /// doing (`was_away(recipient, sent)`), is not lost.
    pub fn expire_except_away(&self, now: Micros, was_away: impl Fn(u32, Micros) -> bool) -> Expired {
        let Expired { mut lost, mut firsts } = Expired::default();
        for shard in &self.shards {
            let mut shard = shard.lock();
            while let Some((_, send)) = shard.due.pop_front_if(|(due, _)| *due <= now) {
                if let Some(expected) = shard.sends.remove(&send) {
                    let Expected { sender, sent, recipients, extremes, measured, missing } = expected;
                    firsts.extend(extremes.map(|(first, _)| (first, measured)));
                    let missed =
                        recipients.iter().filter(|(_, received)| !received).map(|(recipient, _)| *recipient);
                    let away = missed.clone().filter(|recipient| was_away(*recipient, sent)).count();
                    lost.add(u64::from(missing), away as u64, measured);
                    lost.name(missed.filter(|recipient| !was_away(*recipient, sent)).map(|recipient| {
                        Missing { recipient, sender, sent, what: format!("message {send}") }
                    }));
                }
            }
        }
        self.outstanding.fetch_sub(lost.all(), Ordering::Relaxed);
        let rotated = self.rotated.load(Ordering::Relaxed);
        if now >= rotated.saturating_add(self.patience) {
            self.rotated.store(now, Ordering::Relaxed);
            self.order.iter().for_each(|order| order.lock().rotate());
        }
        Expired { lost, firsts }
    }

    const fn shard(&self, send: u64) -> &Mutex<MessageShard> {
        &self.shards[send as usize % SHARDS]
    }
}
