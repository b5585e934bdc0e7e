//! Requests of one player that the same thing ties pushes to: their pushes belong to them in the order of the requests.

use std::collections::VecDeque;

use super::receipt::Receipt;
use super::sent::Sent;
use super::terms::Terms;
use crate::clock::Micros;

/// A request whose push is awaited, or has come.
#[derive(Debug)]
struct Request {
    sent: Sent,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Its push has come.
    Received,
    /// Its push did not come in time: it is lost, although that has not been counted yet.
    Overdue,
    /// Its push is awaited.
    Awaited,
}

/// Requests of one player, oldest first: those that are awaited stand behind all others.
#[derive(Debug, Default)]
pub(super) struct Requests {
    requests: VecDeque<Request>,
}

impl Requests {
    /// Expects a push.
    pub(super) fn expect(&mut self, sent: Sent) {
        self.requests.push_back(Request { sent, state: State::Awaited });
    }

    /// Expects nothing of a request that failed; returns whether something was expected.
    pub(super) fn withdraw(&mut self, send: u64) -> bool {
        let missing = |request: &Request| request.sent.send == send && request.state != State::Received;
        let position = self.requests.iter().rposition(missing);
        position.and_then(|position| self.requests.remove(position)).is_some()
    }

    /// Whether nothing is known any more.
    pub(super) fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// A push came at `at`: that of the oldest request that awaits one. Where none does, it is a further copy of the last
    /// one's within its grace, or that of one whose grace is over; `None` where there is no such request.
    pub(super) fn receive(&mut self, at: Micros, terms: &Terms) -> Option<Receipt> {
        let awaited = self.requests.partition_point(|request| request.state != State::Awaited);
        for request in self.requests.range_mut(awaited..) {
            let Sent { at: sent, measured, .. } = request.sent;
            if terms.is_over(sent, at) {
                request.state = State::Overdue;
                continue;
            }
            request.state = State::Received;
            let latency = at.saturating_sub(sent);
            return Some(Receipt::Received {
                latency,
                complete: Some((latency, latency)),
                out_of_order: false,
                late: terms.is_late(sent, at),
                measured,
            });
        }
        let last = self.requests.iter().rfind(|request| request.state == State::Received);
        if let Some(Request { sent, .. }) = last.filter(|request| !terms.is_over(request.sent.at, at)) {
            return Some(Receipt::Duplicate { measured: sent.measured });
        }
        let overdue = self.requests.iter().any(|request| request.state == State::Overdue);
        overdue.then_some(Receipt::TooLate)
    }

    /// Forgets what is over at `now`; those of which nothing came are given to `lost`.
    pub(super) fn expire(&mut self, now: Micros, terms: &Terms, mut lost: impl FnMut(&Sent)) {
        while let Some(Request { sent, state }) =
            self.requests.pop_front_if(|request| terms.is_over(request.sent.at, now))
        {
            if state != State::Received {
                lost(&sent);
            }
        }
    }
}
