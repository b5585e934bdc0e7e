//! What an operation sends, awaits and leads to, in sentences with one message as it might be; and how long messages are.

use protocol::protocol::Sending;

use crate::plan::example::Example;
use crate::plan::operation::What;
use crate::plan::{Plan, PlannedOperation};

/// Players that a message is shown with, at most.
const SHOWN_RECIPIENTS: u32 = 2;
/// The text that a message is shown with.
const SHOWN_TEXT: &str = "lg1:…";

/// What an operation sends, how its answer is known, and the push that it leads to; nothing of what is not the protocol's.
pub(super) fn sentences(plan: &Plan, planned: &PlannedOperation) -> Vec<String> {
    let (What::Request(number) | What::Poll(number)) = planned.what else { return Vec::new() };
    let recipients = (*planned.fan_out.start()).min(SHOWN_RECIPIENTS);
    let values = example(plan, planned, recipients, SHOWN_TEXT.into());
    protocol::explain::operation(&*plan.protocol, number, &values)
}

/// Bytes of an operation's message, on average.
pub(super) fn mean_bytes(plan: &Plan, planned: &PlannedOperation, number: usize) -> f64 {
    let bytes = |recipients: u32| {
        let values = example(plan, planned, recipients, "x".repeat(planned.size as usize));
        plan.protocol.write(Sending::Operation(number), &values).map_or(0, |message| message.len()) as f64
    };
    // Each recipient adds as much as any other.
    f64::midpoint(bytes(*planned.fan_out.start()), bytes(*planned.fan_out.end()))
}

/// Bytes of a heartbeat's message.
pub(super) fn heartbeat_bytes(plan: &Plan) -> f64 {
    if let Some(message) = plan.way.heartbeat.as_ref().and_then(|beat| beat.message.as_ref()) {
        return message.len() as f64;
    }
    let connect = &plan.operations[0];
    let values = example(plan, connect, 0, String::new());
    plan.protocol.write(Sending::Heartbeat, &values).map_or(0, |message| message.len()) as f64
}

fn example<'p>(plan: &'p Plan, planned: &'p PlannedOperation, recipients: u32, text: String) -> Example<'p> {
    // The last players' numbers have the most digits.
    let player = |back: u32| plan.player_id(plan.players.saturating_sub(1 + back));
    Example {
        player: player(0),
        room: plan.rooms.name(plan.rooms.count().saturating_sub(1)),
        recipients: (1..=recipients).map(player).collect(),
        text,
        traced: plan.trace,
        parameters: &planned.parameters,
        feeders: &plan.feeders,
    }
}
