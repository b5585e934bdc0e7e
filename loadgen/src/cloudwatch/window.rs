//! The stretch of time that is fetched.

use jiff::Timestamp;

/// The run's window.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// The run's start: zero of its axis.
    pub start: Timestamp,
    /// The run's end.
    pub end: Timestamp,
    /// The last second of the axis in which a player was answered, so that a function ran.
    pub answered_s: Option<u64>,
}
