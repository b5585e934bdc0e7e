//! Tells a slow client from a rate limit when a push is refused with 429.
//!
//! The Management API answers 429 both when the account's rate limit is reached and when the buffer of one socket is full
//! because its client does not read. A rate limit passes, so the records go back to the stream. A slow client may never
//! recover: a batch that waits for it blocks the whole shard until the stream's retries are exhausted.
//!
//! The two are distinguished by the results of the other sockets and by time. A socket that is known to be slow gets one
//! attempt per push, without retries, until it accepts one.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// A socket that refuses every push for this long counts as slow, whatever the results of the others.
const PATIENCE: Duration = Duration::from_secs(2);
/// Age at which an entry is removed; the socket has usually ended.
const FORGET: Duration = Duration::from_secs(600);
/// Number of entries above which old ones are removed.
const REMEMBERED: usize = 10_000;

/// Sockets that refused pushes, by connection id.
#[derive(Default)]
pub(super) struct Slow(Mutex<HashMap<String, Refusing>>);

struct Refusing {
    since: Instant,
    last: Instant,
    /// The socket is known to be slow.
    known: bool,
}

/// The results of one batch's pushes by socket.
#[derive(Debug, Clone, Copy)]
pub(super) struct Batch {
    /// Sockets that accepted a push.
    pub(super) took: usize,
    /// Sockets, not known to be slow, that refused a push after all retries.
    pub(super) refused: usize,
}

impl Slow {
    /// Whether the socket is known to be slow.
    pub(super) fn is_known(&self, connection_id: &str) -> bool {
        let refusing = self.0.lock();
        !refusing.is_empty() && refusing.get(connection_id).is_some_and(|socket| socket.known)
    }

    /// The socket accepted a push, or has ended.
    pub(super) fn forget(&self, connection_id: &str) {
        let mut refusing = self.0.lock();
        if !refusing.is_empty() {
            refusing.remove(connection_id);
        }
    }

    /// Records a refused push. Returns whether the socket is slow: the push is then dropped, otherwise it goes back to the
    /// stream.
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
        // A rate limit refuses many sockets, and not the same ones for seconds.
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
