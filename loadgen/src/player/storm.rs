//! Makes the weather: orders cuts and malformed messages at their instants, to players drawn by the seed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use scenarios::weather::planned::{Storm, Trouble};
use tokio_util::sync::CancellationToken;

use super::Players;
use super::mood::NOT_SENT;
use super::orders::Order;
use super::play::Play;

/// Makes the weather of a run until it is over, or `stop`.
pub async fn make_weather(play: Arc<Play>, stop: CancellationToken) {
    let weather = &play.plan.weather;
    let storms = weather.storms.iter().enumerate().map(|(index, storm)| rage(&play, index as u64, storm));
    let kinds = weather.malformed.rates.iter().map(|(kind, rate)| send(&play, *kind, *rate));
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
    let worker = play.players.shard().first() << 16;
    SmallRng::seed_from_u64(play.plan.seed ^ 0x7374_6f72_6d00_0000 ^ worker ^ salt)
}

async fn until(play: &Play, offset: Duration) {
    let instant: Instant = play.clock.instant(crate::clock::micros(offset));
    tokio::time::sleep_until(instant.into()).await;
}

/// Cuts a share of the sockets of this process that are open when the storm begins.
async fn rage(play: &Play, index: u64, storm: &Storm) {
    until(play, storm.at).await;
    let mut open = play.players.with_socket();
    open.shuffle(&mut dice(play, index));
    let wanted = (open.len() as f64 * storm.share).round() as usize;
    for (place, player) in open.into_iter().take(wanted).enumerate() {
        if !storm.over.is_zero() {
            until(play, storm.at + storm.over.mul_f64(place as f64 / wanted as f64)).await;
        }
        play.players.order(player, Order::Cut(storm.cut));
    }
}

/// Lets a player of this process send something malformed at each instant of an even rate over the phases.
async fn send(play: &Play, kind: Trouble, rate: f64) {
    let plan = &play.plan;
    let start = plan.stretches.first().map_or(Duration::ZERO, |connect| connect.end);
    let mut dice = dice(play, 0x100 + kind as u64);
    let shard = play.players.shard();
    for index in (shard.first()..).step_by(shard.step() as usize) {
        let at = start + Duration::from_secs_f64((index as f64 + 0.5) / rate);
        if at >= plan.end() {
            return;
        }
        until(play, at).await;
        play.recorder.with(|tally| tally.weather.trouble_mut(kind).made += 1);
        let first = dice.random_range(0..plan.players);
        if !play.players.order_from(first, Order::Send(kind)) {
            play.became(kind, NOT_SENT);
        }
    }
}

impl Players {
    /// The players with an open socket, whatever they do with it.
    fn with_socket(&self) -> Vec<u32> {
        self.own_from(0).filter(|&player| self.has_socket(player)).collect()
    }

    /// Gives an order to the first player from `start` on, round the end, that can take it.
    fn order_from(&self, start: u32, order: Order) -> bool {
        self.own_from(start).any(|player| self.order(player, order))
    }
}
