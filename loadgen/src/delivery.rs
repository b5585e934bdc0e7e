//! Delivery matching: which push answers which send, and what is lost, doubled or out of order.
//!
//! A *message* carries its correlation in its text ([`Correlation`]), so each push names the send it belongs
//! to. It is expected from the send on, once per recipient whose socket was open then. A *placement* is named
//! by the backend in the request's answer, so it is expected from that answer on; a push that overtakes the
//! answer is kept until then.
//!
//! An entry stays until its time-out even when complete: a second copy is a duplicate, not a surprise. What is
//! missing at the time-out is lost. Out of order means: to this recipient a later send of the same sender was
//! received first; pairs are remembered for one to two time-outs, longer than any push is awaited.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::clock::Micros;

const SHARDS: usize = 16;

/// What a message's text begins with: which run, which send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Correlation {
    /// Tells this run's messages from those of other runs against the same backend.
    pub run: u32,
    /// Number of the send among this run's sends.
    pub send: u64,
}

impl Correlation {
    const MARK: &'static str = "lg1:";
    /// Bytes that the correlation takes of a message's text.
    pub const LENGTH: usize = 4 + 8 + 1 + 16 + 1;

    /// A message text of `size` bytes (at least [`LENGTH`](Self::LENGTH)).
    #[must_use]
    pub fn text(&self, size: usize) -> String {
        let mut text = format!("{}{:08x}:{:016x}:", Self::MARK, self.run, self.send);
        text.extend(std::iter::repeat_n('.', size.saturating_sub(text.len())));
        text
    }

    /// Reads the correlation back from a pushed text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(Self::MARK)?;
        let (run, rest) = rest.split_once(':')?;
        let (send, _) = rest.split_once(':')?;
        Some(Self { run: u32::from_str_radix(run, 16).ok()?, send: u64::from_str_radix(send, 16).ok()? })
    }
}

/// What a received push turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// The first copy, in time.
    Received {
        /// Microseconds since the send.
        latency: Micros,
        /// The first of its fan-out.
        first: bool,
        /// The last of its fan-out, which is complete now.
        last: bool,
        /// A later send of the same sender was received before.
        out_of_order: bool,
        /// Whether the send counts for the summary.
        measured: bool,
    },
    /// A further copy.
    Duplicate {
        /// Whether the send counts for the summary.
        measured: bool,
    },
    /// Of this run, but after its time-out: already counted as lost.
    Late,
    /// Nothing sent in this run accounts for it.
    Unexpected,
}

/// Pushes given up at their time-out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lost {
    /// Of measured sends.
    pub measured: u64,
    /// Of warm-up sends.
    pub warm_up: u64,
}

impl Lost {
    const fn add(&mut self, missing: u64, measured: bool) {
        if measured {
            self.measured += missing;
        } else {
            self.warm_up += missing;
        }
    }
}

/// One send that pushes are expected of.
#[derive(Debug)]
struct Expected {
    sender: u32,
    sent: Micros,
    measured: bool,
    /// Sorted recipient numbers, and whether each has received it.
    recipients: Box<[(u32, bool)]>,
    missing: u32,
}

/// Sends by number, in the order of their time-outs.
#[derive(Debug, Default)]
struct MessageShard {
    sends: HashMap<u64, Expected>,
    due: VecDeque<(Micros, u64)>,
}

/// Highest send received by (sender, recipient), in two generations so that it cannot grow for ever.
#[derive(Debug, Default)]
struct Order {
    current: HashMap<(u32, u32), u64>,
    previous: HashMap<(u32, u32), u64>,
}

impl Order {
    /// Notes a receipt and tells whether a later send was there before.
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
    shards: [Mutex<MessageShard>; SHARDS],
    order: [Mutex<Order>; SHARDS],
    rotated: AtomicU64,
    outstanding: AtomicU64,
}

impl Messages {
    /// Matching for one run; a push is lost `timeout` after its send.
    #[must_use]
    pub fn new(run: u32, timeout: Micros) -> Self {
        Self {
            run,
            timeout,
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
    pub fn expect(&self, send: u64, sender: u32, mut recipients: Vec<u32>, sent: Micros, measured: bool) {
        recipients.sort_unstable();
        recipients.dedup();
        let missing = u32::try_from(recipients.len()).unwrap_or(u32::MAX);
        self.outstanding.fetch_add(u64::from(missing), Ordering::Relaxed);
        let recipients = recipients.into_iter().map(|recipient| (recipient, false)).collect();
        let mut shard = self.shard(send).lock();
        shard.sends.insert(send, Expected { sender, sent, measured, recipients, missing });
        shard.due.push_back((sent + self.timeout, send));
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

    /// Matches a push that `recipient` received at `now`.
    pub fn receive(&self, correlation: Correlation, recipient: u32, now: Micros) -> Receipt {
        if correlation.run != self.run {
            return Receipt::Unexpected;
        }
        let (sender, receipt) = {
            let mut shard = self.shard(correlation.send).lock();
            let Some(expected) = shard.sends.get_mut(&correlation.send) else { return Receipt::Late };
            if now >= expected.sent + self.timeout {
                return Receipt::Late;
            }
            let Ok(position) = expected.recipients.binary_search_by_key(&recipient, |(number, _)| *number)
            else {
                return Receipt::Unexpected;
            };
            if std::mem::replace(&mut expected.recipients[position].1, true) {
                return Receipt::Duplicate { measured: expected.measured };
            }
            let first = expected.missing as usize == expected.recipients.len();
            expected.missing -= 1;
            let receipt =
                (now.saturating_sub(expected.sent), first, expected.missing == 0, expected.measured);
            (expected.sender, receipt)
        };
        self.outstanding.fetch_sub(1, Ordering::Relaxed);
        let out_of_order =
            self.order[recipient as usize % SHARDS].lock().note(sender, recipient, correlation.send);
        let (latency, first, last, measured) = receipt;
        Receipt::Received { latency, first, last, out_of_order, measured }
    }

    /// Gives up what is due at `now`.
    pub fn expire(&self, now: Micros) -> Lost {
        let mut lost = Lost::default();
        for shard in &self.shards {
            let mut shard = shard.lock();
            while let Some((_, send)) = shard.due.pop_front_if(|(due, _)| *due <= now) {
                if let Some(expected) = shard.sends.remove(&send) {
                    lost.add(u64::from(expected.missing), expected.measured);
                }
            }
        }
        self.outstanding.fetch_sub(lost.measured + lost.warm_up, Ordering::Relaxed);
        let rotated = self.rotated.load(Ordering::Relaxed);
        if now >= rotated + self.timeout {
            self.rotated.store(now, Ordering::Relaxed);
            self.order.iter().for_each(|order| order.lock().rotate());
        }
        lost
    }

    const fn shard(&self, send: u64) -> &Mutex<MessageShard> {
        &self.shards[send as usize % SHARDS]
    }
}

/// A placement whose push is expected, or has come.
#[derive(Debug, Clone, Copy)]
struct ExpectedPlacement {
    player: u32,
    sent: Micros,
    measured: bool,
    received: bool,
}

#[derive(Debug, Default)]
struct PlacementTable {
    expected: HashMap<String, ExpectedPlacement>,
    due: VecDeque<(Micros, String)>,
    /// Pushes that overtook the answer: every copy, with its recipient and instant.
    early: HashMap<String, Vec<(u32, Micros)>>,
    /// Overtaking pushes by age, to be given up as unexpected.
    early_due: VecDeque<(Micros, String)>,
}

/// Placements under way.
#[derive(Debug)]
pub struct Placements {
    timeout: Micros,
    table: Mutex<PlacementTable>,
    outstanding: AtomicU64,
}

impl Placements {
    /// Matching for one run; a push is lost `timeout` after its request.
    #[must_use]
    pub fn new(timeout: Micros) -> Self {
        Self { timeout, table: Mutex::default(), outstanding: AtomicU64::new(0) }
    }

    /// Pushes still awaited.
    #[must_use]
    pub fn outstanding(&self) -> u64 {
        self.outstanding.load(Ordering::Relaxed)
    }

    /// Expects the push of a placement that the backend has just named; returns the receipts of those that
    /// were faster than the answer.
    pub fn expect(&self, id: &str, player: u32, sent: Micros, measured: bool) -> Vec<Receipt> {
        self.outstanding.fetch_add(1, Ordering::Relaxed);
        let early = {
            let mut table = self.table.lock();
            table.expected.insert(id.into(), ExpectedPlacement { player, sent, measured, received: false });
            table.due.push_back((sent + self.timeout, id.into()));
            table.early.remove(id).unwrap_or_default()
        };
        early.into_iter().filter_map(|(recipient, at)| self.receive(id, recipient, at)).collect()
    }

    /// Matches a push that `player` received at `now`; `None` while its answer has not come yet.
    pub fn receive(&self, id: &str, player: u32, now: Micros) -> Option<Receipt> {
        let mut table = self.table.lock();
        let Some(expected) = table.expected.get_mut(id) else {
            table.early.entry(id.into()).or_default().push((player, now));
            table.early_due.push_back((now + self.timeout, id.into()));
            return None;
        };
        if expected.player != player {
            return Some(Receipt::Unexpected);
        }
        if now >= expected.sent + self.timeout {
            return Some(Receipt::Late);
        }
        if std::mem::replace(&mut expected.received, true) {
            return Some(Receipt::Duplicate { measured: expected.measured });
        }
        self.outstanding.fetch_sub(1, Ordering::Relaxed);
        Some(Receipt::Received {
            latency: now.saturating_sub(expected.sent),
            first: true,
            last: true,
            out_of_order: false,
            measured: expected.measured,
        })
    }

    /// Gives up what is due at `now`; also returns how many pushes turned out to belong to no request.
    pub fn expire(&self, now: Micros) -> (Lost, u64) {
        let mut lost = Lost::default();
        let mut unexpected = 0;
        let mut table = self.table.lock();
        while let Some((_, id)) = table.due.pop_front_if(|(due, _)| *due <= now) {
            if let Some(expected) = table.expected.remove(&id).filter(|expected| !expected.received) {
                lost.add(1, expected.measured);
            }
        }
        while let Some((_, id)) = table.early_due.pop_front_if(|(due, _)| *due <= now) {
            unexpected += table.early.remove(&id).map_or(0, |copies| copies.len() as u64);
        }
        self.outstanding.fetch_sub(lost.measured + lost.warm_up, Ordering::Relaxed);
        (lost, unexpected)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RUN: u32 = 7;

    fn received(receipt: Receipt) -> (Micros, bool, bool, bool) {
        match receipt {
            Receipt::Received { latency, first, last, out_of_order, .. } => {
                (latency, first, last, out_of_order)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_correlation_survives_the_way_through_a_backend() {
        let sent = Correlation { run: 0xdead_beef, send: 12_345 };
        let text = sent.text(64);
        assert_eq!(text.len(), 64);
        assert_eq!(Correlation::parse(&text), Some(sent));
        assert_eq!(sent.text(0).len(), Correlation::LENGTH);
        for foreign in ["", "hello", "lg1:", "lg1:xyz:1:", "lg1:00000001"] {
            assert_eq!(Correlation::parse(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_fan_out_has_a_first_and_a_last_recipient() {
        let messages = Messages::new(RUN, 1_000);
        messages.expect(1, 0, vec![5, 3, 4], 100, true);
        let push = messages.correlation(1);
        assert_eq!(received(messages.receive(push, 4, 110)), (10, true, false, false));
        assert_eq!(received(messages.receive(push, 3, 120)), (20, false, false, false));
        assert_eq!(messages.receive(push, 3, 125), Receipt::Duplicate { measured: true });
        assert_eq!(received(messages.receive(push, 5, 130)), (30, false, true, false));
        assert_eq!(messages.receive(push, 9, 130), Receipt::Unexpected);
        assert_eq!(messages.outstanding(), 0);
        assert_eq!(messages.expire(1_100), Lost::default());
        assert_eq!(messages.receive(push, 3, 1_200), Receipt::Late);
    }

    #[test]
    fn what_is_missing_at_the_time_out_is_lost_and_what_failed_is_not() {
        let messages = Messages::new(RUN, 1_000);
        messages.expect(1, 0, vec![1, 2, 3], 0, true);
        messages.expect(2, 0, vec![1, 2], 10, false);
        messages.expect(3, 0, vec![1, 2], 20, true);
        messages.receive(messages.correlation(1), 2, 500);
        messages.receive(messages.correlation(3), 2, 500);
        assert_eq!(messages.withdraw(3), 1);
        assert_eq!(messages.expire(999), Lost::default());
        assert_eq!(messages.expire(2_000), Lost { measured: 2, warm_up: 2 });
        assert_eq!(messages.outstanding(), 0);
    }

    #[test]
    fn order_is_that_of_one_sender_to_one_recipient() {
        let messages = Messages::new(RUN, 1_000);
        (1..=4).for_each(|send| messages.expect(send, (send % 2) as u32, vec![8, 9], send, true));
        let order = |send, recipient| received(messages.receive(messages.correlation(send), recipient, 50)).3;
        assert!(!order(3, 8));
        assert!(!order(2, 8), "another sender");
        assert!(!order(1, 9), "another recipient");
        assert!(order(1, 8), "3 came before 1");
        assert!(!order(4, 8));
    }

    #[test]
    fn a_placement_push_may_overtake_its_answer() {
        let placements = Placements::new(1_000);
        assert_eq!(placements.receive("p", 3, 40), None);
        let receipts = placements.expect("p", 3, 10, true);
        assert_eq!(receipts.len(), 1);
        assert_eq!(received(receipts[0]).0, 30);
        assert_eq!(placements.receive("p", 3, 60), Some(Receipt::Duplicate { measured: true }));
        placements.expect("q", 3, 20, true);
        assert_eq!(placements.receive("strange", 3, 70), None);
        assert_eq!(placements.outstanding(), 1);
        assert_eq!(placements.receive("q", 3, 1_020), Some(Receipt::Late));
        assert_eq!(placements.expire(1_070), (Lost { measured: 1, warm_up: 0 }, 1));
        assert_eq!(placements.outstanding(), 0);
    }

    proptest! {
        /// Whatever is dropped, doubled or shuffled: the counts are exactly those of the injected truth.
        #[test]
        fn counts_equal_the_injected_truth(
            sends in prop::collection::vec((0_u32..4, prop::collection::btree_set(0_u32..12, 1..8)), 1..40),
            fates in prop::collection::vec(0_u8..4, 400),
            shuffle in any::<u64>(),
        ) {
            let messages = Messages::new(RUN, 1_000_000);
            let (mut pushes, mut dropped, mut doubled, mut wanted) = (Vec::new(), 0, 0, 0);
            let mut fates = fates.into_iter().cycle();
            for (number, (sender, recipients)) in sends.iter().enumerate() {
                messages.expect(number as u64, *sender, recipients.iter().copied().collect(), 0, true);
                for recipient in recipients {
                    wanted += 1;
                    let copies = match fates.next() { Some(0) => 0, Some(1) => 2, _ => 1 };
                    dropped += u64::from(copies == 0);
                    doubled += u64::from(copies == 2);
                    pushes.extend(std::iter::repeat_n((number as u64, *sender, *recipient), copies));
                }
            }
            pushes.sort_by_key(|(send, _, recipient)| (send ^ shuffle).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(*recipient));
            let mut highest: HashMap<(u32, u32), u64> = HashMap::new();
            let mut seen = std::collections::HashSet::new();
            let (mut received, mut duplicates, mut swapped, mut swaps_seen) = (0, 0, 0, 0);
            for (send, sender, recipient) in pushes {
                if seen.insert((send, recipient)) {
                    let before = highest.entry((sender, recipient)).or_insert(send);
                    swapped += u64::from(*before > send);
                    *before = (*before).max(send);
                }
                match messages.receive(messages.correlation(send), recipient, 5) {
                    Receipt::Received { out_of_order, .. } => { received += 1; swaps_seen += u64::from(out_of_order); }
                    Receipt::Duplicate { .. } => duplicates += 1,
                    other => prop_assert!(false, "{:?}", other),
                }
            }
            prop_assert_eq!(received, wanted - dropped);
            prop_assert_eq!(duplicates, doubled);
            prop_assert_eq!(swaps_seen, swapped);
            prop_assert_eq!(messages.outstanding(), dropped);
            prop_assert_eq!(messages.expire(2_000_000).measured, dropped);
        }
    }
}
