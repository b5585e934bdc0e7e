//! What a received push turned out to be.

use scenarios::plan::ledger::Ledger;

use crate::clock::Micros;

/// What a received push turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// The first copy.
    Received {
        /// Microseconds since the send.
        latency: Micros,
        /// Where this completes the fan-out: the latencies of its first and its last receipt.
        complete: Option<(Micros, Micros)>,
        /// A later send of the same sender was received before.
        out_of_order: bool,
        /// It came after its time-out, within the grace.
        late: bool,
        /// Where the send is booked.
        measured: Ledger,
    },
    /// A further copy.
    Duplicate {
        /// Where the send is booked.
        measured: Ledger,
    },
    /// Of this run, but after its grace: already counted as lost.
    TooLate,
    /// Nothing sent in this run accounts for it.
    Unexpected,
    /// Of a placement that its player polls.
    Aside,
}
