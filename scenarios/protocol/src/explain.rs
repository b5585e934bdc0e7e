//! What a protocol does, in sentences, each message with a sample: what `loadgen protocol` prints, and a part of what is
//! said of a scenario.

use std::time::Duration;

use crate::outline::{Audience, Close, LAST_HOP, Outline, Push, Retry, Split, Tie};
use crate::protocol::{HandshakeParts, Protocol, Sending, Values};
use crate::template::Sample;

/// What happens on every socket, whatever its player does: handshake, frames, opening, heartbeat, replies, errors, close
/// codes.
#[must_use]
pub fn socket(protocol: &dyn Protocol) -> Vec<String> {
    let outline = protocol.outline();
    let values = Sample { kept: &outline.kept, ..Sample::default() };
    let mut lines = handshake(protocol, &values);
    lines.extend(frames(outline));
    lines.extend(opening(protocol, &values));
    lines.extend(heartbeat(protocol, &values));
    let known = &outline.known;
    lines.extend(
        known.replies.iter().map(|reply| {
            format!("A message where {} is answered at once with `{}`.", reply.shape, reply.send)
        }),
    );
    lines.extend(
        known
            .errors
            .iter()
            .map(|shape| format!("A message where {shape} is an error: it fails one open request.")),
    );
    lines.extend(known.ignored.iter().map(|shape| format!("A message where {shape} is of no interest.")));
    lines.extend(closed(outline));
    lines
}

/// What an operation sends, what it awaits, and what is pushed of it. `values` fill the sample of its message.
#[must_use]
pub fn operation(protocol: &dyn Protocol, number: usize, values: &dyn Values) -> Vec<String> {
    let outline = protocol.outline();
    let Some(operation) = outline.operations.get(number) else { return Vec::new() };
    let mut lines = Vec::new();
    if operation.poll {
        lines.push(match operation.answer.as_str() {
            "" => "It is polled over REST.".to_owned(),
            polled => format!("It is polled over REST: {polled}."),
        });
    } else {
        lines.extend(
            protocol
                .write(Sending::Operation(number), values)
                .ok()
                .map(|message| format!("It sends `{message}`.")),
        );
        lines.push(match (operation.answered, operation.answer.as_str()) {
            (false, _) => "Nothing answers it.".to_owned(),
            (true, "") => "It awaits an answer.".to_owned(),
            (true, answer) => format!("It awaits an answer: {answer}."),
        });
    }
    let push = operation.push.and_then(|push| outline.pushes.get(push));
    lines.extend(push.map(|push| pushed(outline, push)));
    lines.extend(push.filter(|_| values.traced()).and_then(hops).map(|hops| format!("Its stamps {hops}.")));
    lines
}

/// The same with the values of a sample, every parameter as the protocol has it; and which parameters there are.
#[must_use]
pub fn sampled(protocol: &dyn Protocol, number: usize) -> Vec<String> {
    let outline = protocol.outline();
    let Some(described) = outline.operations.get(number) else { return Vec::new() };
    let parameters = &described.parameters;
    let values = Sample { kept: &outline.kept, parameters: parameters.clone() };
    let mut lines = operation(protocol, number, &values);
    let push = described.push.and_then(|push| outline.pushes.get(push));
    lines.extend(
        push.and_then(hops).map(|hops| format!("With `trace = true` in the scenario its stamps {hops}.")),
    );
    if !parameters.is_empty() {
        let named = parameters.iter().map(|(name, default)| format!("`{name}` (else {default})"));
        lines.push(format!("A scenario may set {}.", named.collect::<Vec<_>>().join(", ")));
    }
    lines
}

fn handshake(protocol: &dyn Protocol, values: &dyn Values) -> Vec<String> {
    let Ok(HandshakeParts { path, query, headers, subprotocols }) = protocol.handshake(values) else {
        return Vec::new();
    };
    let mut parts = Vec::new();
    parts.extend(path.map(|path| format!("the path {path} instead of the target's")));
    let query: Vec<_> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if !query.is_empty() {
        parts.push(format!("the query {}", query.join("&")));
    }
    // What they say may be a secret of the file's.
    parts.extend(headers.iter().map(|(name, _)| format!("the header {name}")));
    let mut lines = Vec::new();
    if !parts.is_empty() {
        lines.push(format!("The handshake has {}.", list(&parts)));
    }
    if !subprotocols.is_empty() {
        let offered: Vec<_> =
            subprotocols.iter().map(|offered| format!("the subprotocol `{offered}`")).collect();
        lines.push(format!("It offers {}, and the answer must name one that was offered.", list(&offered)));
    }
    lines
}

fn frames(outline: &Outline) -> Vec<String> {
    let frames = &outline.frames;
    let mut lines = Vec::new();
    if frames.binary {
        lines.push("Messages are sent in binary frames.".to_owned());
    }
    if !frames.join.is_empty() {
        lines.push(format!("Each message is sent with {:?} after it.", frames.join));
    }
    match &frames.split {
        Split::Whole => {}
        Split::At(end) => lines.push(format!("A received frame holds several messages, parted by {end:?}.")),
        Split::Array => lines.push("A received frame may be a JSON array of messages.".to_owned()),
    }
    lines
}

fn opening(protocol: &dyn Protocol, values: &dyn Values) -> Vec<String> {
    let outline = protocol.outline();
    let steps = outline.opening.iter().enumerate().map(|(number, step)| {
        let sends = if step.sends { protocol.write(Sending::Step(number), values).ok() } else { None };
        let shape = outline.known.opening.get(number).map_or("", String::as_str);
        let awaits = match (step.awaits, shape) {
            (false, _) => None,
            (true, "") => Some("awaits an answer".to_owned()),
            (true, shape) => Some(format!("awaits a message where {shape}")),
        };
        let settles = (!step.settle.is_zero()).then(|| format!("does nothing for {}", length(step.settle)));
        let parts =
            sends.map(|message| format!("sends `{message}`")).into_iter().chain(awaits).chain(settles);
        let parts: Vec<_> = parts.collect();
        format!("Before a player is ready, step `{}` {}.", step.name, parts.join(", then "))
    });
    steps.collect()
}

fn heartbeat(protocol: &dyn Protocol, values: &dyn Values) -> Vec<String> {
    let outline = protocol.outline();
    let Some(beat) = &outline.heartbeat else { return Vec::new() };
    let message = if beat.sends { protocol.write(Sending::Heartbeat, values).ok() } else { None };
    let message = message.map_or_else(|| "a ping frame".to_owned(), |message| format!("`{message}`"));
    let answer = match (beat.answered, outline.known.heartbeat.as_str()) {
        (false, _) => String::new(),
        (true, "") => ", which is answered".to_owned(),
        (true, shape) => format!(", which is answered by a message where {shape}"),
    };
    let mut lines = vec![format!("Every {} each socket sends {message}{answer}.", length(beat.every))];
    lines.extend(beat.silence.map(|silence| {
        format!("After {} without any frame of the target the socket counts as dead.", length(silence))
    }));
    lines
}

fn pushed(outline: &Outline, push: &Push) -> String {
    let to = match (push.to, push.sender) {
        (Audience::Recipients, false) => "Each player that it names",
        (Audience::Recipients, true) => "Each player that it names, and the sender,",
        (Audience::Room, false) => "Everyone else in the sender's room",
        (Audience::Room, true) => "Everyone in the sender's room",
        (Audience::Everyone, false) => "Everyone else",
        (Audience::Everyone, true) => "Everyone",
        (Audience::Sender, _) => "The sender",
    };
    let tie = match push.tie {
        Tie::Marker => "the marker in its text".to_owned(),
        Tie::Kept(number) => {
            let name = outline.kept.get(number).map_or("", String::as_str);
            format!("the `{name}` that the answer brought")
        }
        Tie::Player => "its player, whose oldest open request it is of".to_owned(),
    };
    let shape =
        if push.shape.is_empty() { String::new() } else { format!(": a message where {}", push.shape) };
    format!("{to} is pushed `{}`, linked to its send by {tie}{shape}.", push.name)
}

/// Into what the stamps of a push split it, if it has any.
fn hops(push: &Push) -> Option<String> {
    let hops = push.stamps.iter().map(|stamp| format!("`{}`", stamp.hop));
    let hops: Vec<_> = hops.chain([format!("`{LAST_HOP}`")]).collect();
    (!push.stamps.is_empty()).then(|| format!("split each `{}` into {}", push.name, list(&hops)))
}

fn closed(outline: &Outline) -> Option<String> {
    let codes = outline.close.iter().map(|(code, Close { class, retry })| {
        let then = match retry {
            Retry::Policy => "",
            Retry::No => " (its player stays away)",
            Retry::AtOnce => " (its player connects again at once)",
        };
        format!("{code} is `{class}`{then}")
    });
    let codes: Vec<_> = codes.collect();
    (!codes.is_empty()).then(|| format!("Of the target's close codes, {}.", list(&codes)))
}

fn list(parts: &[String]) -> String {
    match parts {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        parts => parts.concat(),
    }
}

fn length(length: Duration) -> String {
    humantime::format_duration(length).to_string()
}
