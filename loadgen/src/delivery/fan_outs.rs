//! Pushes of one kind, tied to their sends by the marker in them: a send may be pushed to many players.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use scenarios::plan::ledger::Ledger;

use super::correlation::Correlation;
use super::lost::{Expired, Missing};
use super::receipt::Receipt;
use super::receipt_order::ReceiptOrder;
use super::recipients::Recipients;
use super::sent::{Addressees, Sent};
use super::terms::Terms;
use crate::clock::Micros;

/// Parts of the tables, so that players do not wait for each other.
const SHARDS: usize = 16;

/// One send that pushes are expected of.
#[derive(Debug)]
struct Expected {
    sender: u32,
    sent: Micros,
    measured: Ledger,
    recipients: Recipients,
    /// Who may receive it beside those.
    others: Range<u32>,
    /// Latencies of the first and the last receipt so far, until they have been returned.
    extremes: Option<(Micros, Micros)>,
}

impl Expected {
    /// Notes a receipt; the extremes once it was the last that was missing.
    fn note(&mut self, latency: Micros) -> Option<(Micros, Micros)> {
        let (first, last) = self.extremes.unwrap_or((latency, latency));
        self.extremes = Some((first.min(latency), last.max(latency)));
        if self.recipients.missing() == 0 { self.extremes.take() } else { None }
    }
}

/// Sends by number, in the order of their time-outs.
#[derive(Debug, Default)]
struct SendShard {
    sends: HashMap<u64, Expected>,
    due: VecDeque<(Micros, u64)>,
}

/// Sends of which pushes of one kind are under way.
#[derive(Debug)]
pub struct FanOuts {
    terms: Terms,
    shards: [Mutex<SendShard>; SHARDS],
    order: [Mutex<ReceiptOrder>; SHARDS],
    rotated: AtomicU64,
    outstanding: AtomicU64,
}

impl FanOuts {
    /// Nothing is under way.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        Self {
            terms,
            shards: Default::default(),
            order: Default::default(),
            rotated: AtomicU64::new(0),
            outstanding: AtomicU64::new(0),
        }
    }

    /// Pushes still awaited.
    #[must_use]
    pub fn outstanding(&self) -> u64 {
        self.outstanding.load(Ordering::Relaxed)
    }

    /// Expects one push per player; returns how many. Call before the send leaves: a push can be faster than this thread.
    pub fn expect(&self, sent: Sent, to: Addressees) -> u64 {
        let Sent { send, sender, at, measured } = sent;
        let Addressees { mut expected, others } = to;
        if self.terms.sender {
            expected.push(sender);
        } else if !others.is_empty() {
            expected.retain(|player| *player != sender);
        }
        let recipients = Recipients::new(expected);
        let count = u64::from(recipients.missing());
        self.outstanding.fetch_add(count, Ordering::Relaxed);
        let mut shard = self.shard(send).lock();
        let expected = Expected { sender, sent: at, measured, recipients, others, extremes: None };
        shard.sends.insert(send, expected);
        shard.due.push_back((at.saturating_add(self.terms.patience), send));
        count
    }

    /// Expects nothing more of a send that failed; returns how many pushes are no longer expected.
    pub fn withdraw(&self, send: u64) -> u64 {
        let missing = self.shard(send).lock().sends.get_mut(&send).map_or(0, |expected| {
            expected.others = 0..0;
            u64::from(expected.recipients.withdraw())
        });
        self.outstanding.fetch_sub(missing, Ordering::Relaxed);
        missing
    }

    /// Matches a push of a send that `recipient` received at `now`.
    pub fn receive(&self, send: u64, recipient: u32, now: Micros) -> Receipt {
        let (latency, complete, sent, sender, measured) = {
            let mut shard = self.shard(send).lock();
            let Some(expected) = shard.sends.get_mut(&send) else { return Receipt::TooLate };
            let Expected { sent, sender, measured, .. } = *expected;
            if self.terms.is_over(sent, now) {
                return Receipt::TooLate;
            }
            match expected.recipients.receive(recipient) {
                Some(true) => {}
                Some(false) => return Receipt::Duplicate { measured },
                None if recipient != sender && expected.others.contains(&recipient) => return Receipt::Aside,
                None => return Receipt::Unexpected,
            }
            let latency = now.saturating_sub(sent);
            (latency, expected.note(latency), sent, sender, measured)
        };
        self.outstanding.fetch_sub(1, Ordering::Relaxed);
        let out_of_order = self.order[recipient as usize % SHARDS].lock().note(sender, recipient, sent, send);
        let late = self.terms.is_late(sent, now);
        Receipt::Received { latency, complete, out_of_order, late, measured }
    }

    /// Gives up what is due at `now`. What a recipient misses that was away at some time since the send, by its own
    /// doing (`was_away(recipient, sent)`), is not lost.
    pub fn expire(&self, now: Micros, was_away: impl Fn(u32, Micros) -> bool) -> Expired {
        let Expired { mut lost, mut firsts } = Expired::default();
        for shard in &self.shards {
            let mut shard = shard.lock();
            while let Some((_, send)) = shard.due.pop_front_if(|(due, _)| *due <= now) {
                if let Some(expected) = shard.sends.remove(&send) {
                    let Expected { sender, sent, recipients, extremes, measured, .. } = expected;
                    firsts.extend(extremes.map(|(first, _)| (first, measured)));
                    let missing = recipients.each_missing();
                    let (away, missed): (Vec<_>, Vec<_>) =
                        missing.into_iter().partition(|recipient| was_away(*recipient, sent));
                    lost.add((away.len() + missed.len()) as u64, away.len() as u64, measured);
                    lost.name(missed.into_iter().map(|recipient| {
                        let what = format!("{} {}", self.terms.name, Correlation::index_of(send));
                        Missing { recipient, sender, sent, what }
                    }));
                }
            }
        }
        self.outstanding.fetch_sub(lost.all(), Ordering::Relaxed);
        let rotated = self.rotated.load(Ordering::Relaxed);
        if now >= rotated.saturating_add(self.terms.patience) {
            self.rotated.store(now, Ordering::Relaxed);
            self.order.iter().for_each(|order| order.lock().rotate());
        }
        Expired { lost, firsts }
    }

    /// The lowest bits alone say little: those of a worker's sends have the remainder in common, and what players send by
    /// themselves is counted from the same number.
    const fn shard(&self, send: u64) -> &Mutex<SendShard> {
        let spread = send ^ (send >> 4) ^ (send >> 24);
        &self.shards[spread as usize % SHARDS]
    }
}
