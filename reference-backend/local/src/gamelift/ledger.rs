//! Which placements there are and how they ended: what can be asked for, cancelled, and not be started twice.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;
use reference_backend::ports::StartPlacement;

use super::Outcome;
use super::place::Place;

/// Ended placements that are remembered; older ones are forgotten first, so that a long run does not fill the memory.
const REMEMBERED: usize = 10_000;

/// A placement as it stands.
#[derive(Debug, Clone)]
pub(super) struct Placement {
    pub(super) request: Arc<StartPlacement>,
    pub(super) started: SystemTime,
    /// None while it is pending.
    pub(super) end: Option<End>,
}

/// How a placement ended.
#[derive(Debug, Clone)]
pub(super) struct End {
    pub(super) outcome: Outcome,
    pub(super) at: SystemTime,
    /// What was found, if it was fulfilled.
    pub(super) place: Option<Place>,
}

/// All placements.
#[derive(Default)]
pub(super) struct Ledger(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    known: HashMap<String, Placement>,
    /// Ids of those that have ended, the oldest first.
    ended: VecDeque<String>,
}

impl Ledger {
    /// Enters a new placement, which is then pending; false if its id is known already.
    #[must_use]
    pub(super) fn enter(&self, request: StartPlacement, started: SystemTime) -> bool {
        let mut entries = self.0.lock();
        if entries.known.contains_key(&request.placement_id) {
            return false;
        }
        let id = request.placement_id.clone();
        entries.known.insert(id, Placement { request: Arc::new(request), started, end: None });
        true
    }

    /// What is known of a placement.
    pub(super) fn find(&self, id: &str) -> Option<Placement> {
        self.0.lock().known.get(id).cloned()
    }

    /// Ends a placement, unless it has ended already, and returns it.
    pub(super) fn end(
        &self,
        id: &str,
        outcome: Outcome,
        at: SystemTime,
        place: impl FnOnce(&StartPlacement) -> Option<Place>,
    ) -> Option<Placement> {
        let mut entries = self.0.lock();
        let placement = entries.known.get_mut(id).filter(|placement| placement.end.is_none())?;
        placement.end = Some(End { outcome, at, place: place(&placement.request) });
        let placement = placement.clone();
        entries.ended.push_back(id.to_owned());
        if entries.ended.len() > REMEMBERED
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
        for number in 0..=REMEMBERED {
            let id = number.to_string();
            assert!(ledger.enter(request(&id), now));
            let ended = ledger.end(&id, Outcome::Failed, now, |_| None).unwrap();
            assert_eq!(ended.end.map(|end| end.outcome), Some(Outcome::Failed));
            assert!(ledger.end(&id, Outcome::Cancelled, now, |_| None).is_none());
        }
        assert!(ledger.find("0").is_none() && ledger.find("1").is_some());
        assert!(ledger.find("pending").is_some_and(|placement| placement.end.is_none()));
    }
}
