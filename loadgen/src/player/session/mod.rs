//! An open socket: sends what arrives, matches what comes back, all in one poll of the player's task.
//!
//! Reading never waits for writing: where the target does not read, requests pile up in the socket's buffer and
//! are refused past its bound, while answers and pushes are still taken.

pub(super) mod malformed;

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reports::format::cut_off::INTERRUPTED;
use scenarios::disruptions::planned::Cut;
use scenarios::threshold::{Kind, Operation};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use tokio_util::either::Either;

use super::Pause;
use super::behaviour::{Mood, OWN};
use super::error::io_class;
use super::handshake::Stream;
use super::heart::Heart;
use super::shared::{GooseSample, Outcome, Play};
use super::wire::{self, AckId, FULFILLED, Incoming};
use crate::auth::head;
use crate::clock::{Micros, micros};
use crate::delivery::PlacementPush;
use crate::record::{Class, NO_OPEN_SOCKET, RUN_ENDED};
use crate::schedule::Arrival;
use crate::schedule::choices;

/// Largest frame that API Gateway takes is 32 KiB; longer messages go in fragments of this size.
const FRAGMENT: usize = 32_000;

/// Bytes kept of what was seen until it is known whom it is for.
const DETAIL: usize = 1024;
/// How long a good-bye may take.
const FAREWELL: Duration = Duration::from_secs(1);
/// How long a socket that was not read for a while is listened to until it counts as still open.
const GLANCE: Duration = Duration::from_millis(200);

/// How a socket ended.
pub(super) enum End {
    /// The run is over.
    Left,
    /// The player's life is over.
    LifeOver,
    /// The player's side cuts it.
    Cut(Cut),
    /// The player was silent, and wants to know what has become of it.
    Silent,
    /// Half a malformed message has left, and the rest cannot.
    Unusable,
    /// The other side, or the network: error class and what was seen.
    Dropped(Class, String),
}

/// An answer that is awaited.
pub(super) struct Pending {
    arrival: Arrival,
    sent: Micros,
    deadline: Micros,
}

/// An open socket with its awaited answers.
pub(super) struct Session<'p> {
    pub(super) play: &'p Arc<Play>,
    pub(super) number: u32,
    /// Which of the player's lives it is, from 0.
    pub(super) life: u32,
    pub(super) socket: WebSocketStream<Stream>,
    pub(super) mood: Option<Box<Mood>>,
    /// What keeps the socket open; absent where the plan has nothing for it.
    pub(super) heart: Option<Box<Heart>>,
    pub(super) pending: Vec<Pending>,
    /// Errors that name no request, and could still belong to more than one.
    unclaimed: VecDeque<(Class, String)>,
    pub(super) unflushed: bool,
    goose: &'p mpsc::Sender<GooseSample>,
}

impl<'p> Session<'p> {
    pub(super) const fn new(
        play: &'p Arc<Play>,
        number: u32,
        life: u32,
        socket: WebSocketStream<Stream>,
        mood: Option<Box<Mood>>,
        heart: Option<Box<Heart>>,
        goose: &'p mpsc::Sender<GooseSample>,
    ) -> Self {
        Self {
            play,
            number,
            life,
            socket,
            mood,
            heart,
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
            arrivals.iter().for_each(|arrival| self.play.unsent(self.number, arrival, RUN_ENDED));
            return Poll::Ready(End::Left);
        }
        if let Some(end) = self.play.players.take_order(self.number).and_then(|order| self.obey(order)) {
            arrivals.iter().for_each(|arrival| self.play.unsent(self.number, arrival, NO_OPEN_SOCKET));
            return Poll::Ready(end);
        }
        let silent = self.mood.as_deref().is_some_and(Mood::is_silent);
        for arrival in arrivals {
            if silent {
                self.play.unsent(self.number, &arrival, NO_OPEN_SOCKET);
            } else {
                self.send(&arrival, cx);
            }
        }
        let mut end = self.poll_mood(cx);
        if end.is_pending() && !silent {
            end = self.poll_read(cx);
        }
        if end.is_pending() {
            self.time_out();
            // What the answers have called for at once.
            for arrival in self.play.players.take_more(self.number) {
                self.send(&arrival, cx);
            }
            if !silent {
                self.beat(cx);
            }
            end = if silent { Poll::Pending } else { self.poll_flush(cx) };
        }
        if end.is_pending() {
            end = self.poll_intent(cx);
        }
        if end.is_pending() {
            let answers = self.pending.iter().map(|pending| pending.deadline);
            let mood = self.mood.as_deref().and_then(|mood| mood.due(self.play.clock.now()));
            let heart = self.heart.as_deref().filter(|_| !silent).map(Heart::due);
            self.play.players.set_deadline(self.number, answers.chain(mood).chain(heart).min());
        }
        end
    }

    /// Reads until nothing is there.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        while self.may_read()
            && let Poll::Ready(read) = self.socket.poll_next_unpin(cx)
        {
            match read {
                Some(Ok(Message::Text(text))) => self.read(&text),
                Some(Ok(Message::Binary(_))) => self.garbage("a binary frame"),
                // The pong is queued already and leaves with the flush.
                Some(Ok(Message::Ping(_))) => self.unflushed = true,
                Some(Ok(Message::Close(frame))) => {
                    let class = closed(frame.as_ref());
                    let detail = frame.map_or_else(String::new, |frame| frame.reason.to_string());
                    // The answer to it is queued; whether it still leaves changes nothing.
                    let _ = self.socket.poll_flush_unpin(cx);
                    return Poll::Ready(End::Dropped(class, detail));
                }
                Some(Ok(Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(error)) => return Poll::Ready(dropped(&error)),
                None => return Poll::Ready(End::Dropped("closed_1006".into(), "the stream ended".into())),
            }
        }
        Poll::Pending
    }

    /// Writes what waits.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        if self.unflushed {
            match self.socket.poll_flush_unpin(cx) {
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(error)) => return Poll::Ready(dropped(&error)),
                Poll::Pending => {}
            }
        }
        Poll::Pending
    }

    fn may_read(&self) -> bool {
        self.mood.as_deref().is_none_or(|mood| mood.reads(self.play.clock.now()))
    }

    fn read(&mut self, text: &Utf8Bytes) {
        match self.mood.as_deref_mut() {
            // What a slow reader reads tells of its slowness, and stays out of the figures.
            Some(mood) if mood.is_slow() => {
                mood.has_read(self.play.clock.now());
                self.play.recorder.with(|tally| tally.disruptions.slow_reads += 1);
            }
            _ => self.receive(text),
        }
    }

    pub(super) fn send(&mut self, arrival: &Arrival, cx: &mut Context<'_>) {
        let play = self.play;
        let id = AckId { operation: arrival.operation, index: arrival.index };
        let (text, recipients) = match arrival.operation {
            Operation::SendMessage => match self.message(id) {
                Some(message) => message,
                None => return self.unsent(arrival, "unsent_no_recipient"),
            },
            Operation::PlacementRequest => (wire::placement_request(id), Vec::new()),
            Operation::UnknownRoute => (wire::unknown_route(id), Vec::new()),
            Operation::PlacementPoll => return play.poll_placement(self.number, *arrival),
            // A second connect on an open socket is nothing that a plan calls for.
            Operation::Connect => return,
        };
        let sent = play.clock.now();
        let expected = recipients.len() as u64;
        if expected > 0 {
            play.messages.expect(arrival.index, self.number, recipients, sent, arrival.measured);
        }
        if !self.write(text, cx) {
            play.messages.withdraw(arrival.index);
            return self.unsent(arrival, "unsent_write_blocked");
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

    fn unsent(&self, arrival: &Arrival, class: &'static str) {
        self.play.unsent(self.number, arrival, class);
        self.think(arrival, self.play.clock.now(), Pause::Idle);
    }

    /// In the closed model the plan's request is followed by the next; one of the player's own life is not. What follows
    /// at once is sent before the task sleeps again.
    fn think(&self, arrival: &Arrival, now: Micros, pause: Pause) {
        let Play { players, plan, recorder, .. } = &**self.play;
        if arrival.index < OWN {
            players.think(plan, recorder, now, (self.number, arrival.operation), pause);
        }
    }

    /// A message to open players, drawn by the arrival's own choices, and those of whom its push is expected: one that
    /// reads slowly or not at all is sent to, but tells nothing of the backend.
    fn message(&self, id: AckId) -> Option<(String, Vec<u32>)> {
        let play = self.play;
        let shape = play.plan.message.as_ref()?;
        let mut choices = choices(play.plan.seed, id.operation, id.index);
        let fan_out = rand::RngExt::random_range(&mut choices, shape.fan_out.clone());
        let mut recipients = play.players.draw_open(&mut choices, fan_out as usize);
        if recipients.is_empty() {
            return None;
        }
        let ids: Vec<_> = recipients.iter().map(|&player| play.plan.player_id(player)).collect();
        let text = play.messages.correlation(id.index).text(shape.size as usize);
        recipients.retain(|&player| play.players.reads(player));
        Some((wire::send_message(id, &ids, &text), recipients))
    }

    /// Puts a text into the socket's buffer; false when the buffer is full.
    pub(super) fn write(&mut self, text: String, cx: &mut Context<'_>) -> bool {
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
                    Some(position) => self.answered(position, status, placement, &body, now),
                    None => self.stray("late_answer", || format!("answer {id} with status {status}")),
                }
            }
            Incoming::PlainAnswer { operation, status, placement } => {
                match self.pending.iter().position(|pending| pending.arrival.operation == operation) {
                    Some(position) => self.answered(position, status, placement, text, now),
                    None if self.claimed(|| format!("answered_{status}")) => {}
                    None => self.stray("late_answer", || text.to_string()),
                }
            }
            Incoming::Message { text } => self.play.pushed(self.number, &text, now),
            Incoming::Placement { id, status } => {
                let fulfilled = status == FULFILLED;
                let push = PlacementPush { player: self.number, at: now, status: status.into_owned() };
                if let Some(receipt) = self.play.placements.receive(&id, &push) {
                    self.play.placed(&push, receipt);
                }
                if let Some(mood) = self.mood.as_deref_mut() {
                    let placed = mood.placed(&id, fulfilled, now);
                    self.count_placed(placed);
                }
            }
            Incoming::GatewayError(message) => {
                self.fail_one(self.play.class_of(self.number, "", &message), &message);
            }
            Incoming::Garbage => self.garbage(text),
        }
    }

    /// The answer to a pending request has come.
    fn answered(&mut self, position: usize, status: u16, placement: Option<String>, body: &str, now: Micros) {
        let Pending { arrival, sent, .. } = self.pending.swap_remove(position);
        let play = self.play;
        let expected = match arrival.operation {
            Operation::UnknownRoute => status == 404,
            Operation::PlacementRequest => (200..300).contains(&status) && placement.is_some(),
            _ => (200..300).contains(&status),
        };
        if let Some(mood) = self.mood.as_deref_mut() {
            let placed = mood.answered(&arrival, placement.as_deref().filter(|_| expected), now);
            self.count_placed(placed);
        }
        if let Some(id) = placement.filter(|_| expected) {
            play.recorder
                .with(|tally| tally.measures(arrival.measured).delivery_mut(Kind::Placement).expected += 1);
            for (push, receipt) in play.placements.expect(&id, self.number, sent, arrival.measured) {
                play.placed(&push, receipt);
            }
        }
        if expected {
            self.end(&arrival, sent, now, Outcome::Completed);
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
        self.end(arrival, sent, play.clock.now(), Outcome::Failed(class));
    }

    fn end(&self, arrival: &Arrival, sent: Micros, now: Micros, outcome: Outcome) {
        GooseSample::offer(self.goose, arrival, now, &outcome);
        self.play.ended(arrival, sent, now, outcome);
        self.think(arrival, now, Pause::Again);
    }

    /// A frame that ends one request without naming it: API Gateway's own error frames carry no id. It is kept until
    /// no other request could be meant, so that each such frame fails exactly one.
    fn fail_one(&mut self, class: Class, detail: &str) {
        if self.claimed(|| class.to_string()) {
            return;
        }
        if self.pending.is_empty() {
            self.play.sample(self.number, "socket", &class, || detail.to_owned());
        } else {
            self.unclaimed.push_back((class, head(detail, DETAIL).to_owned()));
            self.settle();
        }
    }

    /// Whether a frame without an id is the answer to something malformed, which is the only thing awaited then.
    fn claimed(&mut self, outcome: impl FnOnce() -> String) -> bool {
        let claimed = self.mood.as_deref_mut().and_then(Mood::claim);
        if let Some(kind) = claimed {
            self.play.became(kind, outcome());
            self.resume();
        }
        claimed.is_some() || self.heart.as_deref_mut().is_some_and(|heart| heart.claim(self.play.clock.now()))
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

    fn time_out(&mut self) {
        if self.pending.is_empty() {
            return;
        }
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
            self.end(&arrival, sent, now, Outcome::TimedOut);
        }
    }

    /// The socket is gone: what it still awaited has failed.
    pub(super) fn drop_pending(&mut self, class: &Class) {
        for Pending { arrival, sent, .. } in std::mem::take(&mut self.pending) {
            self.fail(&arrival, sent, class.clone(), "the socket ended before the answer");
        }
    }

    /// Ends the connection as a router or a killed process does; says good-bye only if the cut is a polite one.
    pub(super) async fn cut(mut self, cut: Cut) {
        self.drop_pending(&"cut".into());
        match cut {
            Cut::Abort => {}
            Cut::Reset => {
                let tcp = match self.socket.get_ref() {
                    Either::Left(tcp) => tcp,
                    Either::Right(tls) => tls.get_ref().0,
                };
                if let Err(error) = tcp.set_zero_linger() {
                    self.play.sample(self.number, "socket", &"io".into(), || error.to_string());
                }
            }
            Cut::Close => {
                let frame = CloseFrame { code: CloseCode::Away, reason: Utf8Bytes::default() };
                let _ = tokio::time::timeout(FAREWELL, self.socket.close(Some(frame))).await;
            }
        }
    }

    /// What has become of a socket that nobody has read for a while: how the backend ended it, or `unnoticed`.
    pub(super) async fn find_out(&mut self) -> Class {
        loop {
            match tokio::time::timeout(GLANCE, self.socket.next()).await {
                Err(_) => return "unnoticed".into(),
                Ok(Some(Ok(Message::Close(frame)))) => return closed(frame.as_ref()),
                Ok(Some(Ok(_))) => {}
                Ok(Some(Err(error))) => return classify(&error),
                Ok(None) => return "closed_1006".into(),
            }
        }
    }

    /// Says good-bye.
    pub(super) async fn leave(mut self) {
        self.drop_pending(&INTERRUPTED.into());
        // Whether the other side still hears it changes nothing.
        let _ = tokio::time::timeout(FAREWELL, self.socket.close(None)).await;
    }
}

pub(super) fn dropped(error: &Error) -> End {
    End::Dropped(classify(error), error.to_string())
}

/// The error class of a broken socket.
fn classify(error: &Error) -> Class {
    match error {
        Error::Io(error) => format!("closed_{}", io_class(error)).into(),
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => "closed_1006".into(),
        Error::Protocol(_) => "protocol".into(),
        Error::Capacity(_) => "too_large".into(),
        Error::Utf8(_) => "not_utf8".into(),
        _ => "socket".into(),
    }
}

/// The error class of a close frame.
fn closed(frame: Option<&CloseFrame>) -> Class {
    frame.map_or("closed_1005".into(), |frame| format!("closed_{}", u16::from(frame.code)).into())
}
