//! An open socket: sends what arrives, matches what comes back, all in one poll of the player's task.
//!
//! Reading never waits for writing: where the target does not read, requests pile up in the socket's buffer and
//! are refused past its bound, while answers and pushes are still taken.

use std::collections::VecDeque;
use std::task::{Context, Poll};

use futures_util::{SinkExt, StreamExt};
use scenarios::threshold::{Kind, Operation};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::Arrival;
use super::handshake::{Stream, io_class};
use super::play::{GooseSample, Outcome, Play};
use super::wire::{self, AckId, Incoming};
use crate::clock::{Micros, micros};
use crate::delivery::Correlation;
use crate::pacing::choices;
use crate::record::Class;

/// Largest frame that API Gateway takes is 32 KiB; longer messages go in fragments of this size.
const FRAGMENT: usize = 32_000;

/// How a socket ended.
pub(super) enum End {
    /// The run is over.
    Left,
    /// The other side, or the network: error class and what was seen.
    Dropped(Class, String),
}

/// An answer that is awaited.
struct Pending {
    arrival: Arrival,
    sent: Micros,
    deadline: Micros,
}

/// An open socket with its awaited answers.
pub(super) struct Session<'p> {
    play: &'p Play,
    number: u32,
    socket: WebSocketStream<Stream>,
    pending: Vec<Pending>,
    /// Errors that name no request, and could still belong to more than one.
    unclaimed: VecDeque<(Class, String)>,
    unflushed: bool,
    goose: &'p mpsc::Sender<GooseSample>,
}

impl<'p> Session<'p> {
    pub(super) const fn new(
        play: &'p Play,
        number: u32,
        socket: WebSocketStream<Stream>,
        goose: &'p mpsc::Sender<GooseSample>,
    ) -> Self {
        Self {
            play,
            number,
            socket,
            pending: Vec::new(),
            unclaimed: VecDeque::new(),
            unflushed: false,
            goose,
        }
    }

    /// Does whatever can be done now; ready when the socket has ended or the run is over.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        let arrivals = self.play.players.take(self.number, cx);
        if self.play.players.stopping() {
            arrivals.iter().for_each(|arrival| self.play.unsent(self.number, arrival, "unsent_run_ended"));
            return Poll::Ready(End::Left);
        }
        for arrival in arrivals {
            self.send(&arrival, cx);
        }
        if let Poll::Ready(end) = self.poll_socket(cx) {
            return Poll::Ready(end);
        }
        self.time_out();
        let deadline = self.pending.iter().map(|pending| pending.deadline).min();
        self.play.players.set_deadline(self.number, deadline);
        Poll::Pending
    }

    /// Reads until nothing is there, then writes what waits.
    fn poll_socket(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        while let Poll::Ready(read) = self.socket.poll_next_unpin(cx) {
            match read {
                Some(Ok(Message::Text(text))) => self.receive(&text),
                Some(Ok(Message::Binary(_))) => self.garbage("a binary frame"),
                // The pong is queued already and leaves with the flush.
                Some(Ok(Message::Ping(_))) => self.unflushed = true,
                Some(Ok(Message::Close(frame))) => {
                    let (class, detail) = frame.map_or(("closed_1005".into(), String::new()), |frame| {
                        (format!("closed_{}", u16::from(frame.code)).into(), frame.reason.to_string())
                    });
                    return Poll::Ready(End::Dropped(class, detail));
                }
                Some(Ok(Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(error)) => return Poll::Ready(dropped(&error)),
                None => return Poll::Ready(End::Dropped("closed_1006".into(), "the stream ended".into())),
            }
        }
        if self.unflushed {
            match self.socket.poll_flush_unpin(cx) {
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(error)) => return Poll::Ready(dropped(&error)),
                Poll::Pending => {}
            }
        }
        Poll::Pending
    }

    fn send(&mut self, arrival: &Arrival, cx: &mut Context<'_>) {
        let play = self.play;
        let id = AckId { operation: arrival.operation, index: arrival.index };
        let (text, recipients) = match arrival.operation {
            Operation::SendMessage => self.message(id),
            Operation::PlacementRequest => (wire::placement_request(id), Vec::new()),
            Operation::UnknownRoute => (wire::unknown_route(id), Vec::new()),
            // A second connect on an open socket, or a poll, is nothing that a plan calls for here.
            Operation::Connect | Operation::PlacementPoll => return,
        };
        if arrival.operation == Operation::SendMessage && recipients.is_empty() {
            return play.unsent(self.number, arrival, "unsent_no_recipient");
        }
        let sent = play.clock.now();
        let expected = recipients.len() as u64;
        if expected > 0 {
            play.messages.expect(arrival.index, self.number, recipients, sent, arrival.measured);
        }
        if !self.write(text, cx) {
            play.messages.withdraw(arrival.index);
            return play.unsent(self.number, arrival, "unsent_write_blocked");
        }
        play.sent(arrival, sent);
        if expected > 0 {
            play.recorder.with(|tally| {
                tally.measures(arrival.measured).delivery_mut(Kind::Message).expected += expected;
            });
        }
        let timeout = play.plan.operation(arrival.operation).map_or(0, |planned| micros(planned.timeout));
        self.pending.push(Pending { arrival: *arrival, sent, deadline: sent + timeout });
    }

    /// A message to open players, drawn by the arrival's own choices.
    fn message(&self, id: AckId) -> (String, Vec<u32>) {
        let play = self.play;
        let Some(shape) = &play.plan.message else { return (String::new(), Vec::new()) };
        let mut choices = choices(play.plan.seed, id.operation, id.index);
        let fan_out = rand::RngExt::random_range(&mut choices, shape.fan_out.clone());
        let recipients = play.players.draw_open(&mut choices, fan_out as usize);
        let ids: Vec<_> = recipients.iter().map(|&player| play.plan.player_id(player)).collect();
        let text = play.messages.correlation(id.index).text(shape.size as usize);
        (wire::send_message(id, &ids, &text), recipients)
    }

    /// Puts a text into the socket's buffer; false when the buffer is full.
    fn write(&mut self, text: String, cx: &mut Context<'_>) -> bool {
        if !matches!(self.socket.poll_ready_unpin(cx), Poll::Ready(Ok(()))) {
            return false;
        }
        self.unflushed = true;
        if text.len() <= FRAGMENT {
            return self.socket.start_send_unpin(Message::text(text)).is_ok();
        }
        let bytes = text.into_bytes();
        let last = bytes.len().div_ceil(FRAGMENT) - 1;
        bytes.chunks(FRAGMENT).enumerate().all(|(index, chunk)| {
            let code = if index == 0 { Data::Text } else { Data::Continue };
            let frame = Frame::message(chunk.to_vec(), OpCode::Data(code), index == last);
            self.socket.start_send_unpin(Message::Frame(frame)).is_ok()
        })
    }

    fn receive(&mut self, text: &Utf8Bytes) {
        let now = self.play.clock.now();
        match Incoming::parse(text) {
            Incoming::Ack { id, status, placement, body } => {
                let awaited = |pending: &Pending| {
                    pending.arrival.operation == id.operation && pending.arrival.index == id.index
                };
                match self.pending.iter().position(awaited) {
                    Some(position) => self.answered(position, status, placement, &body),
                    None => self.stray("late_answer", || format!("answer {id} with status {status}")),
                }
            }
            Incoming::PlainAnswer { operation, status, placement } => {
                match self.pending.iter().position(|pending| pending.arrival.operation == operation) {
                    Some(position) => self.answered(position, status, placement, text),
                    None => self.stray("late_answer", || text.to_string()),
                }
            }
            Incoming::Message { text } => {
                let receipt = Correlation::parse(&text)
                    .map_or(crate::delivery::Receipt::Unexpected, |correlation| {
                        self.play.messages.receive(correlation, self.number, now)
                    });
                self.play.received(self.number, Kind::Message, receipt);
            }
            Incoming::Placement { id, status } => {
                if let Some(receipt) = self.play.placements.receive(&id, self.number, now) {
                    self.play.received(self.number, Kind::Placement, receipt);
                }
                if status != "FULFILLED" {
                    self.unfulfilled(&status);
                }
            }
            Incoming::GatewayError(message) => self.fail_one(slug(&message).into(), &message),
            Incoming::Garbage => self.garbage(text),
        }
    }

    /// The answer to a pending request has come.
    fn answered(&mut self, position: usize, status: u16, placement: Option<String>, body: &str) {
        let Pending { arrival, sent, .. } = self.pending.swap_remove(position);
        let play = self.play;
        let expected = match arrival.operation {
            Operation::UnknownRoute => status == 404,
            Operation::PlacementRequest => (200..300).contains(&status) && placement.is_some(),
            _ => (200..300).contains(&status),
        };
        if let Some(id) = placement.filter(|_| expected) {
            play.recorder
                .with(|tally| tally.measures(arrival.measured).delivery_mut(Kind::Placement).expected += 1);
            for receipt in play.placements.expect(&id, self.number, sent, arrival.measured) {
                play.received(self.number, Kind::Placement, receipt);
            }
        }
        if expected {
            self.end(&arrival, sent, Outcome::Completed);
        } else {
            self.fail(&arrival, sent, format!("status_{status}").into(), body);
        }
        self.settle();
    }

    /// An operation failed: nothing more is expected of it.
    fn fail(&self, arrival: &Arrival, sent: Micros, class: Class, detail: &str) {
        let play = self.play;
        if arrival.operation == Operation::SendMessage {
            let withdrawn = play.messages.withdraw(arrival.index);
            play.recorder.with(|tally| {
                tally.measures(arrival.measured).delivery_mut(Kind::Message).withdrawn += withdrawn;
            });
        }
        play.sample(self.number, arrival.operation.word(), &class, || detail.to_owned());
        self.end(arrival, sent, Outcome::Failed(class));
    }

    fn end(&self, arrival: &Arrival, sent: Micros, outcome: Outcome) {
        GooseSample::offer(self.goose, arrival, self.play.clock.now(), &outcome);
        self.play.ended(arrival, sent, outcome);
    }

    /// A frame that ends one request without naming it: API Gateway's own error frames carry no id. It is kept until
    /// no other request could be meant, so that each such frame fails exactly one.
    fn fail_one(&mut self, class: Class, detail: &str) {
        if self.pending.is_empty() {
            self.play.sample(self.number, "socket", &class, || detail.to_owned());
        } else {
            self.unclaimed.push_back((class, detail.to_owned()));
            self.settle();
        }
    }

    /// Where as many requests are left as errors, each has one.
    fn settle(&mut self) {
        while !self.unclaimed.is_empty() && self.pending.len() <= self.unclaimed.len() {
            let Some((class, detail)) = self.unclaimed.pop_front() else { return };
            match self.pending.pop() {
                Some(Pending { arrival, sent, .. }) => self.fail(&arrival, sent, class, &detail),
                None => self.play.sample(self.number, "socket", &class, || detail),
            }
        }
    }

    fn garbage(&mut self, seen: &str) {
        self.fail_one("garbage".into(), seen);
    }

    fn stray(&self, class: &'static str, detail: impl FnOnce() -> String) {
        self.play.sample(self.number, "socket", &class.into(), detail);
    }

    /// A placement's push that brings no game session: delivered, but counted under the request's errors.
    fn unfulfilled(&self, status: &str) {
        let class: Class = format!("placement_{}", slug(status)).into();
        self.play.recorder.with(|tally| {
            tally.measured.operation_mut(Operation::PlacementRequest).errors.count(class.clone());
        });
        self.play.sample(self.number, Operation::PlacementRequest.word(), &class, || status.to_owned());
    }

    fn time_out(&mut self) {
        let now = self.play.clock.now();
        while let Some(position) = self.pending.iter().position(|pending| pending.deadline <= now) {
            let Pending { arrival, sent, .. } = self.pending.swap_remove(position);
            if let Some((class, detail)) = self.unclaimed.pop_front() {
                self.fail(&arrival, sent, class, &detail);
                continue;
            }
            self.play.sample(self.number, arrival.operation.word(), &"timeout".into(), || {
                "no answer in time".into()
            });
            self.end(&arrival, sent, Outcome::TimedOut);
        }
    }

    /// The socket is gone: what it still awaited has failed.
    pub(super) fn drop_pending(&mut self, class: &Class) {
        for Pending { arrival, sent, .. } in std::mem::take(&mut self.pending) {
            self.fail(&arrival, sent, class.clone(), "the socket ended before the answer");
        }
    }

    /// Says good-bye.
    pub(super) async fn leave(mut self) {
        self.drop_pending(&"interrupted".into());
        // Whether the other side still hears it changes nothing.
        let _ = tokio::time::timeout(std::time::Duration::from_secs(1), self.socket.close(None)).await;
    }
}

fn dropped(error: &Error) -> End {
    let class: Class = match error {
        Error::Io(error) => format!("closed_{}", io_class(error)).into(),
        Error::ConnectionClosed | Error::AlreadyClosed => "closed_1006".into(),
        Error::Protocol(_) => "protocol".into(),
        Error::Capacity(_) => "too_large".into(),
        Error::Utf8(_) => "not_utf8".into(),
        _ => "socket".into(),
    };
    End::Dropped(class, error.to_string())
}

/// A message as an error class: `Internal server error` → `internal_server_error`.
fn slug(message: &str) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    message.chars().take(40).map(word).collect::<String>().trim_matches('_').to_owned()
}
