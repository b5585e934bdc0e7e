//! What is sent for an arrival: a request's text, and the players of whom its push is expected.

use rand::RngExt as _;
use scenarios::plan::threshold::Operation;

use crate::player::shared::Play;
use crate::player::wire::{self, AckId};
use crate::schedule::{Arrival, choices};

/// The text of a request, and who is to receive a push of it. `None` where no other player has an open socket.
pub(super) fn of(play: &Play, arrival: &Arrival) -> Option<(String, Vec<u32>)> {
    let id = AckId { operation: arrival.operation, index: arrival.index };
    match arrival.operation {
        Operation::SendMessage => message(play, id),
        Operation::PlacementRequest => Some((wire::placement_request(id), Vec::new())),
        Operation::UnknownRoute => Some((wire::unknown_route(id), Vec::new())),
        // These are no requests over a socket.
        Operation::Connect | Operation::PlacementPoll => None,
    }
}

/// A message to open players, drawn by the arrival's own choices, and those of whom its push is expected: one that
/// reads slowly or not at all is sent to, but says nothing about the backend.
fn message(play: &Play, id: AckId) -> Option<(String, Vec<u32>)> {
    let shape = play.plan.message.as_ref()?;
    let mut choices = choices(play.plan.seed, id.operation, id.index);
    let fan_out = choices.random_range(shape.fan_out.clone());
    let mut recipients = play.players.draw_open(&mut choices, fan_out as usize);
    if recipients.is_empty() {
        return None;
    }
    let ids: Vec<_> = recipients.iter().map(|&player| play.plan.player_id(player)).collect();
    let text = play.deliveries.messages.correlation(id.index).text(shape.size as usize);
    recipients.retain(|&player| play.players.reads(player));
    Some((wire::send_message(id, &ids, &text), recipients))
}
