//! One tally per thread, merged once a second, never averaged.
//!
//! A player records into the tally of the thread it happens to run on, so that threads do not wait for each
//! other. The collector swaps each tally for an empty one and merges them: counts add, histograms add bucket by
//! bucket, so that the merged percentiles are those of all samples.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::tally::Tally;
use super::thread_tally::ThreadTally;

/// The tallies of all threads.
#[derive(Debug)]
pub struct Recorder {
    shards: Box<[Mutex<ThreadTally>]>,
}

impl Recorder {
    /// A recorder for about this many threads; more threads share.
    #[must_use]
    pub fn new(threads: usize) -> Self {
        Self { shards: (0..threads.max(1)).map(|_| Mutex::default()).collect() }
    }

    /// Records into the calling thread's tally.
    pub(super) fn with<R>(&self, record: impl FnOnce(&mut ThreadTally) -> R) -> R {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        thread_local!(static SHARD: Cell<usize> = Cell::new(NEXT.fetch_add(1, Ordering::Relaxed)));
        record(&mut self.shards[SHARD.get() % self.shards.len()].lock())
    }

    /// Moves everything recorded since the last call into `into`; `spare` must be empty and is so again after.
    pub fn drain(&self, into: &mut ThreadTally, spare: &mut ThreadTally) {
        for shard in &self.shards {
            std::mem::swap(&mut *shard.lock(), spare);
            into.merge(spare);
            spare.clear();
        }
    }
}
