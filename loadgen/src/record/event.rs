//! What happens in a run, one typed value each, and which counters each moves.

use std::fmt;

use scenarios::plan::disruptions::ClientFault;
use scenarios::plan::ledger::Ledger;
use scenarios::plan::operation::{Kind, Operation};

use super::class::Class;
use super::classes;
use super::hops::Split;
use super::thread_tally::ThreadTally;
use crate::clock::Micros;

/// Something that happened. It borrows what it can: most events are counted and gone.
#[derive(Clone, Copy)]
pub enum Event<'e> {
    // ---- The plan's arrivals ----
    /// The plan called for an operation.
    Offered {
        /// The operation.
        operation: Operation,
        /// Where it is booked.
        ledger: Ledger,
        /// Why it could not even be given to a player.
        unsent: Option<&'e Class>,
    },
    /// A run that was stopped did not come to operations of its plan.
    Unreached {
        /// The operation.
        operation: Operation,
        /// Where they would have been booked.
        ledger: Ledger,
        /// How many.
        count: u64,
        /// How the run was stopped.
        class: &'e Class,
    },
    /// A player could not send an operation.
    Unsent {
        /// The player.
        player: u32,
        /// The operation.
        operation: Operation,
        /// Where it is booked.
        ledger: Ledger,
        /// Why.
        class: &'e Class,
    },
    /// An operation was sent.
    Sent {
        /// The operation.
        operation: Operation,
        /// Where it is booked.
        ledger: Ledger,
        /// Microseconds after its intended instant, if it had one.
        delay: Option<Micros>,
    },
    /// An operation was answered as expected.
    Completed {
        /// The operation.
        operation: Operation,
        /// Where it is booked.
        ledger: Ledger,
        /// Microseconds since the intended instant.
        response: Micros,
        /// Microseconds since the send.
        service: Micros,
    },
    /// An operation was sent to which no answer is awaited.
    Unanswered {
        /// The operation.
        operation: Operation,
        /// Where it is booked.
        ledger: Ledger,
    },
    /// An operation was answered wrongly, or the socket broke.
    Failed {
        /// The player.
        player: u32,
        /// The operation.
        operation: Operation,
        /// Where it is booked.
        ledger: Ledger,
        /// Microseconds since the intended instant.
        response: Micros,
        /// The error class.
        class: &'e Class,
        /// What was seen, unless another event has it.
        detail: Option<&'e dyn fmt::Display>,
    },
    /// An operation was not answered in time.
    TimedOut {
        /// The player.
        player: u32,
        /// The operation.
        operation: Operation,
        /// Where it is booked.
        ledger: Ledger,
        /// Microseconds since the intended instant.
        response: Micros,
    },

    // ---- Deliveries ----
    /// Pushes are expected from now on.
    Expected {
        /// Of what.
        kind: Kind,
        /// Where the send is booked.
        ledger: Ledger,
        /// How many.
        count: u64,
    },
    /// Pushes are no longer expected, since their send failed or the run is over.
    Withdrawn {
        /// Of what.
        kind: Kind,
        /// Where the send is booked.
        ledger: Ledger,
        /// How many.
        count: u64,
    },
    /// The first copy of an expected push was received.
    Received {
        /// The recipient.
        player: u32,
        /// Of what.
        kind: Kind,
        /// Where the send is booked.
        ledger: Ledger,
        /// Microseconds since the send.
        latency: Micros,
        /// Where this completes the fan-out: the latencies of its first and its last receipt.
        complete: Option<(Micros, Micros)>,
        /// A later send of the same sender was received before.
        out_of_order: bool,
        /// It came after its time-out, within the grace.
        late: bool,
        /// In traced runs, where it could have stamps: its hops.
        split: Option<&'e Split>,
    },
    /// A further copy of a push was received.
    Duplicated {
        /// Of what.
        kind: Kind,
        /// Where the send is booked.
        ledger: Ledger,
    },
    /// A push was received after its grace; it stays counted as lost.
    TooLate {
        /// The recipient.
        player: u32,
        /// Of what.
        kind: Kind,
        /// Where what happens now is booked.
        ledger: Ledger,
    },
    /// A push was received that matches nothing sent.
    Unexpected {
        /// The recipient.
        player: u32,
        /// Of what.
        kind: Kind,
        /// Where what happens now is booked.
        ledger: Ledger,
    },
    /// Pushes did not come within their grace.
    GivenUp {
        /// Of what.
        kind: Kind,
        /// Where their sends are booked.
        ledger: Ledger,
        /// Not received.
        lost: u64,
        /// Not received because the recipient was away by its own doing.
        away: u64,
    },
    /// One of the pushes that were lost, in words.
    Lost {
        /// The recipient.
        player: u32,
        /// Of what.
        kind: Kind,
        /// What was lost.
        detail: &'e dyn fmt::Display,
    },
    /// Latencies of the first receipts of pushes that did not reach every recipient.
    FirstReceipts {
        /// Of what.
        kind: Kind,
        /// Each with where its send is booked.
        firsts: &'e [(Micros, Ledger)],
    },
    /// A push told its request's failure.
    PushFailed {
        /// The player.
        player: u32,
        /// The operation that led to it.
        operation: Operation,
        /// Where the request is booked.
        ledger: Ledger,
        /// The error class.
        class: &'e Class,
        /// The backend's word.
        status: &'e str,
    },
    /// Another worker received a push of this one's send, so many microseconds ago.
    ReceiptForwarded {
        /// How long its receipt took to get here.
        lag: Micros,
    },

    // ---- Sockets ----
    /// A handshake begins.
    HandshakeStarted,
    /// A handshake led to an open socket.
    HandshakeCompleted,
    /// A handshake led to no socket.
    HandshakeRefused {
        /// The player.
        player: u32,
        /// The error; none where it timed out or the run ended.
        error: Option<(&'e Class, &'e str)>,
    },
    /// A socket ended although the player did nothing to end it.
    Dropped {
        /// The player.
        player: u32,
        /// How.
        class: &'e Class,
        /// What was seen.
        detail: &'e str,
    },
    /// Something was seen on a socket that belongs to no request.
    Stray {
        /// The player.
        player: u32,
        /// The error class.
        class: &'e Class,
        /// What was seen.
        detail: &'e dyn fmt::Display,
    },

    // ---- Messages ----
    /// Messages have passed a socket.
    Passed {
        /// How many were received that the protocol knows.
        understood: u64,
        /// What was received, as API Gateway meters it: one for every 32 KB begun of a message.
        received: u64,
        /// What was sent, as API Gateway meters it.
        sent: u64,
    },
    /// The REST API was asked.
    RestAsked,
    /// A message was received that the protocol does not know.
    Unclassified {
        /// The player.
        player: u32,
        /// What it looks like.
        shape: &'e Class,
        /// The message.
        detail: &'e dyn fmt::Display,
    },

    // ---- Reconnecting ----
    /// A player without a socket tries to reconnect.
    ReconnectWanted,
    /// It begins a handshake.
    ReconnectAttempted,
    /// A handshake of these failed.
    ReconnectFailed {
        /// The error class.
        class: &'e Class,
    },
    /// The player is connected again.
    Reconnected {
        /// Where the loss of the socket is booked.
        ledger: Ledger,
        /// Microseconds since the loss.
        recovery: Micros,
    },
    /// The player gave up.
    ReconnectGaveUp,
    /// The run ended while the player tried.
    ReconnectUnfinished,

    // ---- Churn ----
    /// A player left because its session was over.
    SessionEnded,
    /// A player connected for a further session.
    SessionStarted,
    /// A handshake for a further session failed.
    SessionRefused {
        /// The error class.
        class: &'e Class,
    },

    // ---- Journeys ----
    /// A journey was under way when the run ended.
    JourneyUnfinished {
        /// The journey as a whole.
        operation: Operation,
        /// Where it is booked.
        ledger: Ledger,
    },

    // ---- Disruptions ----
    /// A client fault was made.
    FaultMade(ClientFault),
    /// What became of a client fault.
    FaultOutcome {
        /// The fault.
        fault: ClientFault,
        /// What became of it.
        outcome: &'e Class,
    },
    /// The socket of a client fault ended, in words.
    FaultEndedSocket {
        /// The player.
        player: u32,
        /// The fault.
        fault: ClientFault,
        /// How the socket ended.
        class: &'e Class,
        /// What was seen.
        detail: &'e str,
    },
    /// A slow reader read a message.
    SlowRead,

    // ---- The generator itself ----
    /// A task that was ready waited for the event loop.
    EventLoopLag {
        /// Where what happens now is booked.
        ledger: Ledger,
        /// How long.
        lag: Micros,
    },
}

/// An event of which a sample is kept while its class has room.
pub(super) struct Evidence<'e> {
    pub(super) player: u32,
    pub(super) subject: Subject,
    pub(super) class: &'e Class,
    pub(super) detail: Detail<'e>,
}

/// What a sample is of; its name is looked up only where the sample is kept.
#[derive(Clone, Copy)]
pub(super) enum Subject {
    Operation(Operation),
    Push(Kind),
    /// What belongs to neither.
    Other(&'static str),
}

/// What was seen, written out only where a sample is kept.
pub(super) enum Detail<'e> {
    Text(&'e str),
    Shown(&'e dyn fmt::Display),
    Late(Micros),
}

impl fmt::Display for Detail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Shown(shown) => shown.fmt(f),
            Self::Late(latency) => {
                write!(f, "a push came {:.3} s after its send", *latency as f64 / 1e6)
            }
        }
    }
}

/// What stands for the operation in samples of what belongs to none.
pub const SOCKET: &str = "socket";
/// What stands for the operation in samples of messages that the protocol does not know.
const UNCLASSIFIED: &str = "unclassified";

impl<'e> Event<'e> {
    /// Moves the counters of this event, and no others.
    #[inline]
    pub(super) fn count(&self, tally: &mut ThreadTally) {
        match *self {
            Self::Offered { operation, ledger, unsent } => {
                let operation = tally.measures(ledger).operation_mut(operation);
                operation.offered += 1;
                if let Some(class) = unsent {
                    operation.unsent += 1;
                    operation.errors.count(class);
                }
            }
            Self::Unreached { operation, ledger, count, class } => {
                let operation = tally.measures(ledger).operation_mut(operation);
                operation.offered += count;
                operation.unsent += count;
                operation.errors.add(class, count);
            }
            Self::Unsent { operation, ledger, class, .. } => {
                let operation = tally.measures(ledger).operation_mut(operation);
                operation.unsent += 1;
                operation.errors.count(class);
            }
            Self::Sent { operation, ledger, delay } => {
                let measures = tally.measures(ledger);
                measures.operation_mut(operation).sent += 1;
                if let Some(delay) = delay {
                    measures.dispatch_delay.record(delay);
                }
            }
            Self::Completed { operation, ledger, response, service } => {
                let operation = tally.measures(ledger).operation_mut(operation);
                operation.completed += 1;
                operation.response.record(response);
                operation.service.record(service);
            }
            Self::Unanswered { operation, ledger } => {
                tally.measures(ledger).operation_mut(operation).completed += 1;
            }
            Self::Failed { operation, ledger, class, .. } => {
                let operation = tally.measures(ledger).operation_mut(operation);
                operation.failed += 1;
                operation.errors.count(class);
            }
            Self::TimedOut { operation, ledger, .. } => {
                let operation = tally.measures(ledger).operation_mut(operation);
                operation.timed_out += 1;
                operation.errors.count(&classes::TIMEOUT);
            }

            Self::Expected { kind, ledger, count } => {
                tally.measures(ledger).delivery_mut(kind).expected += count;
            }
            Self::Withdrawn { kind, ledger, count } => {
                tally.measures(ledger).delivery_mut(kind).withdrawn += count;
            }
            Self::Received { kind, ledger, latency, complete, out_of_order, late, split, .. } => {
                let delivery = tally.measures(ledger).delivery_mut(kind);
                if late {
                    delivery.late += 1;
                } else {
                    delivery.received += 1;
                }
                delivery.out_of_order += u64::from(out_of_order);
                delivery.each.record(latency);
                if let Some((first, last)) = complete {
                    delivery.first.record(first);
                    delivery.last.record(last);
                }
                if let Some(split) = split {
                    delivery.hops.get_or_insert_default().record(latency, split);
                }
            }
            Self::Duplicated { kind, ledger } => tally.measures(ledger).delivery_mut(kind).duplicated += 1,
            Self::Unexpected { kind, ledger, .. } => {
                tally.measures(ledger).delivery_mut(kind).unexpected += 1;
            }
            Self::TooLate { kind, ledger, .. } => tally.measures(ledger).delivery_mut(kind).too_late += 1,
            Self::GivenUp { kind, ledger, lost, away } => {
                let delivery = tally.measures(ledger).delivery_mut(kind);
                delivery.lost += lost;
                delivery.away += away;
            }
            Self::FirstReceipts { kind, firsts } => {
                for &(latency, ledger) in firsts {
                    tally.measures(ledger).delivery_mut(kind).first.record(latency);
                }
            }
            Self::PushFailed { operation, ledger, class, .. } => {
                tally.measures(ledger).operation_mut(operation).errors.count(class);
            }
            Self::ReceiptForwarded { lag } => tally.relay_lag.record(lag),

            Self::HandshakeStarted => tally.sockets.attempted += 1,
            Self::HandshakeCompleted => tally.sockets.opened += 1,
            Self::HandshakeRefused { .. } => tally.sockets.rejected += 1,
            Self::Dropped { class, .. } => {
                tally.sockets.dropped += 1;
                tally.disruptions.ends.count(class);
            }

            Self::Passed { understood, received, sent } => {
                tally.frames.understood += understood;
                tally.metered.received += received;
                tally.metered.sent += sent;
            }
            Self::RestAsked => tally.metered.rest_requests += 1,
            Self::Unclassified { shape, .. } => tally.frames.unclassified.count(shape),

            Self::ReconnectWanted => tally.disruptions.reconnects.wanted += 1,
            Self::ReconnectAttempted => tally.disruptions.reconnects.attempts += 1,
            Self::ReconnectFailed { class } => tally.disruptions.reconnects.errors.count(class),
            Self::Reconnected { ledger, recovery } => {
                tally.disruptions.reconnects.succeeded += 1;
                tally.measures(ledger).recovery.record(recovery);
            }
            Self::ReconnectGaveUp => tally.disruptions.reconnects.gave_up += 1,
            Self::ReconnectUnfinished => tally.disruptions.reconnects.unfinished += 1,

            Self::SessionEnded => tally.disruptions.churn.left += 1,
            Self::SessionStarted => tally.disruptions.churn.returned += 1,
            Self::SessionRefused { class } => tally.disruptions.churn.refused.count(class),

            Self::JourneyUnfinished { operation, ledger } => {
                tally.measures(ledger).operation_mut(operation).unfinished += 1;
            }

            Self::FaultMade(fault) => tally.disruptions.fault_mut(fault).made += 1,
            Self::FaultOutcome { fault, outcome } => {
                tally.disruptions.fault_mut(fault).outcomes.count(outcome);
            }
            Self::SlowRead => tally.disruptions.slow_reads += 1,

            Self::EventLoopLag { ledger, lag } => tally.measures(ledger).event_loop_lag.record(lag),

            // Only samples are kept of these.
            Self::Lost { .. } | Self::Stray { .. } | Self::FaultEndedSocket { .. } => {}
        }
    }

    /// What a sample of this event would hold; most events have none.
    #[inline]
    pub(super) fn evidence(&self) -> Option<Evidence<'e>> {
        let (player, subject, class, detail) = match *self {
            Self::Unsent { player, operation, class, .. } => {
                (player, Subject::Operation(operation), class, Detail::Text("the arrival could not be sent"))
            }
            Self::Failed { player, operation, class, detail: Some(detail), .. } => {
                (player, Subject::Operation(operation), class, Detail::Shown(detail))
            }
            Self::TimedOut { player, operation, .. } => {
                (player, Subject::Operation(operation), &classes::TIMEOUT, Detail::Text("no answer in time"))
            }
            Self::Received { player, kind, latency, late: true, .. } => {
                (player, Subject::Push(kind), &classes::LATE, Detail::Late(latency))
            }
            Self::TooLate { player, kind, .. } => {
                let detail = "a push came after its time-out and the grace, and stays counted as lost";
                (player, Subject::Push(kind), &classes::TOO_LATE, Detail::Text(detail))
            }
            Self::Unexpected { player, kind, .. } => (
                player,
                Subject::Push(kind),
                &classes::UNEXPECTED,
                Detail::Text("does not match any message sent"),
            ),
            Self::Lost { player, kind, detail } => {
                (player, Subject::Push(kind), &classes::LOST, Detail::Shown(detail))
            }
            Self::PushFailed { player, operation, class, status, .. } => {
                (player, Subject::Operation(operation), class, Detail::Text(status))
            }
            Self::HandshakeRefused { player, error: Some((class, detail)) } => {
                (player, Subject::Operation(Operation::CONNECT), class, Detail::Text(detail))
            }
            Self::Dropped { player, class, detail } => {
                (player, Subject::Other(SOCKET), class, Detail::Text(detail))
            }
            Self::Stray { player, class, detail } => {
                (player, Subject::Other(SOCKET), class, Detail::Shown(detail))
            }
            Self::Unclassified { player, shape, detail } => {
                (player, Subject::Other(UNCLASSIFIED), shape, Detail::Shown(detail))
            }
            Self::FaultEndedSocket { player, fault, class, detail } => {
                (player, Subject::Other(fault.word()), class, Detail::Text(detail))
            }
            _ => return None,
        };
        Some(Evidence { player, subject, class, detail })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_small() {
        assert!(size_of::<Event<'_>>() <= 72, "{}", size_of::<Event<'_>>());
    }
}
