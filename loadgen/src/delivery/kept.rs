//! Pushes of one kind, tied to their requests by a value that the answer names.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::lost::{Lost, Missing};
use super::receipt::{Receipt, ReceivedPush};
use super::requests::Requests;
use super::sent::Sent;
use super::terms::Terms;
use crate::clock::Micros;

/// A push whose value no answer to its player has named yet.
#[derive(Debug)]
struct EarlyPush {
    value: Box<str>,
    push: ReceivedPush,
}

#[derive(Debug, Default)]
struct KeptTable {
    /// Requests by value and player: several players may be given the same, as the lobby that they are brought to.
    requests: HashMap<Box<str>, HashMap<u32, Requests>>,
    due: VecDeque<(Micros, Box<str>, u32)>,
    /// Pushes that arrived before the answer, by player: every copy.
    early: HashMap<u32, Vec<EarlyPush>>,
    /// Players that have such pushes, by age, to give them up as unexpected.
    early_due: VecDeque<(Micros, u32)>,
    /// Values that are polled: their pushes come all the same, and are not awaited.
    aside: HashSet<Box<str>>,
}

/// Requests of which pushes of one kind are under way.
#[derive(Debug)]
pub struct Kept {
    terms: Terms,
    table: Mutex<KeptTable>,
    outstanding: AtomicU64,
}

impl Kept {
    /// Nothing is under way.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        Self { terms, table: Mutex::default(), outstanding: AtomicU64::new(0) }
    }

    /// Pushes still awaited.
    #[must_use]
    pub fn outstanding(&self) -> u64 {
        self.outstanding.load(Ordering::Relaxed)
    }

    /// Expects the push of a request whose answer has just named the value; returns those that were faster than the
    /// answer, with their receipts.
    pub fn expect(&self, value: &str, sent: Sent) -> Vec<(ReceivedPush, Receipt)> {
        self.outstanding.fetch_add(1, Ordering::Relaxed);
        let early = {
            let mut table = self.table.lock();
            let players = table.requests.entry(value.into()).or_default();
            players.entry(sent.sender).or_default().expect(sent);
            table.due.push_back((sent.at.saturating_add(self.terms.patience), value.into(), sent.sender));
            // What came before the request was sent is not its push.
            table.take_early(sent.sender, |early| *early.value == *value && early.push.at >= sent.at)
        };
        let receive = |EarlyPush { push, .. }| self.receive(value, &push).map(|receipt| (push, receipt));
        early.into_iter().filter_map(receive).collect()
    }

    /// Expects nothing of a value's pushes: the player asks for them instead.
    pub fn set_aside(&self, value: &str) {
        let mut table = self.table.lock();
        // What is aside never is early again.
        if table.aside.insert(value.into()) {
            table.early.values_mut().for_each(|early| early.retain(|early| *early.value != *value));
        }
    }

    /// Matches a push; `None` while its answer has not come yet.
    pub fn receive(&self, value: &str, push: &ReceivedPush) -> Option<Receipt> {
        let ReceivedPush { player, at, .. } = *push;
        let mut table = self.table.lock();
        if table.aside.contains(value) {
            return Some(Receipt::Aside);
        }
        let requests = table.requests.get_mut(value).and_then(|players| players.get_mut(&player));
        let Some(requests) = requests else {
            table
                .early
                .entry(player)
                .or_default()
                .push(EarlyPush { value: value.into(), push: push.clone() });
            table.early_due.push_back((at.saturating_add(self.terms.patience), player));
            return None;
        };
        let receipt = requests.receive(at, &self.terms).unwrap_or(Receipt::TooLate);
        if matches!(receipt, Receipt::Received { .. }) {
            self.outstanding.fetch_sub(1, Ordering::Relaxed);
        }
        Some(receipt)
    }

    /// Gives up what is due at `now`; also returns the pushes that turned out to belong to no request. What a player
    /// misses that was away is not lost, as with [fan-outs](super::FanOuts::expire).
    pub fn expire(&self, now: Micros, was_away: impl Fn(u32, Micros) -> bool) -> (Lost, Vec<ReceivedPush>) {
        let mut lost = Lost::default();
        let mut unexpected = Vec::new();
        let mut table = self.table.lock();
        while let Some((_, value, player)) = table.due.pop_front_if(|(due, ..)| *due <= now) {
            let Some(players) = table.requests.get_mut(&value) else { continue };
            if let Some(requests) = players.get_mut(&player) {
                requests.expire(now, &self.terms, |sent| {
                    let away = was_away(player, sent.at);
                    lost.add(1, u64::from(away), sent.measured);
                    let what = || format!("{} {value}", self.terms.name);
                    let missing =
                        || Missing { recipient: player, sender: player, sent: sent.at, what: what() };
                    lost.name((!away).then(missing).into_iter());
                });
                if requests.is_empty() {
                    players.remove(&player);
                }
            }
            if players.is_empty() {
                table.requests.remove(&value);
            }
        }
        while let Some((_, player)) = table.early_due.pop_front_if(|(due, _)| *due <= now) {
            let over = table.take_early(player, |early| self.terms.is_over(early.push.at, now));
            unexpected.extend(over.into_iter().map(|early| early.push));
        }
        self.outstanding.fetch_sub(lost.all(), Ordering::Relaxed);
        (lost, unexpected)
    }

    /// Pushes of which it is known, although their grace is not over, that they belong to no request of their player: the
    /// value is another's.
    pub(super) fn misdirected(&self) -> Vec<ReceivedPush> {
        let mut table = self.table.lock();
        let KeptTable { early, requests, .. } = &mut *table;
        let known = |early: &mut EarlyPush| requests.contains_key(&early.value);
        early.values_mut().flat_map(|early| early.extract_if(.., known)).map(|early| early.push).collect()
    }
}

impl KeptTable {
    /// Takes a player's early pushes of which something holds.
    fn take_early(&mut self, player: u32, holds: impl Fn(&EarlyPush) -> bool) -> Vec<EarlyPush> {
        let Some(early) = self.early.get_mut(&player) else { return Vec::new() };
        let taken = early.extract_if(.., |early| holds(early)).collect();
        if early.is_empty() {
            self.early.remove(&player);
        }
        taken
    }
}
