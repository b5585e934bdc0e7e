//! Pushes of one kind that nothing but the receiving player ties to a send: each belongs to that player's oldest send of
//! which nothing has come.
//!
//! What is lost can therefore be told by number, not by name: the push of a later send counts as that of the lost one.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::correlation::Correlation;
use super::lost::{Lost, Missing};
use super::receipt::Receipt;
use super::requests::Requests;
use super::sent::Sent;
use super::terms::Terms;
use crate::clock::Micros;

/// Parts of the table, so that players do not wait for each other.
const SHARDS: usize = 16;

#[derive(Debug, Default)]
struct PlayerShard {
    requests: HashMap<u32, Requests>,
    due: VecDeque<(Micros, u32)>,
    /// Players that have lost something: what they receive unasked may be that.
    losers: HashSet<u32>,
}

/// Sends of which pushes of one kind are under way.
#[derive(Debug)]
pub struct ByPlayer {
    terms: Terms,
    shards: [Mutex<PlayerShard>; SHARDS],
    outstanding: AtomicU64,
}

impl ByPlayer {
    /// Nothing is under way.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        Self { terms, shards: Default::default(), outstanding: AtomicU64::new(0) }
    }

    /// Pushes still awaited.
    #[must_use]
    pub fn outstanding(&self) -> u64 {
        self.outstanding.load(Ordering::Relaxed)
    }

    /// Expects a push to the sender. Call before the send leaves: a push can be faster than this thread.
    pub fn expect(&self, sent: Sent) {
        self.outstanding.fetch_add(1, Ordering::Relaxed);
        let mut shard = self.shard(sent.sender).lock();
        shard.requests.entry(sent.sender).or_default().expect(sent);
        shard.due.push_back((sent.at.saturating_add(self.terms.patience), sent.sender));
    }

    /// Expects nothing of a send that failed; returns how many pushes are no longer expected.
    pub fn withdraw(&self, player: u32, send: u64) -> u64 {
        let mut shard = self.shard(player).lock();
        let withdrawn = shard.requests.get_mut(&player).is_some_and(|requests| requests.withdraw(send));
        self.outstanding.fetch_sub(u64::from(withdrawn), Ordering::Relaxed);
        u64::from(withdrawn)
    }

    /// Matches a push that a player received at `at`.
    pub fn receive(&self, player: u32, at: Micros) -> Receipt {
        let mut shard = self.shard(player).lock();
        let receipt = shard.requests.get_mut(&player).and_then(|requests| requests.receive(at, &self.terms));
        match receipt {
            Some(receipt) => {
                if matches!(receipt, Receipt::Received { .. }) {
                    self.outstanding.fetch_sub(1, Ordering::Relaxed);
                }
                receipt
            }
            None if shard.losers.contains(&player) => Receipt::TooLate,
            None => Receipt::Unexpected,
        }
    }

    /// Gives up what is due at `now`. What a player misses that was away is not lost, as with
    /// [fan-outs](super::FanOuts::expire).
    pub fn expire(&self, now: Micros, was_away: impl Fn(u32, Micros) -> bool) -> Lost {
        let mut lost = Lost::default();
        for shard in &self.shards {
            let shard = &mut *shard.lock();
            while let Some((_, player)) = shard.due.pop_front_if(|(due, _)| *due <= now) {
                let Some(requests) = shard.requests.get_mut(&player) else { continue };
                requests.expire(now, &self.terms, |sent| {
                    let away = was_away(player, sent.at);
                    lost.add(1, u64::from(away), sent.measured);
                    let what = || format!("{} {}", self.terms.name, Correlation::index_of(sent.send));
                    let missing =
                        || Missing { recipient: player, sender: player, sent: sent.at, what: what() };
                    lost.name((!away).then(missing).into_iter());
                    shard.losers.insert(player);
                });
                if requests.is_empty() {
                    shard.requests.remove(&player);
                }
            }
        }
        self.outstanding.fetch_sub(lost.all(), Ordering::Relaxed);
        lost
    }

    const fn shard(&self, player: u32) -> &Mutex<PlayerShard> {
        &self.shards[player as usize % SHARDS]
    }
}
