//! The placements of the queue and their outcomes: they can be described, cancelled, and not started twice.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use reference_backend::ports::StartPlacement;

use super::Outcome;
use super::game_session::GameSession;
use super::meter::Queue;

/// Number of ended placements that are retained. The oldest are removed first, so that a long run does not fill the memory.
const RETAINED: usize = 10_000;

/// The state of a placement.
#[derive(Debug, Clone)]
pub(super) struct TrackedPlacement {
    pub(super) request: Arc<StartPlacement>,
    pub(super) started: SystemTime,
    /// None while it is pending.
    pub(super) end: Option<PlacementEnd>,
}

/// How a placement ended.
#[derive(Debug, Clone)]
pub(super) struct PlacementEnd {
    pub(super) outcome: Outcome,
    pub(super) at: SystemTime,
    /// The game session of a fulfilled placement.
    pub(super) game_session: Option<GameSession>,
}

/// All placements.
#[derive(Default)]
pub(super) struct Ledger(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    known: HashMap<String, TrackedPlacement>,
    /// Ids of those that have ended, the oldest first.
    ended: VecDeque<String>,
    /// How many are pending ...
    pending: u32,
    /// ... and the sum of their starts, each since the epoch.
    starts: Duration,
}

fn since_epoch(at: SystemTime) -> Duration {
    at.duration_since(UNIX_EPOCH).unwrap_or_default()
}

impl Ledger {
    /// Adds a pending placement; false if its id exists.
    #[must_use]
    pub(super) fn enter(&self, request: StartPlacement, started: SystemTime) -> bool {
        let mut entries = self.0.lock();
        if entries.known.contains_key(&request.placement_id) {
            return false;
        }
        let id = request.placement_id.clone();
        entries.pending += 1;
        entries.starts += since_epoch(started);
        entries.known.insert(id, TrackedPlacement { request: Arc::new(request), started, end: None });
        true
    }

    /// The pending placements.
    pub(super) fn queue(&self, now: SystemTime) -> Queue {
        let entries = self.0.lock();
        let waited = (since_epoch(now) * entries.pending).saturating_sub(entries.starts);
        Queue { depth: entries.pending.into(), waited }
    }

    /// The state of a placement.
    pub(super) fn find(&self, id: &str) -> Option<TrackedPlacement> {
        self.0.lock().known.get(id).cloned()
    }

    /// Ends a placement, unless it has ended already, and returns it.
    pub(super) fn end(
        &self,
        id: &str,
        outcome: Outcome,
        at: SystemTime,
        game_session: impl FnOnce(&StartPlacement) -> Option<GameSession>,
    ) -> Option<TrackedPlacement> {
        let mut entries = self.0.lock();
        let placement = entries.known.get_mut(id).filter(|placement| placement.end.is_none())?;
        placement.end = Some(PlacementEnd { outcome, at, game_session: game_session(&placement.request) });
        let placement = placement.clone();
        entries.pending -= 1;
        entries.starts -= since_epoch(placement.started);
        entries.ended.push_back(id.to_owned());
        if entries.ended.len() > RETAINED
            && let Some(oldest) = entries.ended.pop_front()
        {
            entries.known.remove(&oldest);
        }
        Some(placement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(id: &str) -> StartPlacement {
        StartPlacement { placement_id: id.into(), ..StartPlacement::default() }
    }

    #[test]
    fn a_placement_ends_once_and_the_oldest_end_is_forgotten() {
        let (ledger, now) = (Ledger::default(), SystemTime::now());
        assert!(ledger.enter(request("pending"), now) && !ledger.enter(request("pending"), now));
        for number in 0..=RETAINED {
            let id = number.to_string();
            assert!(ledger.enter(request(&id), now));
            let ended = ledger.end(&id, Outcome::Failed, now, |_| None).unwrap();
            assert_eq!(ended.end.map(|end| end.outcome), Some(Outcome::Failed));
            assert!(ledger.end(&id, Outcome::Cancelled, now, |_| None).is_none());
        }
        let queue = ledger.queue(now + Duration::from_secs(3));
        assert_eq!(queue, Queue { depth: 1, waited: Duration::from_secs(3) });
        assert!(ledger.find("0").is_none() && ledger.find("1").is_some());
        assert!(ledger.find("pending").is_some_and(|placement| placement.end.is_none()));
    }
}
