//! Counts and times of operations, deliveries and sockets.

use std::sync::LazyLock;

use scenarios::plan::operation::{Kind, Operation};
use serde::{Deserialize, Serialize};

use super::class_counts::Classes;
use super::hops::HopsTally;
use super::latencies::Latencies;
use super::tally::{Tally, tally};

tally! {
    /// One operation's counts and times.
    OperationTally {
        /// Arrivals that the plan called for.
        offered: u64,
        /// Arrivals that left.
        sent: u64,
        /// Arrivals that could not be sent.
        unsent: u64,
        /// Answered as expected.
        completed: u64,
        /// Answered wrongly, or the socket broke.
        failed: u64,
        /// Not answered in time.
        timed_out: u64,
        /// Journeys that the run's end cut short; in no other count.
        unfinished: u64,
        /// Failures, time-outs and unsent arrivals by class.
        errors: Classes,
        /// From the intended instant to the answer.
        response: Latencies,
        /// From the actual send to the answer.
        service: Latencies,
    }
}

tally! {
    /// One delivery kind's counts and times.
    DeliveryTally {
        /// Pushes called for by sends.
        expected: u64,
        /// Of these, called off again because the send failed.
        withdrawn: u64,
        /// Of these, not received because the recipient was away by its own doing.
        away: u64,
        /// First copies received in time.
        received: u64,
        /// First copies received after the time-out, within the grace.
        late: u64,
        /// Not received at all.
        lost: u64,
        /// Of the lost ones, received all the same, after the grace.
        too_late: u64,
        /// Further copies.
        duplicated: u64,
        /// Received after a later one of the same sender.
        out_of_order: u64,
        /// Called for by nothing.
        unexpected: u64,
        /// From the send to each recipient.
        each: Latencies,
        /// From the send to the first recipient.
        first: Latencies,
        /// From the send to the last recipient.
        last: Latencies,
        /// In traced runs: what came before, split into hops.
        hops: Option<Box<HopsTally>>,
    }
}

impl DeliveryTally {
    /// Whether anything was counted.
    #[must_use]
    pub const fn seen(&self) -> bool {
        let fates = self.received + self.late + self.lost + self.away + self.withdrawn;
        self.expected + fates + self.duplicated + self.unexpected + self.too_late > 0
    }

    /// Pushes still called for: neither called off, nor missed by a recipient that was away.
    #[must_use]
    pub const fn due(&self) -> u64 {
        self.expected.saturating_sub(self.withdrawn + self.away)
    }
}

tally! {
    /// Counts and times of measured, or of warm-up, arrivals.
    Measures {
        /// By [`Operation`], as far as there was one.
        operations: Vec<OperationTally>,
        /// By [`Kind`], as far as there was one.
        deliveries: Vec<DeliveryTally>,
        /// Actual send minus intended instant.
        dispatch_delay: Latencies,
        /// How long a task that is ready waited for the event loop.
        event_loop_lag: Latencies,
        /// From the loss of a socket to the next open one of the same player.
        recovery: Latencies,
    }
}

impl Measures {
    /// One operation.
    #[must_use]
    pub fn operation(&self, operation: Operation) -> &OperationTally {
        static NOTHING: LazyLock<OperationTally> = LazyLock::new(OperationTally::default);
        self.operations.get(operation.index()).unwrap_or_else(|| &NOTHING)
    }

    /// One operation, to record into.
    #[inline]
    pub fn operation_mut(&mut self, operation: Operation) -> &mut OperationTally {
        grown(&mut self.operations, operation.index())
    }

    /// One delivery kind.
    #[must_use]
    pub fn delivery(&self, kind: Kind) -> &DeliveryTally {
        static NOTHING: LazyLock<DeliveryTally> = LazyLock::new(DeliveryTally::default);
        self.deliveries.get(kind.index()).unwrap_or_else(|| &NOTHING)
    }

    /// One delivery kind, to record into.
    #[inline]
    pub fn delivery_mut(&mut self, kind: Kind) -> &mut DeliveryTally {
        grown(&mut self.deliveries, kind.index())
    }
}

/// A list's element, after the list has become long enough for it.
#[inline]
fn grown<T: Default>(list: &mut Vec<T>, index: usize) -> &mut T {
    if list.len() <= index {
        list.resize_with(index + 1, T::default);
    }
    &mut list[index]
}

tally! {
    /// Socket counts.
    SocketTally {
        /// Handshakes begun.
        attempted: u64,
        /// Handshakes that led to an open socket.
        opened: u64,
        /// Handshakes that failed.
        rejected: u64,
        /// Sockets that ended before the player left.
        dropped: u64,
    }
}

tally! {
    /// What API Gateway meters, warm-up included.
    MeteredTally {
        /// Messages that were sent, each counted once for every 32 KB begun.
        sent: u64,
        /// Messages that were received, each counted once for every 32 KB begun.
        received: u64,
        /// Requests to the REST API.
        rest_requests: u64,
    }
}

tally! {
    /// Received messages.
    FrameTally {
        /// That the protocol knows.
        understood: u64,
        /// That it does not know, by what they look like.
        unclassified: Classes,
    }
}
