//! What is sent for an arrival: a request's text, and the players of whom its push is expected.

use rand::RngExt as _;
use scenarios::plan::operation::Operation;
use scenarios::plan::reference::Reference;

use crate::player::shared::Play;
use crate::player::wire::{self, AckId, Request};
use crate::schedule::{Arrival, choices};

/// The text of a request, and who is to receive a push of it. `None` where no other player has an open socket.
pub(super) fn of(play: &Play, arrival: &Arrival) -> Option<(String, Vec<u32>)> {
    // Connecting and polling are no requests over a socket.
    let operation = wire_request(&play.plan.reference, arrival.operation)?;
    let id = AckId { operation, index: arrival.index };
    match operation {
        Request::SendMessage => message(play, arrival, id),
        Request::PlacementRequest => Some((wire::placement_request(id), Vec::new())),
        Request::UnknownRoute => Some((wire::unknown_route(id), Vec::new())),
    }
}

/// The protocol's request that an operation of the plan is.
pub(super) fn wire_request(reference: &Reference, operation: Operation) -> Option<Request> {
    [Request::SendMessage, Request::PlacementRequest, Request::UnknownRoute]
        .into_iter()
        .find(|request| planned(reference, *request) == Some(operation))
}

/// The plan's operation that a request of the protocol is, if the plan has it.
pub(super) const fn planned(reference: &Reference, request: Request) -> Option<Operation> {
    match request {
        Request::SendMessage => reference.send_message,
        Request::PlacementRequest => reference.placement_request,
        Request::UnknownRoute => reference.unknown_route,
    }
}

/// A message to open players, drawn by the arrival's own choices, and those of whom its push is expected: one that
/// reads slowly or not at all is sent to, but says nothing about the backend.
fn message(play: &Play, arrival: &Arrival, id: AckId) -> Option<(String, Vec<u32>)> {
    let planned = play.plan.operation(arrival.operation);
    let mut choices = choices(play.plan.seed, planned.what, arrival.index);
    let fan_out = choices.random_range(planned.fan_out.clone());
    let mut recipients = play.players.draw_open(&mut choices, fan_out as usize);
    if recipients.is_empty() {
        return None;
    }
    let ids: Vec<_> = recipients.iter().map(|&player| play.plan.player_id(player)).collect();
    let text = play.deliveries.messages.correlation(id.index).text(planned.size as usize);
    recipients.retain(|&player| play.players.reads(player));
    Some((wire::send_message(id, &ids, &text), recipients))
}
