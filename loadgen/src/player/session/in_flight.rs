//! Requests whose answers are awaited, and errors that name no request.
//!
//! API Gateway's own error frames carry no id. Such an error is kept until no other request could be meant, so that each
//! fails exactly one.

use std::collections::VecDeque;

use scenarios::plan::operation::Operation;

use crate::clock::Micros;
use crate::record::Class;
use crate::schedule::Arrival;

/// A request whose answer is awaited.
#[derive(Debug)]
pub(super) struct SentRequest {
    pub(super) arrival: Arrival,
    pub(super) sent: Micros,
    /// When it times out.
    pub(super) deadline: Micros,
}

/// An error that names no request.
#[derive(Debug)]
pub(super) struct Unclaimed {
    pub(super) class: Class,
    pub(super) detail: String,
}

/// All requests of a socket whose answers are awaited.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    requests: Vec<SentRequest>,
    /// Errors that could still belong to more than one request.
    unclaimed: VecDeque<Unclaimed>,
}

impl InFlight {
    pub(super) const fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    pub(super) fn add(&mut self, request: SentRequest) {
        self.requests.push(request);
    }

    /// When the first of them times out.
    pub(super) fn deadline(&self) -> Option<Micros> {
        self.requests.iter().map(|request| request.deadline).min()
    }

    /// Takes the request that an answer names.
    pub(super) fn take(&mut self, operation: Operation, index: u64) -> Option<SentRequest> {
        self.take_where(|request| request.arrival.operation == operation && request.arrival.index == index)
    }

    /// Takes the request that an answer without an id must belong to: the oldest of its operation.
    pub(super) fn take_first(&mut self, operation: Operation) -> Option<SentRequest> {
        self.take_where(|request| request.arrival.operation == operation)
    }

    fn take_where(&mut self, awaited: impl Fn(&SentRequest) -> bool) -> Option<SentRequest> {
        let position = self.requests.iter().position(awaited)?;
        Some(self.requests.swap_remove(position))
    }

    /// Keeps an error that names no request.
    pub(super) fn keep(&mut self, error: Unclaimed) {
        self.unclaimed.push_back(error);
    }

    /// Where no more requests than errors are left, each error has one; the next of them. An error without a request is
    /// left over where its request has been answered otherwise.
    pub(super) fn next_failed(&mut self) -> Option<(Option<SentRequest>, Unclaimed)> {
        if self.requests.len() > self.unclaimed.len() {
            return None;
        }
        let error = self.unclaimed.pop_front()?;
        Some((self.requests.pop(), error))
    }

    /// The next request that has timed out, and an error that may be its own.
    pub(super) fn next_overdue(&mut self, now: Micros) -> Option<(SentRequest, Option<Unclaimed>)> {
        let request = self.take_where(|request| request.deadline <= now)?;
        Some((request, self.unclaimed.pop_front()))
    }

    /// Takes all: the socket has ended.
    pub(super) fn take_all(&mut self) -> Vec<SentRequest> {
        std::mem::take(&mut self.requests)
    }
}

#[cfg(test)]
mod tests {
    use scenarios::plan::ledger::Ledger;

    use super::*;

    fn request(index: u64, deadline: Micros) -> SentRequest {
        let operation = Operation::of(1);
        SentRequest {
            arrival: Arrival { operation, index, due: 0, measured: Ledger::MEASURED },
            sent: 0,
            deadline,
        }
    }

    fn error(word: &'static str) -> Unclaimed {
        Unclaimed { class: word.into(), detail: String::new() }
    }

    #[test]
    fn an_error_without_an_id_fails_a_request_once_no_other_could_be_meant() {
        let mut in_flight = InFlight::default();
        in_flight.add(request(1, 10));
        in_flight.add(request(2, 20));
        in_flight.keep(error("forbidden"));
        assert!(in_flight.next_failed().is_none(), "it could be either");
        let operation = Operation::of(1);
        assert_eq!(in_flight.take(operation, 1).unwrap().arrival.index, 1);
        assert!(in_flight.take(operation, 1).is_none());
        let (failed, error) = in_flight.next_failed().unwrap();
        assert_eq!((failed.unwrap().arrival.index, &*error.class), (2, "forbidden"));
        assert!(in_flight.next_failed().is_none() && in_flight.is_empty());
    }

    #[test]
    fn what_times_out_takes_an_error_with_it() {
        let mut in_flight = InFlight::default();
        in_flight.add(request(1, 10));
        in_flight.add(request(2, 20));
        in_flight.add(request(3, 20));
        in_flight.keep(error("forbidden"));
        assert_eq!(in_flight.deadline(), Some(10));
        assert!(in_flight.next_overdue(9).is_none());
        let (request, own) = in_flight.next_overdue(10).unwrap();
        assert_eq!((request.arrival.index, own.is_some()), (1, true));
        assert!(in_flight.next_overdue(19).is_none());
        assert!(in_flight.next_overdue(20).unwrap().1.is_none());
        assert_eq!(in_flight.take_all().len(), 1);
    }
}
