//! An open socket: sends what arrives, matches what comes back, all in one poll of the player's task.
//!
//! A session tells its player's [context](super::context) what happens (sent, ended, pushed, an [`Event`]) at the
//! moment it happens, and counts nothing itself. It does not return one event a poll: each would cost a look into the
//! mailbox and a registration of the waker, and what one read brings is often several frames.

mod behaviour;
mod end;
mod heartbeat;
mod in_flight;
mod malformed;
mod request;
mod socket;

use std::task::{Context, Poll};

use scenarios::plan::disruptions::{ClientFault, Cut};
use scenarios::plan::operation::What;
use scenarios::plan::reference::Reference;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Utf8Bytes;

pub(super) use behaviour::Behaviour;
pub(super) use end::{Dropped, End};
pub(super) use heartbeat::HeartbeatTimer;

use self::behaviour::{PendingAction, Step};
use self::in_flight::{InFlight, SentRequest, Unclaimed};
use self::socket::{Received, Socket};
use super::commands::PlayerCommand;
use super::context::{Outcome, PlayerContext};
use super::handshake::Stream;
use super::placement_poll;
use super::think_time::Pause;
use super::wire::{AckId, Incoming};
use crate::auth::head;
use crate::clock::{Micros, micros};
use crate::delivery::PlacementPush;
use crate::delivery::presence::Presence;
use crate::record::{Class, Event, classes};
use crate::schedule::Arrival;

/// Bytes kept of an error until it is known which request it belongs to.
const DETAIL: usize = 1024;

/// An open socket with its awaited answers.
pub(super) struct Session<'p> {
    player: &'p PlayerContext,
    /// Which of the player's sockets it is, from 0.
    socket_generation: u32,
    socket: Socket,
    behaviour: Option<Box<Behaviour>>,
    /// What keeps the socket open; absent where the plan has nothing for it.
    heartbeat: Option<Box<HeartbeatTimer>>,
    in_flight: InFlight,
}

impl<'p> Session<'p> {
    pub(super) fn new(
        player: &'p PlayerContext,
        socket_generation: u32,
        socket: WebSocketStream<Stream>,
        behaviour: Option<Box<Behaviour>>,
        heartbeat: Option<Box<HeartbeatTimer>>,
    ) -> Self {
        let (socket, in_flight) = (Socket::new(socket), InFlight::default());
        Self { player, socket_generation, socket, behaviour, heartbeat, in_flight }
    }

    /// The client fault that the whole socket is, if it is.
    pub(super) fn fault(&self) -> Option<ClientFault> {
        self.behaviour.as_deref().and_then(Behaviour::fault)
    }

    /// The malformed message, a part of which has left.
    pub(super) fn malformed_sent(&self) -> Option<ClientFault> {
        self.behaviour.as_deref().and_then(Behaviour::malformed_sent)
    }

    /// The malformed message of which nothing was sent.
    pub(super) fn malformed_unsent(&self) -> Option<ClientFault> {
        self.behaviour.as_deref().and_then(Behaviour::malformed_unsent)
    }

    /// Does whatever can be done now; ready when the socket has ended or the run is over.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        match self.advance(cx) {
            Some(end) => Poll::Ready(end),
            None => {
                self.set_deadline();
                Poll::Pending
            }
        }
    }

    fn advance(&mut self, cx: &mut Context<'_>) -> Option<End> {
        let (player, players) = (self.player, &self.player.play.players);
        let arrivals = players.take(player.number, cx);
        if players.stopping() {
            arrivals.iter().for_each(|arrival| player.unsent(arrival, &classes::UNSENT_RUN_ENDED));
            return Some(End::RunOver);
        }
        match players.take_command(player.number) {
            Some(PlayerCommand::Cut(cut)) => {
                arrivals.iter().for_each(|arrival| player.unsent(arrival, &classes::UNSENT_NO_OPEN_SOCKET));
                return Some(End::Cut(cut));
            }
            Some(PlayerCommand::Send(fault)) => self.plan_malformed(fault),
            None => {}
        }
        let silent = self.is_silent();
        for arrival in arrivals {
            if silent {
                player.unsent(&arrival, &classes::UNSENT_NO_OPEN_SOCKET);
            } else {
                self.send(&arrival, cx);
            }
        }
        if let Some(end) = self.take_step() {
            return Some(end);
        }
        if !silent && let Some(end) = self.read(cx) {
            return Some(end);
        }
        self.time_out();
        // What the answers have called for at once.
        for arrival in players.take_more(player.number) {
            self.send(&arrival, cx);
        }
        if !silent {
            self.beat(cx);
            if let Err(dropped) = self.socket.flush(cx) {
                return Some(End::Dropped(dropped));
            }
        }
        self.act(cx)
    }

    /// Asks to be woken when the next thing is due.
    fn set_deadline(&self) {
        let now = self.player.now();
        let behaviour = self.behaviour.as_deref().and_then(|behaviour| behaviour.due(now));
        let heartbeat = self.heartbeat.as_deref().filter(|_| !self.is_silent()).map(HeartbeatTimer::due);
        let due = self.in_flight.deadline().into_iter().chain(behaviour).chain(heartbeat).min();
        self.player.play.players.set_deadline(self.player.number, due);
    }

    fn is_silent(&self) -> bool {
        self.behaviour.as_deref().is_some_and(Behaviour::is_silent)
    }

    // ---- Sending ----

    fn send(&mut self, arrival: &Arrival, cx: &mut Context<'_>) {
        let (player, play) = (self.player, &self.player.play);
        let planned = play.plan.operation(arrival.operation);
        match planned.what {
            What::Poll(_) => return placement_poll::start(play, player.number, *arrival),
            // A second connect on an open socket is nothing that a plan calls for.
            What::Connect => return,
            _ => {}
        }
        let Some((text, recipients)) = request::of(play, arrival) else {
            return self.unsent(arrival, &classes::UNSENT_NO_RECIPIENT);
        };
        let sent = player.now();
        let count = recipients.len() as u64;
        if count > 0 {
            play.deliveries.messages.expect(arrival.index, player.number, recipients, sent, arrival.measured);
        }
        if !self.socket.write(text, cx) {
            play.deliveries.messages.withdraw(arrival.index);
            return self.unsent(arrival, &classes::UNSENT_WRITE_BLOCKED);
        }
        player.sent(arrival, sent);
        if count > 0 {
            player.observe(Event::Expected { kind: Reference::MESSAGE, ledger: arrival.measured, count });
        }
        let timeout = micros(planned.timeout);
        self.in_flight.add(SentRequest { arrival: *arrival, sent, deadline: sent + timeout });
    }

    fn unsent(&self, arrival: &Arrival, class: &Class) {
        self.player.unsent(arrival, class);
        self.player.think(arrival, self.player.now(), Pause::Idle);
    }

    /// Sends a heartbeat, if one is due. A socket that awaits an answer has just been used, and is left alone.
    fn beat(&mut self, cx: &mut Context<'_>) {
        let Some(timer) = self.heartbeat.as_deref_mut() else { return };
        let Some(plan) = &self.player.play.plan.way.heartbeat else { return };
        let now = self.player.now();
        if !timer.elapsed(plan, now) || !self.in_flight.is_empty() {
            return;
        }
        match &plan.message {
            Some(text) => {
                timer.sent(now);
                // A socket whose buffer is full is not idle.
                self.socket.write(text.clone(), cx);
            }
            None => self.socket.ping(cx),
        }
    }

    // ---- Receiving ----

    /// Reads until nothing is there; the end of the socket, if that is what comes.
    fn read(&mut self, cx: &mut Context<'_>) -> Option<End> {
        while self.may_read()
            && let Poll::Ready(received) = self.socket.poll_received(cx)
        {
            match received {
                Ok(Received::Text(text)) => self.take(&text),
                Ok(Received::Binary) => self.garbage("a binary frame"),
                Err(dropped) => return Some(End::Dropped(dropped)),
            }
        }
        None
    }

    fn may_read(&self) -> bool {
        self.behaviour.as_deref().is_none_or(|behaviour| behaviour.reads(self.player.now()))
    }

    fn take(&mut self, text: &Utf8Bytes) {
        match self.behaviour.as_deref_mut() {
            // What a slow reader reads late is its own doing, and stays out of the figures.
            Some(behaviour) if behaviour.is_slow() => {
                behaviour.has_read(self.player.now());
                self.player.observe(Event::SlowRead);
            }
            _ => self.receive(text),
        }
    }

    fn receive(&mut self, text: &Utf8Bytes) {
        let player = self.player;
        let now = player.now();
        match Incoming::parse(text) {
            Incoming::Ack { id, status, placement, body } => match self.take_request(id) {
                Some(request) => self.answered(&request, status, placement, &body, now),
                None => {
                    self.stray(&classes::LATE_ANSWER, &format_args!("answer {id} with status {status}"));
                }
            },
            Incoming::PlainAnswer { operation, status, placement } => {
                let operation = request::planned(&player.play.plan.reference, operation);
                match operation.and_then(|operation| self.in_flight.take_first(operation)) {
                    Some(request) => self.answered(&request, status, placement, text, now),
                    None if self.claimed(|| classes::answered(status)) => {}
                    None => self.stray(&classes::LATE_ANSWER, &text),
                }
            }
            Incoming::Message { text } => player.message_pushed(&text, now),
            Incoming::Placement { id, status } => {
                let push = PlacementPush { player: player.number, at: now, status: status.into_owned() };
                if let Some(receipt) = player.play.deliveries.placements.receive(&id, &push) {
                    player.placement_pushed(&push, receipt);
                }
            }
            Incoming::GatewayError(message) => {
                self.fail_one(player.observer.class_of(player.number, "", &message), &message);
            }
            Incoming::Garbage => self.garbage(text),
        }
    }

    /// Takes the request that an answer names.
    fn take_request(&mut self, id: AckId) -> Option<SentRequest> {
        let operation = request::planned(&self.player.play.plan.reference, id.operation)?;
        self.in_flight.take(operation, id.index)
    }

    /// The answer to a request has come.
    fn answered(
        &mut self,
        request: &SentRequest,
        status: u16,
        placement: Option<String>,
        body: &str,
        now: Micros,
    ) {
        let SentRequest { arrival, sent, .. } = request;
        let player = self.player;
        let reference = &player.play.plan.reference;
        let operation = Some(arrival.operation);
        let expected = if operation == reference.unknown_route {
            status == 404
        } else {
            let needs_placement = operation == reference.placement_request;
            (200..300).contains(&status) && (placement.is_some() || !needs_placement)
        };
        if let Some(id) = placement.filter(|_| expected) {
            let ledger = arrival.measured;
            player.observe(Event::Expected { kind: Reference::PLACEMENT, ledger, count: 1 });
            for (push, receipt) in player.play.deliveries.placements.expect(&id, player.number, *sent, ledger)
            {
                player.placement_pushed(&push, receipt);
            }
        }
        if expected {
            self.ended(request, now, Outcome::Completed);
        } else {
            self.fail(request, &classes::status(status), body);
        }
        self.fail_settled();
    }

    /// A request failed: nothing more is expected of it.
    fn fail(&self, request: &SentRequest, class: &Class, detail: &str) {
        let (player, arrival) = (self.player, &request.arrival);
        if Some(arrival.operation) == player.play.plan.reference.send_message {
            let count = player.play.deliveries.messages.withdraw(arrival.index);
            player.observe(Event::Withdrawn { kind: Reference::MESSAGE, ledger: arrival.measured, count });
        }
        self.ended(request, player.now(), Outcome::Failed { class, detail: Some(&detail) });
    }

    fn ended(&self, request: &SentRequest, now: Micros, outcome: Outcome<'_>) {
        self.player.ended(&request.arrival, request.sent, now, outcome);
        self.player.think(&request.arrival, now, Pause::Again);
    }

    /// An error frame fails one request without naming it.
    fn fail_one(&mut self, class: Class, detail: &str) {
        if self.claimed(|| class.clone()) {
            return;
        }
        if self.in_flight.is_empty() {
            self.stray(&class, &detail);
        } else {
            self.in_flight.keep(Unclaimed { class, detail: head(detail, DETAIL).to_owned() });
            self.fail_settled();
        }
    }

    /// Fails the requests of which it is certain that an error frame was theirs.
    fn fail_settled(&mut self) {
        while let Some((request, Unclaimed { class, detail })) = self.in_flight.next_failed() {
            match request {
                Some(request) => self.fail(&request, &class, &detail),
                None => self.stray(&class, &detail),
            }
        }
    }

    /// Whether a frame without an id is the answer to something malformed, which is the only thing awaited then, or to
    /// a heartbeat.
    fn claimed(&mut self, outcome: impl FnOnce() -> Class) -> bool {
        if let Some(fault) = self.behaviour.as_deref_mut().and_then(Behaviour::claim) {
            self.player.observe(Event::FaultOutcome { fault, outcome: &outcome() });
            self.resume();
            return true;
        }
        self.heartbeat.as_deref_mut().is_some_and(|timer| timer.claim(self.player.now()))
    }

    fn garbage(&mut self, seen: &str) {
        self.fail_one(classes::GARBAGE.clone(), seen);
    }

    fn stray(&self, class: &Class, detail: &dyn std::fmt::Display) {
        self.player.observe(Event::Stray { player: self.player.number, class, detail });
    }

    fn time_out(&mut self) {
        if self.in_flight.is_empty() {
            return;
        }
        let now = self.player.now();
        while let Some((request, error)) = self.in_flight.next_overdue(now) {
            match error {
                Some(Unclaimed { class, detail }) => self.fail(&request, &class, &detail),
                None => self.ended(&request, now, Outcome::TimedOut),
            }
        }
    }

    // ---- What is unusual about the player ----

    /// The disruptions want the player to send something malformed.
    fn plan_malformed(&mut self, fault: ClientFault) {
        if self.behaviour.get_or_insert_default().plan_malformed(fault) {
            self.player.set_presence(Presence::Leaving, false);
        } else {
            self.player.fault_outcome(fault, &classes::UNSENT_NO_OPEN_SOCKET);
        }
    }

    /// Takes the step that is due; the end of the socket, if that is it.
    fn take_step(&mut self) -> Option<End> {
        let behaviour = self.behaviour.as_deref_mut()?;
        let now = self.player.now();
        match behaviour.step(now)? {
            Step::Plan(action) => self.plan(action),
            Step::CheckSocket => return Some(End::NotRead),
        }
        None
    }

    fn plan(&mut self, action: PendingAction) {
        let Some(behaviour) = self.behaviour.as_deref_mut() else { return };
        if let Some(fault) = behaviour.plan(action) {
            self.player.fault_outcome(fault, &classes::UNSENT_NO_OPEN_SOCKET);
        }
        self.player.set_presence(Presence::Leaving, false);
    }

    /// Does what waited for the last answer; the end of the socket, if that is it.
    fn act(&mut self, cx: &mut Context<'_>) -> Option<End> {
        let behaviour = self.behaviour.as_deref_mut()?;
        let player = self.player;
        let now = player.now();
        if self.in_flight.is_empty() {
            match behaviour.take_action() {
                Some(PendingAction::Leave) => return Some(End::SessionOver),
                Some(PendingAction::StopReading) => {
                    behaviour.stop_reading();
                    player.set_presence(Presence::NotReading, true);
                    player.observe(Event::FaultMade(ClientFault::HalfOpen));
                }
                Some(PendingAction::Send(fault)) => {
                    let patience = player.play.plan.disruptions.malformed.patience;
                    behaviour.send_malformed(fault, now + micros(patience));
                }
                None => {}
            }
        }
        self.write_malformed(cx, now)
    }

    /// Writes a malformed message past the WebSocket protocol, once everything before it has left.
    fn write_malformed(&mut self, cx: &mut Context<'_>, now: Micros) -> Option<End> {
        if !self.socket.is_flushed() {
            // Woken again when it has left.
            return None;
        }
        let behaviour = self.behaviour.as_deref_mut()?;
        let send = behaviour.malformed_mut()?;
        send.wrote(self.socket.write_raw(send.unwritten(), cx));
        if let Err(dropped) = self.socket.flush_raw(cx) {
            return Some(End::Dropped(dropped));
        }
        if let Some(send) = behaviour.malformed_elapsed(now) {
            let whole = send.is_whole();
            let outcome = if whole { &classes::IGNORED } else { &classes::WRITE_BLOCKED };
            self.player.fault_outcome(send.fault, outcome);
            if !whole {
                // Half a message makes everything after it malformed, too.
                return Some(End::Unusable);
            }
            self.resume();
        }
        None
    }

    /// A malformed message has had its effect and the socket is still open: back to ordinary work.
    fn resume(&self) {
        if self.behaviour.as_deref().is_some_and(|behaviour| !behaviour.has_plans()) {
            self.player.set_presence(Presence::Open, false);
        }
    }

    // ---- The end ----

    /// The socket is gone: the requests whose answers were awaited have failed.
    pub(super) fn fail_all(&mut self, class: &Class) {
        for request in self.in_flight.take_all() {
            self.fail(&request, class, "the socket ended before the answer");
        }
    }

    /// Ends the connection as the disruptions want it.
    pub(super) async fn cut(mut self, cut: Cut) {
        self.fail_all(&classes::CUT);
        if let Err(error) = self.socket.cut(cut).await {
            self.stray(&classes::IO, &error);
        }
    }

    /// How the backend ended a socket that was not read for a while; `unnoticed` where it did not.
    pub(super) async fn find_out(&mut self) -> Class {
        self.socket.find_out().await
    }

    /// Closes the socket; answers that are still awaited are not waited for.
    pub(super) async fn leave(mut self) {
        self.fail_all(&classes::INTERRUPTED);
        self.socket.close().await;
    }
}
