//! The tags of the interval log: one spelling for writers and readers.

use std::fmt;

/// Which histogram an interval of `latency.hlog` holds. `Display` gives the tag as written.
///
/// ```
/// use reports::folder::Tag;
/// assert_eq!(Tag::Response("send_message").to_string(), "send_message.response");
/// assert_eq!(Tag::Dispatch.to_string(), "generator.dispatch");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tag<'a> {
    /// Intended instant to answer, of an operation.
    Response(&'a str),
    /// Actual send to answer, of an operation.
    Service(&'a str),
    /// Send to each recipient's push, of a delivery kind.
    Each(&'a str),
    /// Send to the first recipient's push of a fan-out, of a delivery kind.
    First(&'a str),
    /// Send to the last recipient's push of a complete fan-out, of a delivery kind.
    Last(&'a str),
    /// Actual send minus intended instant, of all operations.
    Dispatch,
    /// How long a task that was ready waited for the generator's event loop.
    EventLoopLag,
    /// Loss of a socket to the player's next open one.
    Recovery,
}

impl fmt::Display for Tag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Response(operation) => write!(f, "{operation}.response"),
            Self::Service(operation) => write!(f, "{operation}.service"),
            Self::Each(kind) => write!(f, "{kind}.each"),
            Self::First(kind) => write!(f, "{kind}.first"),
            Self::Last(kind) => write!(f, "{kind}.last"),
            Self::Dispatch => f.write_str("generator.dispatch"),
            Self::EventLoopLag => f.write_str("generator.event_loop_lag"),
            Self::Recovery => f.write_str("reconnects.recovery"),
        }
    }
}
