//! The faults of the gateway, drawn from a seeded generator and counted.
//!
//! Tests compare a load generator's findings with these counts; `GET /faults` returns them.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use serde::Serialize;

use super::profile::GatewayProfile;

/// The fault of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PushFault {
    /// Accepted, never sent.
    Drop,
    /// Sent twice.
    Duplicate,
    /// Delayed until the next push has overtaken it.
    Reorder,
}

/// The random generator and the counts.
#[derive(Debug)]
pub(super) struct Faults {
    push: [(PushFault, f64); 3],
    garbage: f64,
    rejection: f64,
    cut: f64,
    dice: Mutex<SmallRng>,
    tally: Tally,
}

#[derive(Debug, Default)]
struct Tally {
    pushes_dropped: AtomicU64,
    pushes_duplicated: AtomicU64,
    pushes_reordered: AtomicU64,
    garbage_frames: AtomicU64,
    handshakes_rejected: AtomicU64,
    connections_cut: AtomicU64,
}

/// How many faults of each kind were injected since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct FaultCounts {
    /// Pushes that were accepted and not sent.
    pub pushes_dropped: u64,
    /// Pushes that were sent twice.
    pub pushes_duplicated: u64,
    /// Pushes that another one of the same socket overtook.
    pub pushes_reordered: u64,
    /// Malformed frames.
    pub garbage_frames: u64,
    /// Handshakes refused.
    pub handshakes_rejected: u64,
    /// Connections cut.
    pub connections_cut: u64,
}

impl Faults {
    /// The faults of a profile; the same seed gives the same faults.
    pub(super) fn new(profile: &GatewayProfile, seed: u64) -> Self {
        Self {
            push: [
                (PushFault::Drop, profile.push_drop_rate),
                (PushFault::Duplicate, profile.push_duplicate_rate),
                (PushFault::Reorder, profile.push_reorder_rate),
            ],
            garbage: profile.garbage_rate,
            rejection: profile.handshake_reject_rate,
            cut: if profile.cut_after_s > 0.0 { profile.cut_rate } else { 0.0 },
            dice: Mutex::new(SmallRng::seed_from_u64(seed)),
            tally: Tally::default(),
        }
    }

    /// The fault of the next push. A reordering is counted once it has happened.
    pub(super) fn of_push(&self) -> Option<PushFault> {
        if self.push.iter().all(|(_, rate)| *rate <= 0.0) {
            return None;
        }
        let mut drawn = self.dice.lock().random::<f64>();
        let (fault, _) = self.push.into_iter().find(|(_, rate)| {
            drawn -= rate;
            drawn < 0.0
        })?;
        match fault {
            PushFault::Drop => count(&self.tally.pushes_dropped),
            PushFault::Duplicate => count(&self.tally.pushes_duplicated),
            PushFault::Reorder => {}
        }
        Some(fault)
    }

    /// Counts a reordered push.
    pub(super) fn reordered(&self) {
        count(&self.tally.pushes_reordered);
    }

    /// Whether a malformed frame precedes the next frame.
    pub(super) fn garbage(&self) -> bool {
        self.strikes(self.garbage, &self.tally.garbage_frames)
    }

    /// Whether the next handshake is refused.
    pub(super) fn rejection(&self) -> bool {
        self.strikes(self.rejection, &self.tally.handshakes_rejected)
    }

    /// Whether the next connection will be cut; [`cut`](Self::cut) tells that it was.
    pub(super) fn will_cut(&self) -> bool {
        self.cut > 0.0 && self.dice.lock().random_bool(self.cut)
    }

    /// A connection has been cut.
    pub(super) fn cut(&self) {
        count(&self.tally.connections_cut);
    }

    /// The counts.
    pub(super) fn counts(&self) -> FaultCounts {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        FaultCounts {
            pushes_dropped: of(&self.tally.pushes_dropped),
            pushes_duplicated: of(&self.tally.pushes_duplicated),
            pushes_reordered: of(&self.tally.pushes_reordered),
            garbage_frames: of(&self.tally.garbage_frames),
            handshakes_rejected: of(&self.tally.handshakes_rejected),
            connections_cut: of(&self.tally.connections_cut),
        }
    }

    fn strikes(&self, rate: f64, counter: &AtomicU64) -> bool {
        let strikes = rate > 0.0 && self.dice.lock().random_bool(rate);
        if strikes {
            count(counter);
        }
        strikes
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_the_configured_shares_and_counts_each() {
        let profile = GatewayProfile {
            push_drop_rate: 0.2,
            push_duplicate_rate: 0.1,
            garbage_rate: 1.0,
            cut_rate: 1.0,
            ..GatewayProfile::default()
        };
        let faults = Faults::new(&profile, 7);
        let drawn: Vec<_> = (0..10_000).map(|_| faults.of_push()).collect();
        let again = Faults::new(&profile, 7);
        assert_eq!(drawn, (0..10_000).map(|_| again.of_push()).collect::<Vec<_>>(), "same seed, same faults");
        let of = |fault| drawn.iter().filter(|drawn| **drawn == Some(fault)).count();
        assert!(
            (1_800..2_200).contains(&of(PushFault::Drop)) && (800..1_200).contains(&of(PushFault::Duplicate))
        );
        assert!(faults.garbage() && !faults.rejection() && !faults.will_cut(), "no cut without cut_after_s");
        let counts = faults.counts();
        assert_eq!(usize::try_from(counts.pushes_dropped), Ok(of(PushFault::Drop)));
        assert_eq!((counts.garbage_frames, counts.handshakes_rejected), (1, 0));
    }
}
