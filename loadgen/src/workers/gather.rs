//! Adding up what the workers send: seconds, and how many sockets were open at once.

use std::cmp::Reverse;
use std::collections::binary_heap::PeekMut;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BinaryHeap};

use crate::clock::Micros;
use crate::delivery::presence::Change;
use crate::generate::sample::SecondSample;
use crate::record::Tally;

/// Seconds that are not complete yet.
#[derive(Debug)]
pub(super) struct Seconds {
    waiting: BTreeMap<u64, SecondSample>,
    /// Of each worker, the second that it will send next; the end of time once it sends no more.
    next: Vec<u64>,
}

impl Seconds {
    pub(super) fn new(workers: usize) -> Self {
        Self { waiting: BTreeMap::new(), next: vec![0; workers] }
    }

    /// A worker's second.
    pub(super) fn add(&mut self, worker: usize, sample: SecondSample) {
        self.next[worker] = sample.second + 1;
        match self.waiting.entry(sample.second) {
            Entry::Vacant(second) => {
                second.insert(sample);
            }
            Entry::Occupied(mut second) => {
                let joined = second.get_mut();
                joined.tally.merge(&sample.tally);
                joined.open += sample.open;
                joined.health.join(&sample.health);
            }
        }
    }

    /// A worker sends no more.
    pub(super) fn leave(&mut self, worker: usize) {
        self.next[worker] = u64::MAX;
    }

    /// The next second that every worker has sent, in order.
    pub(super) fn complete(&mut self) -> Option<SecondSample> {
        let sent = self.next.iter().copied().min().unwrap_or(u64::MAX);
        let first = self.waiting.first_entry().filter(|second| *second.key() < sent)?;
        Some(first.remove())
    }
}

/// How many sockets were open at once, over all workers: changes in the order of their instants, which is known up to the
/// instant that all have reached.
#[derive(Debug)]
pub(super) struct Peak {
    until: Vec<Micros>,
    own: Vec<i64>,
    /// Instant, and whether a socket opened (closings first), with the number of sockets.
    changes: BinaryHeap<Reverse<(Micros, i64)>>,
    open: i64,
    peak: i64,
}

impl Peak {
    pub(super) fn new(workers: usize) -> Self {
        Self { until: vec![0; workers], own: vec![0; workers], changes: BinaryHeap::new(), open: 0, peak: 0 }
    }

    /// A worker has sent its changes before `until`.
    pub(super) fn add(&mut self, worker: usize, until: Micros, changes: &[Change]) {
        for change in changes {
            let by = i64::from(change.presence.is_open()) - i64::from(change.was_open);
            if by != 0 {
                self.own[worker] += by;
                self.changes.push(Reverse((change.at, by)));
            }
        }
        self.until[worker] = until;
        self.count();
    }

    /// A worker is gone, and its sockets with it.
    pub(super) fn leave(&mut self, worker: usize) {
        let at = self.until[worker];
        self.changes.push(Reverse((at, -std::mem::take(&mut self.own[worker]))));
        self.until[worker] = Micros::MAX;
        self.count();
    }

    fn count(&mut self) {
        let until = self.until.iter().copied().min().unwrap_or(Micros::MAX);
        while let Some(next) = self.changes.peek_mut().filter(|next| next.0.0 <= until) {
            let Reverse((_, by)) = PeekMut::pop(next);
            self.open += by;
            self.peak = self.peak.max(self.open);
        }
    }

    /// The most so far; what is not certain yet counts as it stands.
    pub(super) fn finish(mut self) -> u64 {
        self.until.fill(Micros::MAX);
        self.count();
        u64::try_from(self.peak).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::presence::Presence;

    #[test]
    fn a_second_is_complete_when_every_worker_has_sent_it() {
        let mut seconds = Seconds::new(2);
        let sample = |second, opened, open, cpu_percent| {
            let mut sample = SecondSample { second, open, ..SecondSample::default() };
            sample.tally.sockets.opened = opened;
            sample.health.cpu_percent = cpu_percent;
            sample
        };
        seconds.add(0, sample(0, 3, 3, 40.0));
        seconds.add(0, sample(1, 1, 4, 10.0));
        assert!(seconds.complete().is_none());
        seconds.add(1, sample(0, 5, 5, 20.0));
        let joined = seconds.complete().unwrap();
        assert_eq!((joined.second, joined.open, joined.tally.sockets.opened), (0, 8, 8));
        assert!((joined.health.cpu_percent - 60.0).abs() < 1e-9);
        assert!(seconds.complete().is_none());
        seconds.leave(1);
        assert_eq!(seconds.complete().unwrap().second, 1);
        seconds.leave(0);
        assert!(seconds.complete().is_none());
    }

    #[test]
    fn the_peak_is_that_of_the_instants_and_not_of_what_is_received_first() {
        let change = |at, open| {
            let presence = if open { Presence::Open } else { Presence::Closed };
            Change { player: 0, presence, was_open: !open, own_doing: false, at }
        };
        let mut peak = Peak::new(2);
        // One worker's sockets have ended before the other's open.
        peak.add(0, 100, &[change(10, true), change(11, true), change(20, false), change(21, false)]);
        peak.add(1, 100, &[change(30, true), change(31, true), change(31, true)]);
        assert_eq!(peak.peak, 3);
        let silent = Change { presence: Presence::NotReading, was_open: true, ..change(140, true) };
        peak.add(1, 200, &[silent, change(150, true)]);
        assert_eq!(peak.peak, 3, "the other may have closed some by then");
        peak.add(0, 300, &[change(140, true)]);
        assert_eq!(peak.peak, 5);
        peak.leave(1);
        peak.add(0, 400, &[change(350, true)]);
        assert_eq!(peak.open, 2);
        assert_eq!(peak.finish(), 5);
    }
}
