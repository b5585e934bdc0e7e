//! Makes the disruptions: orders cuts and malformed messages at their instants, to players drawn by the seed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use scenarios::disruptions::planned::{ClientFault, Storm};
use tokio_util::sync::CancellationToken;

use super::Players;
use super::behaviour::NOT_SENT;
use super::commands::Order;
use super::shared::Play;

/// Makes the disruptions of a run until it is over, or `stop`.
pub async fn make_disruptions(play: Arc<Play>, stop: CancellationToken) {
    let disruptions = &play.plan.disruptions;
    let storms = disruptions.storms.iter().enumerate().map(|(index, storm)| rage(&play, index as u64, storm));
    let kinds = disruptions.malformed.rates.iter().map(|(kind, rate)| send(&play, *kind, *rate));
    let all = async {
        tokio::join!(futures_util::future::join_all(storms), futures_util::future::join_all(kinds));
    };
    tokio::select! {
        () = all => {}
        () = stop.cancelled() => {}
    }
}

impl Play {
    /// The run is over and every player has left: orders that none has seen come to nothing.
    pub(crate) fn settle_orders(&self) {
        for player in self.players.own_from(0) {
            self.settle_order(player);
        }
    }

    /// An order that the player's socket has not seen comes to nothing.
    pub(super) fn settle_order(&self, player: u32) {
        if let Some(Order::Send(kind)) = self.players.take_order(player) {
            self.became(kind, NOT_SENT);
        }
    }
}

fn dice(play: &Play, salt: u64) -> SmallRng {
    SmallRng::seed_from_u64(play.plan.seed ^ 0x7374_6f72_6d00_0000 ^ salt)
}

async fn until(play: &Play, offset: Duration) {
    let instant: Instant = play.clock.instant(crate::clock::micros(offset));
    tokio::time::sleep_until(instant.into()).await;
}

/// Cuts a share of the sockets that are open when the storm begins: those of this process among them.
async fn rage(play: &Play, index: u64, storm: &Storm) {
    until(play, storm.at).await;
    let struck = play.players.struck(storm.share, &mut dice(play, index));
    let (wanted, shard) = (struck.len() as f64, play.players.shard());
    for (place, player) in struck.into_iter().enumerate().filter(|(_, player)| shard.has((*player).into())) {
        if !storm.over.is_zero() {
            until(play, storm.at + storm.over.mul_f64(place as f64 / wanted)).await;
        }
        play.players.order(player, Order::Cut(storm.cut));
    }
}

/// Lets a player of this process send something malformed at each instant of an even rate over the phases.
async fn send(play: &Play, kind: ClientFault, rate: f64) {
    let plan = &play.plan;
    let start = plan.stretches.first().map_or(Duration::ZERO, |connect| connect.end);
    let shard = play.players.shard();
    let mut dice = dice(play, (shard.first() << 16) + 0x100 + kind as u64);
    for index in (shard.first()..).step_by(shard.step() as usize) {
        let at = start + Duration::from_secs_f64((index as f64 + 0.5) / rate);
        if at >= plan.end() {
            return;
        }
        until(play, at).await;
        play.recorder.with(|tally| tally.disruptions.fault_mut(kind).made += 1);
        let first = dice.random_range(0..plan.players);
        if !play.players.order_from(first, Order::Send(kind)) {
            play.became(kind, NOT_SENT);
        }
    }
}

impl Players {
    /// A share of the players with an open socket, of this process or another, whatever they do with it. Every worker
    /// draws from all, with the same dice, and so comes to the same: a share of each one's own would be rounded in each.
    /// All players are put in order before those that are absent are left out, so that a worker that has not heard
    /// of a change yet draws the others all the same.
    fn struck(&self, share: f64, dice: &mut SmallRng) -> Vec<u32> {
        let mut players: Vec<u32> = (0..self.peers.len() as u32).collect();
        players.shuffle(dice);
        players.retain(|&player| self.has_socket(player));
        players.truncate((players.len() as f64 * share).round() as usize);
        players
    }

    /// Gives an order to the first player from `start` on, round the end, that can take it.
    fn order_from(&self, start: u32, order: Order) -> bool {
        self.own_from(start).any(|player| self.order(player, order))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use scenarios::shard::Shard;

    use super::*;
    use crate::delivery::presence::Change;
    use crate::delivery::presence::Presence;

    proptest! {
        #[test]
        fn workers_cut_together_whom_one_process_would_cut(
            presences in prop::collection::vec(0_u8..4, 1..300), workers in 1_u32..9, share in 0.0..=1.0, seed: u64,
        ) {
            let of = |word| [Presence::Closed, Presence::Open, Presence::Listed, Presence::Busy][usize::from(word)];
            let struck = |shard: Shard| {
                let players = Players::part(presences.len() as u32, shard);
                for (player, presence) in (0_u32..).zip(presences.iter().copied().map(of)) {
                    if shard.has(player.into()) {
                        players.set_presence(player, presence, false, 1);
                    } else {
                        let change = Change { player, presence, was_open: false, own_doing: false, at: 1 };
                        players.set_elsewhere(&change);
                    }
                }
                let struck = players.struck(share, &mut SmallRng::seed_from_u64(seed));
                struck.into_iter().filter(|player| shard.has((*player).into())).collect::<Vec<_>>()
            };
            let mut one = struck(Shard::WHOLE);
            let mut together: Vec<_> =
                (0..workers).flat_map(|worker| struck(Shard::new(worker, workers).unwrap())).collect();
            let open = presences.iter().filter(|presence| of(**presence).is_open()).count();
            prop_assert_eq!(together.len(), (open as f64 * share).round() as usize);
            one.sort_unstable();
            together.sort_unstable();
            prop_assert_eq!(together, one);
        }
    }

    #[test]
    fn a_change_that_has_not_been_heard_of_moves_nobody_else() {
        let players = Players::new(100);
        (0..100).for_each(|player| {
            players.set_presence(player, Presence::Open, false, 1);
        });
        let struck = || players.struck(0.5, &mut SmallRng::seed_from_u64(7));
        let before = struck();
        players.set_presence(before[10], Presence::Closed, false, 2);
        let after = struck();
        let others = before.iter().filter(|player| after.contains(player)).count();
        assert_eq!((before.len(), after.len(), others), (50, 50, 49));
    }
}
