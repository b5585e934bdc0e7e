//! What a process learns of other workers: which of their players are connected, and which pushes of its sends they received.

use super::shared::Play;
use crate::delivery::ReceivedPush;
use crate::delivery::relay::{ForwardedReceipt, PeerUpdate};
use crate::record::Event;

/// Takes over what another worker sent.
pub(crate) fn apply(play: &Play, update: &PeerUpdate) {
    let Some(relay) = play.deliveries.relay() else { return };
    update.changes.iter().for_each(|change| play.players.set_elsewhere(change));
    update.receipts.iter().for_each(|receipt| received_elsewhere(play, receipt));
    // Last: what is due until then may now be given up.
    relay.received(update.from, update.until);
}

/// Nothing more comes from another worker: its players are gone.
pub(crate) fn lost(play: &Play, worker: u32) {
    play.players.forget(worker);
    if let Some(relay) = play.deliveries.relay() {
        relay.received(worker, u64::MAX);
    }
}

fn received_elsewhere(play: &Play, receipt: &ForwardedReceipt) {
    let lag = play.clock.now().saturating_sub(receipt.at);
    play.observer.observe(Event::ReceiptForwarded { lag });
    if let Some((kind, matched)) = play.deliveries.received_elsewhere(receipt) {
        let ForwardedReceipt { recipient: player, at, failed, stamps, .. } = receipt.clone();
        play.pushed(kind, &ReceivedPush { player, at, failed, stamps }, matched);
    }
}
