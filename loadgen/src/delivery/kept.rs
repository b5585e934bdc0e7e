//! Placements under way: matched by the id that the request's answer names.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use scenarios::plan::ledger::Ledger;

use super::lost::{Lost, Missing};
use super::receipt::Receipt;
use crate::clock::Micros;

/// A placement whose push is expected, or has come.
#[derive(Debug, Clone, Copy)]
struct ExpectedPlacement {
    player: u32,
    sent: Micros,
    measured: Ledger,
    received: bool,
}

/// A placement's push, as a player received it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacementPush {
    /// Who received it.
    pub player: u32,
    /// When.
    pub at: Micros,
    /// How the placement ended, in the backend's word.
    pub status: String,
}

#[derive(Debug, Default)]
struct PlacementTable {
    expected: HashMap<String, ExpectedPlacement>,
    due: VecDeque<(Micros, String)>,
    /// Pushes that arrived before the answer: every copy.
    early: HashMap<String, Vec<PlacementPush>>,
    /// Placements that are polled: their pushes come all the same, and are not awaited.
    aside: HashSet<String>,
    /// Such pushes by age, to be given up as unexpected.
    early_due: VecDeque<(Micros, String)>,
}

/// Placements under way.
#[derive(Debug)]
pub struct Placements {
    timeout: Micros,
    /// Time-out and grace together.
    patience: Micros,
    table: Mutex<PlacementTable>,
    outstanding: AtomicU64,
}

impl Placements {
    /// Matching for one run; a push is late `timeout` after its request, and lost `grace` after that.
    #[must_use]
    pub fn new(timeout: Micros, grace: Micros) -> Self {
        Self { timeout, patience: timeout + grace, table: Mutex::default(), outstanding: AtomicU64::new(0) }
    }

    /// Pushes still awaited.
    #[must_use]
    pub fn outstanding(&self) -> u64 {
        self.outstanding.load(Ordering::Relaxed)
    }

    /// Expects the push of a placement that the backend has just named; returns those that were faster than the
    /// answer, with their receipts.
    pub fn expect(
        &self,
        id: &str,
        player: u32,
        sent: Micros,
        measured: Ledger,
    ) -> Vec<(PlacementPush, Receipt)> {
        self.outstanding.fetch_add(1, Ordering::Relaxed);
        let early = {
            let mut table = self.table.lock();
            table.expected.insert(id.into(), ExpectedPlacement { player, sent, measured, received: false });
            table.due.push_back((sent + self.patience, id.into()));
            table.early.remove(id).unwrap_or_default()
        };
        let receive = |push: PlacementPush| self.receive(id, &push).map(|receipt| (push, receipt));
        early.into_iter().filter_map(receive).collect()
    }

    /// Expects nothing of a placement's push: its player asks for it instead.
    pub fn set_aside(&self, id: &str) {
        let mut table = self.table.lock();
        table.early.remove(id);
        table.aside.insert(id.into());
    }

    /// Matches a push; `None` while its answer has not come yet.
    pub fn receive(&self, id: &str, push: &PlacementPush) -> Option<Receipt> {
        let PlacementPush { player, at, .. } = *push;
        let mut table = self.table.lock();
        if table.aside.contains(id) {
            return Some(Receipt::Aside);
        }
        let Some(expected) = table.expected.get_mut(id) else {
            table.early.entry(id.into()).or_default().push(push.clone());
            table.early_due.push_back((at + self.patience, id.into()));
            return None;
        };
        if expected.player != player {
            return Some(Receipt::Unexpected);
        }
        if at >= expected.sent + self.patience {
            return Some(Receipt::TooLate);
        }
        if std::mem::replace(&mut expected.received, true) {
            return Some(Receipt::Duplicate { measured: expected.measured });
        }
        self.outstanding.fetch_sub(1, Ordering::Relaxed);
        let latency = at.saturating_sub(expected.sent);
        Some(Receipt::Received {
            latency,
            complete: Some((latency, latency)),
            out_of_order: false,
            late: at >= expected.sent + self.timeout,
            measured: expected.measured,
        })
    }

    /// Gives up what is due at `now`; also returns the pushes that turned out to belong to no request.
    pub fn expire(&self, now: Micros) -> (Lost, Vec<PlacementPush>) {
        self.expire_except_away(now, |_, _| false)
    }

    /// [`expire`](Self::expire), but what a player misses that was away is not lost, as with
    /// [messages](super::Messages::expire_except_away).
    pub fn expire_except_away(
        &self,
        now: Micros,
        was_away: impl Fn(u32, Micros) -> bool,
    ) -> (Lost, Vec<PlacementPush>) {
        let mut lost = Lost::default();
        let mut unexpected = Vec::new();
        let mut table = self.table.lock();
        while let Some((_, id)) = table.due.pop_front_if(|(due, _)| *due <= now) {
            if let Some(expected) = table.expected.remove(&id).filter(|expected| !expected.received) {
                let ExpectedPlacement { player, sent, .. } = expected;
                let away = was_away(player, sent);
                lost.add(1, u64::from(away), expected.measured);
                let missing =
                    Missing { recipient: player, sender: player, sent, what: format!("placement {id}") };
                lost.name((!away).then_some(missing).into_iter());
            }
        }
        while let Some((_, id)) = table.early_due.pop_front_if(|(due, _)| *due <= now) {
            unexpected.extend(table.early.remove(&id).into_iter().flatten());
        }
        self.outstanding.fetch_sub(lost.all(), Ordering::Relaxed);
        (lost, unexpected)
    }
}
