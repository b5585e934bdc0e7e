//! What an operation sends, awaits and leads to, in sentences with one message as it might be; and how long messages are.

use protocol::outline::{Audience, Operation, Outline, Push, Tie};
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
    let protocol = plan.protocol.outline();
    let Some(operation) = protocol.operations.get(number) else { return Vec::new() };
    let sends = shown(plan, planned, number).filter(|_| !operation.poll);
    let sends = sends.map(|message| format!("{} sends `{message}`.", planned.name));
    let answer = (!operation.answer.is_empty()).then(|| format!("Its answer: {}.", operation.answer));
    sends.into_iter().chain(answer).chain(leads_to(protocol, operation)).collect()
}

/// The push that an operation leads to, to whom, and how it is known.
fn leads_to(protocol: &Outline, operation: &Operation) -> Option<String> {
    let push = protocol.pushes.get(operation.push?)?;
    let tie = match push.tie {
        Tie::Marker => "by the marker in its text".to_owned(),
        Tie::Kept(number) => {
            let kept = protocol.kept.get(number).map_or("value", String::as_str);
            format!("by the `{kept}` that the answer brought")
        }
        Tie::Player => "by the player that receives it".to_owned(),
    };
    let shape =
        if push.shape.is_empty() { String::new() } else { format!("; it is one where {}", push.shape) };
    Some(format!("It leads to the push {} to {}, matched {tie}{shape}.", push.name, audience(push)))
}

fn audience(push: &Push) -> String {
    let to = match push.to {
        Audience::Sender => return "the sender".into(),
        Audience::Recipients => "those whom it names",
        Audience::Room => "everyone in the room",
        Audience::Everyone => "everyone",
    };
    format!("{to}, the sender {}", if push.sender { "included" } else { "not included" })
}

/// A message of an operation, to be shown; none where a value is missing that only a run has.
fn shown(plan: &Plan, planned: &PlannedOperation, number: usize) -> Option<String> {
    let recipients = (*planned.fan_out.start()).min(SHOWN_RECIPIENTS);
    plan.protocol
        .write(Sending::Operation(number), &example(plan, planned, recipients, SHOWN_TEXT.into()))
        .ok()
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
        parameters: &planned.parameters,
        feeders: &plan.feeders,
    }
}
