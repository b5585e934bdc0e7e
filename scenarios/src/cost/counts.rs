//! What happens in a run, planned or recorded: what a bill is made from.

use crate::plan::operation::{Kind, Operation};

/// What happens in a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counts {
    /// Minutes that sockets are open, summed.
    pub connection_minutes: f64,
    /// Message units in both directions: one for every 32 KB begun of a message.
    pub messages: f64,
    /// Requests to the REST API.
    pub rest_requests: f64,
    /// Handshakes begun.
    pub handshakes: f64,
    /// Sockets that were open.
    pub sockets: f64,
    /// Heartbeats that are messages.
    pub heartbeats: f64,
    /// Requests of each operation that is sent or polled; connecting is not looked at.
    pub requests: Vec<(Operation, f64)>,
    /// Pushes of each kind.
    pub pushes: Vec<(Kind, f64)>,
    /// How long it takes, in seconds.
    pub seconds: f64,
    /// Metrics that `GetMetricData` is asked for.
    pub metrics_read: f64,
}

/// What is achieved: what the whole bill is divided by.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Achieved {
    /// Completed requests of the operations that ask for an outcome.
    pub outcomes: Vec<(String, f64)>,
    /// Pushes that reach their players, of all kinds.
    pub deliveries: f64,
}
