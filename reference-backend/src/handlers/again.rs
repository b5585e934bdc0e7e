//! Idempotent requests: a repeated request writes the same messages.
//!
//! A message's id is derived from its request, so writing it again changes nothing. This covers a handler that runs twice
//! for one request, and a client that repeats a request which failed after a part of it was written.
//!
//! The second case must be detected, because the gateway gives each frame a new request id, and the client's `id` alone is
//! not enough: many clients always send the same one. So a *failed* request is remembered by sender, `id` and text, and
//! the next equal request gets its identity. Other execution environments do not share this memory.

use std::collections::VecDeque;

use aws_lc_rs::digest::{Context, SHA256};
use parking_lot::Mutex;
use uuid::Builder;

/// Maximum number of failed requests; the oldest are removed first.
const REMEMBERED: usize = 1_024;

type Hash = [u8; 16];

/// Failed requests that may be repeated, each with its identity.
#[derive(Default)]
pub(super) struct Failed(Mutex<VecDeque<(Hash, Identity)>>);

/// The identity of a request, from which the ids of its messages are derived.
type Identity = Hash;

/// A request in progress. If it is dropped before [`done`](Self::done), it has failed: also when it is cancelled.
pub(super) struct Attempt<'a> {
    failed: &'a Failed,
    /// Sender, id and text; none if the client gave no id.
    repeatable: Option<[&'a str; 3]>,
    identity: Identity,
    done: bool,
}

impl Failed {
    /// Begins a request with the identity of an equal failed one, else with the gateway's request id.
    pub(super) fn attempt<'a>(
        &'a self,
        sender: &'a str,
        client_id: Option<&'a str>,
        text: &'a str,
        gateway_id: Option<&str>,
    ) -> Attempt<'a> {
        let repeatable = client_id.map(|id| [sender, id, text]);
        let own = || gateway_id.map_or_else(rand::random, |id| hash(&[sender, id, text]));
        let identity = repeatable.and_then(|parts| self.take(&parts)).unwrap_or_else(own);
        Attempt { failed: self, repeatable, identity, done: false }
    }

    fn take(&self, request: &[&str; 3]) -> Option<Identity> {
        let mut failed = self.0.lock();
        if failed.is_empty() {
            return None;
        }
        let wanted = hash(request);
        let place = failed.iter().position(|(request, _)| *request == wanted)?;
        failed.remove(place).map(|(_, identity)| identity)
    }
}

impl Attempt<'_> {
    /// The id of the message to one recipient, a UUID.
    pub(super) fn message_id(&self, recipient: &str) -> String {
        let mut parts = Context::new(&SHA256);
        parts.update(&self.identity);
        parts.update(recipient.as_bytes());
        Builder::from_custom_bytes(short(parts)).into_uuid().to_string()
    }

    /// Marks the request as successful.
    pub(super) fn done(mut self) {
        self.done = true;
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let Some(request) = self.repeatable.filter(|_| !self.done) else { return };
        let mut failed = self.failed.0.lock();
        if failed.len() == REMEMBERED {
            failed.pop_front();
        }
        failed.push_back((hash(&request), self.identity));
    }
}

fn hash(parts: &[&str]) -> Hash {
    let mut all = Context::new(&SHA256);
    for part in parts {
        // With its length, so that no two lists of parts look the same.
        all.update(&part.len().to_be_bytes());
        all.update(part.as_bytes());
    }
    short(all)
}

fn short(parts: Context) -> Hash {
    let mut short = Hash::default();
    short.copy_from_slice(&parts.finish().as_ref()[..16]);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_failed_lends_its_identity() {
        let failed = Failed::default();
        let begin = |id, gateway| failed.attempt("ann", id, "hi", Some(gateway));
        let first = begin(Some("1"), "g1");
        let id = first.message_id("bob");
        assert_ne!(id, first.message_id("eve"));
        assert_eq!(id, begin(None, "g1").message_id("bob"), "a handler that runs twice for one request");
        // The same frame while the first is under way is one of its own.
        let second = begin(Some("1"), "g2");
        assert_ne!(second.message_id("bob"), id);
        second.done();
        drop(first);
        let other = begin(Some("2"), "g3");
        assert_ne!(other.message_id("bob"), id);
        other.done();
        let again = begin(Some("1"), "g4");
        assert_eq!(again.message_id("bob"), id);
        again.done();
        assert_ne!(begin(Some("1"), "g5").message_id("bob"), id, "it has been done by now");
        let ids: Vec<String> = (0..2 * REMEMBERED).map(|number| number.to_string()).collect();
        for id in &ids {
            drop(begin(Some(id), "g"));
        }
        assert_eq!(failed.0.lock().len(), REMEMBERED);
    }
}
