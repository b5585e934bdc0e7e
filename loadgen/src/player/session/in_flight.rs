//! Requests whose answers are awaited, and errors that name no request.
//!
//! An error frame without an id, such as API Gateway's own, is kept until no other request could be meant, so that each
//! fails exactly one.
//!
//! Where answers come in order without an id, one that comes after a time-out most likely answers the request that timed
//! out. Such a request is remembered for as long again as it was awaited, and takes the next answer; after
//! that it counts as never answered.

use std::collections::VecDeque;

use scenarios::plan::operation::Operation;

use crate::clock::Micros;
use crate::record::Class;
use crate::schedule::Arrival;

/// A request whose answer is awaited.
#[derive(Debug)]
pub(super) struct SentRequest {
    pub(super) arrival: Arrival,
    /// The number of its message on this socket.
    pub(super) id: u64,
    /// What its answer holds, where that is how they are matched.
    pub(super) field: Option<Box<str>>,
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

/// What an answer without an id, in order, belongs to.
#[derive(Debug)]
pub(super) enum InOrder {
    /// This request.
    Request(SentRequest),
    /// One that has timed out.
    Overdue,
    /// None.
    Nothing,
}

/// All requests of a socket whose answers are awaited.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    requests: Vec<SentRequest>,
    /// Boxed, since most sockets never have any.
    doubts: Option<Box<Doubts>>,
}

/// What could be of more than one request.
#[derive(Debug, Default)]
struct Doubts {
    /// Errors that could still belong to more than one request.
    unclaimed: VecDeque<Unclaimed>,
    /// Requests of operations that are answered in order that have timed out, and until when the next answer is taken
    /// for theirs.
    overdue: VecDeque<(Operation, Micros)>,
}

impl Doubts {
    /// Forgets the requests whose answers are no longer awaited; operations have time-outs of their own.
    fn forget(&mut self, now: Micros) {
        self.overdue.retain(|(_, until)| *until > now);
    }
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

    /// Whether an answer names a request that is awaited.
    pub(super) fn has(&self, operation: Operation, id: u64) -> bool {
        self.requests.iter().any(|request| request.id == id && request.arrival.operation == operation)
    }

    /// Takes the request that an answer names by the number of its message.
    pub(super) fn take(&mut self, operation: Operation, id: u64) -> Option<SentRequest> {
        self.take_where(|request| request.id == id && request.arrival.operation == operation)
    }

    /// Takes the oldest request of an operation whose answer holds this value.
    pub(super) fn take_field(&mut self, operation: Operation, value: &str) -> Option<SentRequest> {
        self.take_oldest(|request| {
            request.arrival.operation == operation && request.field.as_deref() == Some(value)
        })
    }

    /// Takes the request of an arrival, which its answer repeats.
    pub(super) fn take_arrival(&mut self, operation: Operation, index: u64) -> Option<SentRequest> {
        self.take_where(|request| request.arrival.operation == operation && request.arrival.index == index)
    }

    /// What an answer without an id belongs to that comes in order.
    pub(super) fn take_in_order(&mut self, operation: Operation, now: Micros) -> InOrder {
        if let Some(doubts) = &mut self.doubts {
            doubts.forget(now);
            let overdue = &mut doubts.overdue;
            if let Some(position) = overdue.iter().position(|(other, _)| *other == operation) {
                overdue.remove(position);
                return InOrder::Overdue;
            }
        }
        match self.take_oldest(|request| request.arrival.operation == operation) {
            Some(request) => InOrder::Request(request),
            None => InOrder::Nothing,
        }
    }

    /// A request timed out at `now`; where answers come in order, the next one until `until` is taken for its own.
    pub(super) fn overdue(&mut self, operation: Operation, now: Micros, until: Micros) {
        let doubts = self.doubts.get_or_insert_default();
        // Here, too: where answers have ids, nobody asks for it.
        doubts.forget(now);
        doubts.overdue.push_back((operation, until));
    }

    fn take_where(&mut self, awaited: impl Fn(&SentRequest) -> bool) -> Option<SentRequest> {
        let position = self.requests.iter().position(awaited)?;
        Some(self.requests.swap_remove(position))
    }

    fn take_oldest(&mut self, awaited: impl Fn(&SentRequest) -> bool) -> Option<SentRequest> {
        let all = self.requests.iter().enumerate().filter(|(_, request)| awaited(request));
        let (position, _) = all.min_by_key(|(_, request)| request.id)?;
        Some(self.requests.swap_remove(position))
    }

    /// Keeps an error that names no request.
    pub(super) fn keep(&mut self, error: Unclaimed) {
        self.doubts.get_or_insert_default().unclaimed.push_back(error);
    }

    /// Where no more requests than errors are left, each error has one; the next of them. An error without a request is
    /// left over where its request has been answered otherwise.
    pub(super) fn next_failed(&mut self) -> Option<(Option<SentRequest>, Unclaimed)> {
        let unclaimed = &mut self.doubts.as_mut()?.unclaimed;
        if self.requests.len() > unclaimed.len() {
            return None;
        }
        let error = unclaimed.pop_front()?;
        Some((self.requests.pop(), error))
    }

    /// The next request that has timed out, and an error that may be its own.
    pub(super) fn next_overdue(&mut self, now: Micros) -> Option<(SentRequest, Option<Unclaimed>)> {
        let request = self.take_where(|request| request.deadline <= now)?;
        let error = self.doubts.as_mut().and_then(|doubts| doubts.unclaimed.pop_front());
        Some((request, error))
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

    const OPERATION: Operation = Operation::of(1);

    fn request(index: u64, deadline: Micros) -> SentRequest {
        SentRequest {
            arrival: Arrival { operation: OPERATION, index, due: 0, measured: Ledger::MEASURED },
            id: index + 10,
            field: Some(format!("room-{}", index % 2).into()),
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
        assert_eq!(in_flight.take(OPERATION, 11).unwrap().arrival.index, 1);
        assert!(in_flight.take(OPERATION, 11).is_none());
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

    #[test]
    fn an_answer_finds_its_request_by_id_field_arrival_or_order() {
        let mut in_flight = InFlight::default();
        (1..=6).for_each(|index| in_flight.add(request(index, 10)));
        assert!(in_flight.has(OPERATION, 13) && !in_flight.has(Operation::of(2), 13));
        assert!(in_flight.take(Operation::of(2), 13).is_none(), "another operation's");
        assert_eq!(in_flight.take(OPERATION, 13).unwrap().arrival.index, 3);
        assert_eq!(in_flight.take_field(OPERATION, "room-0").unwrap().arrival.index, 2, "the oldest");
        assert_eq!(in_flight.take_arrival(OPERATION, 5).unwrap().arrival.index, 5);
        let InOrder::Request(request) = in_flight.take_in_order(OPERATION, 0) else { panic!() };
        assert_eq!(request.arrival.index, 1);
    }

    #[test]
    fn an_answer_in_order_after_a_time_out_belongs_to_what_timed_out() {
        let mut in_flight = InFlight::default();
        in_flight.overdue(OPERATION, 50, 100);
        in_flight.overdue(OPERATION, 50, 100);
        in_flight.add(request(1, 200));
        assert!(matches!(in_flight.take_in_order(OPERATION, 99), InOrder::Overdue));
        assert!(matches!(in_flight.take_in_order(OPERATION, 100), InOrder::Request(_)), "forgotten by then");
        assert!(matches!(in_flight.take_in_order(OPERATION, 100), InOrder::Nothing));
    }

    #[test]
    fn what_timed_out_is_forgotten_whatever_stands_before_it() {
        let mut in_flight = InFlight::default();
        in_flight.overdue(Operation::of(2), 10, 1_000);
        in_flight.overdue(OPERATION, 50, 100);
        in_flight.add(request(1, 200));
        assert!(matches!(in_flight.take_in_order(OPERATION, 100), InOrder::Request(_)));
        (0..100).for_each(|now| in_flight.overdue(OPERATION, now * 10, now * 10 + 20));
        assert_eq!(
            in_flight.doubts.unwrap().overdue.len(),
            3,
            "the other operation's, and two that are awaited"
        );
    }
}
