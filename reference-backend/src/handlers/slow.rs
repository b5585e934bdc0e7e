//! Whose fault a 429 is.
//!
//! The Management API says 429 both when the account's rate is used up and when the buffer of one socket is full, because
//! its player does not read. The first passes, and the records go back to the stream. The second may never pass: a batch
//! that waited for that one player would keep everybody else of its shard waiting, for as long as the stream tries.
//!
//! So the two are told apart by what becomes of the other sockets, and by time; and a socket that is known to be slow is
//! tried once for each push and not waited for, until it takes one.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// So long a socket may refuse everything before it is its own fault, whatever becomes of the others.
const PATIENCE: Duration = Duration::from_secs(2);
/// A socket that has not been tried for so long is forgotten; it has mostly ended.
const FORGET: Duration = Duration::from_secs(600);
/// Sockets remembered at most before those that are to be forgotten are looked for.
const REMEMBERED: usize = 10_000;

/// Sockets that have refused their pushes, by connection id.
#[derive(Default)]
pub(super) struct Slow(Mutex<HashMap<String, Refusing>>);

struct Refusing {
    since: Instant,
    last: Instant,
    /// It has been found to be the socket's own fault.
    known: bool,
}

/// What the pushes of one batch came to, socket by socket.
#[derive(Debug, Clone, Copy)]
pub(super) struct Batch {
    /// Sockets that took something.
    pub(super) took: usize,
    /// Sockets, not known to be slow, that refused something to the end.
    pub(super) refused: usize,
}

impl Slow {
    /// Whether it is not worth waiting for this socket.
    pub(super) fn is_known(&self, connection_id: &str) -> bool {
        let refusing = self.0.lock();
        !refusing.is_empty() && refusing.get(connection_id).is_some_and(|socket| socket.known)
    }

    /// The socket has taken a push, or has ended.
    pub(super) fn forget(&self, connection_id: &str) {
        let mut refusing = self.0.lock();
        if !refusing.is_empty() {
            refusing.remove(connection_id);
        }
    }

    /// A socket has refused a push for as long as a batch may wait. Whether that is its own fault: the push is then
    /// given up; otherwise it goes back to the stream.
    pub(super) fn is_to_blame(&self, connection_id: &str, batch: Batch) -> bool {
        let now = Instant::now();
        let mut refusing = self.0.lock();
        if refusing.len() >= REMEMBERED {
            refusing.retain(|_, socket| now - socket.last < FORGET);
        }
        let socket = refusing.entry(connection_id.to_owned()).or_insert(Refusing {
            since: now,
            last: now,
            known: false,
        });
        socket.last = now;
        // A rate that is used up refuses many sockets, and not the same ones for seconds.
        let only_few = batch.refused <= 1.max(batch.took / 10) && batch.took > 0;
        if !socket.known && (only_few || now - socket.since >= PATIENCE) {
            socket.known = true;
            tracing::warn!(
                connection_id,
                "this player does not read; pushes to it are given up until it takes one again"
            );
        }
        socket.known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Batch = Batch { took: 0, refused: 3 };

    #[tokio::test(start_paused = true)]
    async fn one_of_many_is_slow_and_many_are_throttled() {
        let slow = Slow::default();
        assert!(slow.is_to_blame("one", Batch { took: 1, refused: 1 }));
        assert!(slow.is_known("one"));
        assert!(slow.is_to_blame("one", ALL), "until it takes something");
        slow.forget("one");
        assert!(!slow.is_known("one"));
        for batch in [ALL, Batch { took: 0, refused: 1 }, Batch { took: 19, refused: 2 }] {
            assert!(!slow.is_to_blame("many", batch), "{batch:?}");
        }
        assert!(!slow.is_known("many"));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_waited_for_for_ever() {
        let slow = Slow::default();
        assert!(!slow.is_to_blame("alone", ALL));
        tokio::time::advance(PATIENCE).await;
        assert!(slow.is_to_blame("alone", ALL));
    }
}
