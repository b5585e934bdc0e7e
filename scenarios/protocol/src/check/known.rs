//! How what is received is known that is neither an answer nor a push, in words.

use crate::keys::protocol::Protocol;
use crate::keys::rule::Rules;
use crate::keys::socket::Step;
use crate::outline::{Known, Reply};

pub(super) fn known(keys: &Protocol) -> Known {
    Known {
        opening: keys.opening.iter().map(step).collect(),
        heartbeat: keys
            .heartbeat
            .as_ref()
            .and_then(|beat| beat.expect.as_ref())
            .map_or_else(String::new, Rules::words),
        replies: keys
            .replies
            .iter()
            .map(|reply| Reply { shape: reply.when.words(), send: reply.send.clone() })
            .collect(),
        errors: keys.errors.iter().map(|error| error.when.words()).collect(),
        ignored: keys.ignore.iter().map(|ignore| ignore.when.words()).collect(),
    }
}

/// What a step awaits.
fn step(step: &Step) -> String {
    let awaited = step.awaited.as_ref().map(Rules::words);
    let failed = step.failed.as_ref().map(|failed| format!("failed where {}", failed.words()));
    awaited.into_iter().chain(failed).collect::<Vec<_>>().join("; ")
}
