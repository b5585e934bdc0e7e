//! A stretch of the run.

/// A stretch of time in seconds since the run's start. What happened at an instant within a period lies in the whole
/// period: with points of a minute an onset is known to a minute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Interval {
    /// Its first instant.
    pub(crate) from_s: f64,
    /// Its end, exclusive.
    pub(crate) to_s: f64,
}

impl Interval {
    /// Whether all of it lies before the other.
    pub(crate) fn before(self, other: Self) -> bool {
        self.to_s <= other.from_s
    }
}
