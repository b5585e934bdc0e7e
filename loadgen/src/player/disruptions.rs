//! Makes the disruptions: commands cuts and malformed messages at their instants, to players drawn by the seed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};
use scenarios::plan::disruptions::{ClientFault, Storm};
use tokio_util::sync::CancellationToken;

use super::commands::PlayerCommand;
use super::shared::Play;
use crate::clock::micros;
use crate::record::{Event, classes};

/// Makes the disruptions of a run until it is over, or `stop`.
pub async fn make_disruptions(play: Arc<Play>, stop: CancellationToken) {
    let disruptions = &play.plan.disruptions;
    let storms = disruptions.storms.iter().enumerate();
    let cuts = storms.map(|(index, storm)| cut_share(&play, index as u64, storm));
    let kinds = disruptions.malformed.rates.iter().map(|(fault, rate)| send(&play, *fault, *rate));
    let all = async {
        tokio::join!(futures_util::future::join_all(cuts), futures_util::future::join_all(kinds));
    };
    tokio::select! {
        () = all => {}
        () = stop.cancelled() => {}
    }
}

/// The run is over and every player has left: commands that none has seen come to nothing.
pub fn settle_commands(play: &Play) {
    for player in play.players.own_from(0) {
        settle_command(play, player);
    }
}

/// A command that the player's socket has not seen comes to nothing.
pub(super) fn settle_command(play: &Play, player: u32) {
    if let Some(PlayerCommand::Send(fault)) = play.players.take_command(player) {
        not_sent(play, fault);
    }
}

fn not_sent(play: &Play, fault: ClientFault) {
    play.observer.observe(Event::FaultOutcome { fault, outcome: &classes::UNSENT_NO_OPEN_SOCKET });
}

fn dice(play: &Play, salt: u64) -> SmallRng {
    SmallRng::seed_from_u64(play.plan.seed ^ 0x7374_6f72_6d00_0000 ^ salt)
}

async fn until(play: &Play, offset: Duration) {
    let instant: Instant = play.clock.instant(micros(offset));
    tokio::time::sleep_until(instant.into()).await;
}

/// Cuts a share of the sockets that are open when the storm begins: those of this process among them.
async fn cut_share(play: &Play, index: u64, storm: &Storm) {
    until(play, storm.at).await;
    let victims = play.players.victims(storm.share, &mut dice(play, index));
    let (wanted, shard) = (victims.len() as f64, play.players.shard());
    for (place, player) in victims.into_iter().enumerate().filter(|(_, player)| shard.has((*player).into())) {
        if !storm.over.is_zero() {
            until(play, storm.at + storm.over.mul_f64(place as f64 / wanted)).await;
        }
        play.players.command(player, PlayerCommand::Cut(storm.cut));
    }
}

/// Lets a player of this process send something malformed at each instant of an even rate over the phases.
async fn send(play: &Play, fault: ClientFault, rate: f64) {
    let plan = &play.plan;
    let start = plan.phases.first().map_or(Duration::ZERO, |connect| connect.end);
    let shard = play.players.shard();
    let mut dice = dice(play, (shard.first() << 16) + 0x100 + fault as u64);
    for index in (shard.first()..).step_by(shard.step() as usize) {
        let at = start + Duration::from_secs_f64((index as f64 + 0.5) / rate);
        if at >= plan.end() {
            return;
        }
        until(play, at).await;
        play.observer.observe(Event::FaultMade(fault));
        let first = dice.random_range(0..plan.players);
        if !play.players.command_from(first, PlayerCommand::Send(fault)) {
            not_sent(play, fault);
        }
    }
}
