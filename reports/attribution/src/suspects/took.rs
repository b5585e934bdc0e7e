//! How long a function took, whichever way that is known: by the stamps of traced runs or by metrics.

use crate::compare::{Change, Compared};
use crate::observed::Points;

/// How long a function took, and records waited for it, in milliseconds.
pub(super) struct Took {
    /// Its own time.
    pub(super) change: Change,
    /// By period.
    pub(super) means: Points,
    /// Which series that is.
    pub(super) series: String,
    /// How much longer records waited for the batch before theirs; 0 where that is not known.
    pub(super) waited: f64,
    /// The times that were compared.
    pub(super) compared: Compared,
}

impl Took {
    /// By how much the players' time rose because of it.
    pub(super) fn rise(&self) -> f64 {
        self.change.rise() + self.waited
    }

    /// The rise of the wait before a function that is its own doing: a record waits for no more than the batch before it on its lane, so
    /// that the wait rises by no more than the function's own time. What rises beyond that is a backlog.
    pub(super) fn waits(own: Change, wait: Change) -> f64 {
        if own.shown && wait.shown { wait.rise().clamp(0.0, own.rise().max(0.0)) } else { 0.0 }
    }
}
