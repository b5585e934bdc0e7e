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
mod opening;
mod request;
mod socket;

use std::borrow::Cow;
use std::task::{Context, Poll};

use protocol::outline::Tie;
use protocol::protocol::{
    Meaning, Missing, Outcome as AnswerOutcome, PushOutcome, Read, Request as RequestRef, Sending,
};
use protocol::{frames, shape};

use scenarios::plan::disruptions::{ClientFault, Cut};
use scenarios::plan::operation::{Kind, Operation, What};
use tokio_tungstenite::WebSocketStream;

pub(super) use behaviour::Behaviour;
pub(super) use end::{Dropped, End};
pub(super) use heartbeat::{Heartbeat, HeartbeatTimer};

use self::behaviour::{PendingAction, Step};
use self::in_flight::{InFlight, InOrder, SentRequest, Unclaimed};
use self::opening::{Opening, OpeningStep};
use self::socket::{Metered, Received, Socket};
use super::commands::PlayerCommand;
use super::context::{Outcome, PlayerContext};
use super::handshake::Stream;
use super::journey::{JourneyRun, JourneyStep};
use super::kept::Kept;
use super::poll;
use super::send_values::SendValues;
use super::tap::{Fate, Offer, Purpose, Sight};
use super::think_time::{Pause, called_for};
use crate::auth::head;
use crate::clock::{Micros, micros};
use crate::delivery::presence::Presence;
use crate::delivery::{Receipt, Sent};
use crate::record::{Class, Event, classes};
use crate::schedule::Arrival;

/// Bytes kept of an error until it is known which request it belongs to.
const DETAIL: usize = 1024;
/// Most steps of a journey that are done before the socket is looked at again.
const STEPS_AT_ONCE: usize = 64;

/// An open socket with its awaited answers.
pub(super) struct Session<'p> {
    player: &'p PlayerContext,
    socket: Socket,
    behaviour: Option<Box<Behaviour>>,
    /// Where the player is on its journey, if it has one.
    journey: Option<Box<JourneyRun<'p>>>,
    /// What keeps the socket open; absent where the plan has nothing for it.
    heartbeat: Option<Box<HeartbeatTimer>>,
    /// What the protocol demands before the player is ready; absent once it is.
    opening: Option<Box<Opening>>,
    /// What messages to come need; absent where there is nothing.
    kept: Option<Box<Kept>>,
    in_flight: InFlight,
    /// Messages sent so far.
    messages: u32,
}

impl<'p> Session<'p> {
    pub(super) fn new(
        player: &'p PlayerContext,
        socket: WebSocketStream<Stream>,
        behaviour: Option<Box<Behaviour>>,
        journey: Option<Box<JourneyRun<'p>>>,
        heartbeat: Option<Box<HeartbeatTimer>>,
    ) -> Self {
        Self {
            player,
            socket: Socket::new(socket),
            behaviour,
            journey,
            heartbeat,
            opening: Opening::of(player),
            kept: None,
            in_flight: InFlight::default(),
            messages: 0,
        }
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
            Some(end) => {
                self.passed(0);
                Poll::Ready(end)
            }
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
        if let Some(end) = self.open(cx) {
            return Some(end);
        }
        self.time_out();
        self.travel(cx);
        // What the answers have called for at once.
        for arrival in players.take_more(player.number) {
            self.send(&arrival, cx);
        }
        if !silent {
            if let Some(end) = self.beat(cx) {
                return Some(end);
            }
            if let Err(dropped) = self.socket.flush(cx) {
                return Some(End::Dropped(dropped));
            }
        }
        self.act(cx)
    }

    /// Asks to be woken when the next thing is due.
    fn set_deadline(&self) {
        let player = self.player;
        let plan = &player.play.plan;
        let behaviour = self.behaviour.as_deref().and_then(|behaviour| behaviour.due(player.now()));
        let heartbeat = self.heartbeat.as_deref().filter(|_| !self.is_silent());
        let heartbeat = heartbeat.map(|timer| timer.due(Heartbeat::of(plan)));
        let opening = self.opening.as_deref().map(Opening::due);
        // Nothing of a journey is due while the player is held up, nor when the plan is over.
        let goes_on = || !self.is_held_up() && player.now() < micros(plan.end());
        let journey = self.journey.as_deref().filter(|_| goes_on()).and_then(JourneyRun::due);
        let awaited = self.in_flight.deadline().into_iter().chain(journey);
        let due = awaited.chain(behaviour).chain(heartbeat).chain(opening).min();
        player.play.players.set_deadline(player.number, due);
    }

    fn is_silent(&self) -> bool {
        self.behaviour.as_deref().is_some_and(Behaviour::is_silent)
    }

    // ---- Sending ----

    fn send(&mut self, arrival: &Arrival, cx: &mut Context<'_>) {
        let (player, plan) = (self.player, &self.player.play.plan);
        let planned = plan.operation(arrival.operation);
        let number = match planned.what {
            What::Request(number) => number,
            What::Poll(_) => return poll::start(&player.play, player.number, *arrival),
            // Nothing that a plan calls for on an open socket.
            What::Connect | What::Ready | What::Journey(_) => return,
        };
        if self.opening.is_some() {
            return self.unsent(arrival, &classes::UNSENT_NOT_READY);
        }
        let id = self.next_id();
        let request = match request::compose(player, planned, number, arrival, id, self.kept.as_deref()) {
            Ok(request) => request,
            Err(class) => return self.unsent(arrival, class),
        };
        let sent = player.now();
        let expected = request
            .push
            .map(|(kind, to)| (kind, player.play.deliveries.expect(kind, self.sent(arrival, sent), to)));
        player.show(sent, |shown| Sight::Sent {
            message: shown(&request.message),
            purpose: Purpose::Request { operation: arrival.operation, arrival: arrival.index, id },
        });
        if !self.write(request.message, cx) {
            self.withdraw(arrival);
            return self.unsent(arrival, &classes::UNSENT_WRITE_BLOCKED);
        }
        player.sent(arrival, sent);
        if let Some((kind, count @ 1..)) = expected {
            player.observe(Event::Expected { kind, ledger: arrival.measured, count });
        }
        if plan.protocol.outline().operations[number].answered {
            let deadline = sent + micros(planned.timeout);
            self.in_flight.add(SentRequest { arrival: *arrival, id, field: request.field, sent, deadline });
        } else {
            player.unanswered(arrival);
            player.think(arrival, sent, Pause::Again);
            self.step_ended(arrival, true, None, sent);
        }
    }

    /// An arrival's request, of which pushes are expected.
    fn sent(&self, arrival: &Arrival, at: Micros) -> Sent {
        let Arrival { operation, index, measured, .. } = *arrival;
        let send = self.player.play.deliveries.correlation(operation, index).send;
        Sent { send, sender: self.player.number, at, measured }
    }

    /// Expects no more pushes of an arrival's request; returns of what, and how many are no longer expected.
    fn withdraw(&self, arrival: &Arrival) -> Option<(Kind, u64)> {
        let play = &self.player.play;
        let kind = play.plan.push_of(arrival.operation)?;
        let send = play.deliveries.correlation(arrival.operation, arrival.index).send;
        Some((kind, play.deliveries.withdraw(kind, self.player.number, send)))
    }

    /// The number of the socket's next message.
    fn next_id(&mut self) -> u64 {
        self.messages += 1;
        u64::from(self.messages)
    }

    /// Puts a message into the socket's buffer, in a frame of the protocol; false when the buffer is full.
    fn write(&mut self, message: String, cx: &mut Context<'_>) -> bool {
        let frames = &self.player.play.plan.protocol.outline().frames;
        self.socket.write(frames::join(message, frames), frames.binary, cx)
    }

    fn unsent(&mut self, arrival: &Arrival, class: &Class) {
        let now = self.player.now();
        self.player.unsent(arrival, class);
        self.player.think(arrival, now, Pause::Idle);
        self.step_ended(arrival, false, None, now);
    }

    /// A message that is no operation's.
    fn message(&self, what: Sending, id: u64) -> Result<String, Missing> {
        let (player, kept) = (self.player, self.kept.as_deref());
        let values = SendValues { player, id, recipients: &[], text: "", kept, operation: None };
        player.play.plan.protocol.write(what, &values)
    }

    /// Shows what is being sent to the one who looks on.
    fn show_sent(&self, message: &str, purpose: Purpose, now: Micros) {
        self.player.show(now, |shown| Sight::Sent { message: shown(message), purpose });
    }

    /// Sends a heartbeat, if one is due; the end of the socket, if the target has been silent for too long. A socket that
    /// awaits an answer has just been used, and is left alone.
    fn beat(&mut self, cx: &mut Context<'_>) -> Option<End> {
        let timer = self.heartbeat.as_deref_mut()?;
        let beat = Heartbeat::of(&self.player.play.plan)?;
        let now = self.player.now();
        if timer.is_silent(beat, now) {
            let detail = "no frame came for as long as the protocol's heartbeat allows";
            return Some(End::Dropped(Dropped::of(classes::SILENT.clone(), detail)));
        }
        if !timer.elapsed(beat, now) || !self.in_flight.is_empty() {
            return None;
        }
        // A socket whose buffer is full is not idle.
        match beat {
            Heartbeat::Scenario(beat) => match &beat.message {
                Some(text) => {
                    timer.sent(now, None);
                    let _ = self.socket.write(text.clone(), false, cx);
                }
                None => self.socket.ping(cx),
            },
            Heartbeat::Protocol(beat) if beat.sends => {
                let id = self.next_id();
                if let Ok(message) = self.message(Sending::Heartbeat, id) {
                    self.heartbeat.as_deref_mut()?.sent(now, Some(id));
                    self.show_sent(&message, Purpose::Heartbeat, now);
                    let _ = self.write(message, cx);
                }
            }
            Heartbeat::Protocol(_) => self.socket.ping(cx),
        }
        None
    }

    // ---- The opening ----

    /// Does what the opening demands; the end of the socket, if it has failed.
    fn open(&mut self, cx: &mut Context<'_>) -> Option<End> {
        let player = self.player;
        let steps = &player.play.plan.protocol.outline().opening;
        loop {
            let opening = self.opening.as_deref_mut()?;
            let now = player.now();
            let step = opening.next(steps, now);
            match step {
                OpeningStep::Wait => return None,
                OpeningStep::Ready => {
                    self.ready(now);
                    return None;
                }
                OpeningStep::Failed { step, class } => {
                    let detail = format!("step `{}` of the opening was refused", steps[step].name);
                    return Some(self.not_ready(class, detail));
                }
                OpeningStep::TimedOut(step) => {
                    let detail =
                        format!("step `{}` of the opening was not answered in time", steps[step].name);
                    return Some(self.not_ready(classes::TIMEOUT.clone(), detail));
                }
                OpeningStep::Send(step) => {
                    let id = self.next_id();
                    let message = match self.message(Sending::Step(step), id) {
                        Ok(message) => message,
                        Err(Missing { name }) => {
                            let detail =
                                format!("step `{}` needs `{name}`, which is not there", steps[step].name);
                            return Some(self.not_ready(classes::UNSENT_MISSING_VALUE.clone(), detail));
                        }
                    };
                    self.show_sent(&message, Purpose::Step(step), now);
                    if !self.write(message, cx) {
                        let class = classes::UNSENT_WRITE_BLOCKED.clone();
                        return Some(self.not_ready(class, "the socket takes nothing more".into()));
                    }
                    if let Some(opening) = self.opening.as_deref_mut() {
                        opening.sent(steps, id, now);
                    }
                }
            }
        }
    }

    /// The opening is over: the player may send and be sent to.
    fn ready(&mut self, now: Micros) {
        let Some(opening) = self.opening.take() else { return };
        let player = self.player;
        player.ended(&opening.arrival, opening.began, now, Outcome::Completed);
        player.play.credentials.ready(player.number);
        player.open(self.behaviour.as_deref().map_or(Presence::Open, Behaviour::presence));
    }

    /// Whether the player is not ready yet.
    pub(super) const fn is_opening(&self) -> bool {
        self.opening.is_some()
    }

    /// The opening has failed.
    fn not_ready(&mut self, class: Class, detail: String) -> End {
        let now = self.player.now();
        self.player.show(now, |shown| Sight::Ended { class: shown(&class), detail: shown(&detail) });
        self.fail_opening(&class, &detail);
        End::NotReady { class }
    }

    /// Ends the opening, if it is not over.
    fn fail_opening(&mut self, class: &Class, detail: &str) {
        let Some(opening) = self.opening.take() else { return };
        let outcome = if *class == classes::TIMEOUT {
            Outcome::TimedOut
        } else {
            Outcome::Failed { class, detail: Some(&detail) }
        };
        self.player.ended(&opening.arrival, opening.began, self.player.now(), outcome);
    }

    // ---- Receiving ----

    /// Reads until nothing is there; the end of the socket, if that is what comes.
    fn read(&mut self, cx: &mut Context<'_>) -> Option<End> {
        let mut understood = 0;
        let mut end = None;
        while self.may_read()
            && let Poll::Ready(received) = self.socket.poll_received(cx)
        {
            match received {
                Ok(Received::Text(text)) => understood += self.take(&text, cx),
                Ok(Received::Binary(bytes)) => match std::str::from_utf8(&bytes) {
                    Ok(text) => understood += self.take(text, cx),
                    Err(_) => {
                        let message = "a binary frame that is no text";
                        self.unclassified(message);
                        self.show_received(message, Read::Unclassified, Vec::new(), self.player.now());
                    }
                },
                Err(dropped) => {
                    end = Some(End::Dropped(dropped));
                    break;
                }
            }
        }
        self.passed(understood);
        end
    }

    /// Counts what has passed the socket, where something was received; of it the protocol knows so many messages. What is only
    /// sent waits for the next answer, or the end.
    fn passed(&mut self, understood: u64) {
        let Metered { sent, received } = self.socket.take_metered();
        if sent + received > 0 {
            self.player.observe(Event::Passed { understood, received, sent });
        }
    }

    fn may_read(&self) -> bool {
        self.behaviour.as_deref().is_none_or(|behaviour| behaviour.reads(self.player.now()))
    }

    /// Takes a frame; how many of its messages the protocol knows.
    fn take(&mut self, frame: &str, cx: &mut Context<'_>) -> u64 {
        let now = self.player.now();
        if let Some(timer) = self.heartbeat.as_deref_mut() {
            timer.heard(now);
        }
        if let Some(behaviour) = self.behaviour.as_deref_mut().filter(|behaviour| behaviour.is_slow())
            && self.opening.is_none()
        {
            // What a slow reader reads late is its own doing, and stays out of the figures.
            behaviour.has_read(now);
            self.player.observe(Event::SlowRead);
            return 0;
        }
        let split = &self.player.play.plan.protocol.outline().frames.split;
        frames::split(frame, split).into_iter().map(|message| u64::from(self.receive(message, now, cx))).sum()
    }

    /// Takes a message; false where the protocol does not know it.
    fn receive(&mut self, message: &str, now: Micros, cx: &mut Context<'_>) -> bool {
        let player = self.player;
        let (plan, is_watched) = (&player.play.plan, player.play.tap.is_some());
        // What only answers an operation that the plan does not have answers nothing that was ever sent.
        let mut is_possible = false;
        let mut offers = Vec::new();
        let mut read = plan.protocol.read(message, &mut |meaning| {
            is_possible |=
                !matches!(meaning, Meaning::Answer { operation, .. } if plan.requested(operation).is_none());
            let shown = is_watched.then(|| meaning.shown(&|text| player.play.shown(player.number, text)));
            let fate = self.take_as(meaning, message, now, cx);
            offers.extend(shown.map(|meaning| Offer { meaning, fate }));
            fate.is_taken()
        });
        if read == Read::Known && !is_possible {
            read = Read::Unclassified;
        }
        match read {
            Read::Taken => {}
            Read::Known => self.stray(&classes::LATE_ANSWER, &message),
            Read::Unclassified => {
                let class = || player.observer.class_of(player.number, "", message);
                if self.claimed(class) {
                    read = Read::Taken;
                } else {
                    self.unclassified(message);
                }
            }
        }
        if is_watched {
            self.show_received(message, read, offers, now);
        }
        read != Read::Unclassified
    }

    /// Shows what was received to the one who looks on, and what it was answered with at once.
    #[cold]
    fn show_received(&self, message: &str, read: Read, offers: Vec<Offer>, now: Micros) {
        let correlation = self.player.play.deliveries.find(message);
        let marker = correlation.map(|sent| (Operation::of(sent.operation().into()), sent.index()));
        let reply = offers.last().and_then(|offer| match &offer.meaning {
            Meaning::Reply(reply) => Some(reply.clone()),
            _ => None,
        });
        self.player.show(now, |shown| Sight::Received { message: shown(message), read, offers, marker });
        if let Some(reply) = reply {
            self.show_sent(&reply, Purpose::Reply, now);
        }
    }

    /// Takes a message for what it may mean, where something of that kind is awaited.
    fn take_as(&mut self, meaning: Meaning<'_>, message: &str, now: Micros, cx: &mut Context<'_>) -> Fate {
        let player = self.player;
        Fate::of(match meaning {
            Meaning::Answer { operation, to, outcome, keep } => {
                let Some(operation) = player.play.plan.requested(operation) else { return Fate::Declined };
                self.answered(operation, &to, &outcome, keep, message, now)
            }
            Meaning::Push { push, tie, outcome } => {
                return Fate::Pushed(self.pushed(Kind::of(push), tie.as_deref(), &outcome, message, now));
            }
            Meaning::Reply(reply) => {
                // A socket whose buffer is full has other worries.
                let _ = self.write(reply, cx);
                true
            }
            Meaning::HeartbeatAnswer { id } => {
                self.heartbeat.as_deref_mut().is_some_and(|timer| timer.answered(id))
            }
            Meaning::Opened { step, id, failed, keep } => {
                let steps = &player.play.plan.protocol.outline().opening;
                let failed = failed.map(|class| player.observer.class_of(player.number, "", &class));
                let opening = self.opening.as_deref_mut();
                let opened = opening.is_some_and(|opening| opening.answered(steps, step, id, failed, now));
                if opened {
                    self.keep(keep);
                }
                opened
            }
            Meaning::Error { said } => {
                self.fail_one(player.observer.class_of(player.number, "", &said), &said);
                true
            }
            Meaning::Ignored => true,
        })
    }

    /// Keeps values for messages to come, if any.
    fn keep(&mut self, values: Vec<(usize, Cow<'_, str>)>) {
        if !values.is_empty() {
            self.kept.get_or_insert_default().keep(values);
        }
    }

    /// Something was pushed: what that turned out to be, where it is known.
    fn pushed(
        &mut self,
        kind: Kind,
        value: Option<&str>,
        outcome: &PushOutcome<'_>,
        message: &str,
        now: Micros,
    ) -> Option<Receipt> {
        let receipt = self.player.pushed(kind, value, message, outcome, now);
        // Looked for in the message only where it is awaited.
        let awaits = |journey: &&mut JourneyRun<'_>| journey.awaits(kind);
        let Some(journey) = self.journey.as_deref_mut().filter(awaits) else { return receipt };
        if *outcome == PushOutcome::Progress {
            return receipt;
        }
        let play = &self.player.play;
        let index = match play.plan.protocol.outline().pushes[kind.index()].tie {
            Tie::Kept(_) | Tie::Player => None,
            // Somebody else's send may be pushed to the player, too.
            Tie::Marker => match play.deliveries.find(message) {
                Some(correlation) => Some(correlation.index()),
                None => return receipt,
            },
        };
        journey.pushed(kind, index, value, *outcome == PushOutcome::Final, now);
        receipt
    }

    /// A message may be the answer to a request; false where it is to none that is awaited.
    fn answered(
        &mut self,
        operation: Operation,
        to: &RequestRef<'_>,
        outcome: &AnswerOutcome<'_>,
        keep: Vec<(usize, Cow<'_, str>)>,
        message: &str,
        now: Micros,
    ) -> bool {
        if *outcome == AnswerOutcome::Pending {
            return match to {
                RequestRef::Id(id) => self.in_flight.has(operation, *id),
                RequestRef::Field(_) | RequestRef::Echo | RequestRef::Oldest => true,
            };
        }
        let request = match to {
            RequestRef::Id(id) => self.in_flight.take(operation, *id),
            RequestRef::Field(value) => self.in_flight.take_field(operation, value),
            RequestRef::Echo => {
                let sent = self.player.play.deliveries.find(message);
                sent.filter(|sent| usize::from(sent.operation()) == operation.index())
                    .and_then(|sent| self.in_flight.take_arrival(operation, sent.index()))
            }
            RequestRef::Oldest => match self.in_flight.take_in_order(operation, now) {
                InOrder::Request(request) => Some(request),
                // To what has timed out.
                InOrder::Overdue => None,
                // Something malformed may have been answered like this.
                InOrder::Nothing => {
                    let (player, observer) = (self.player.number, &self.player.observer);
                    return self.claimed(|| match outcome {
                        AnswerOutcome::Failed(class) => {
                            let class = class.strip_prefix("status_").unwrap_or(class);
                            observer.class_of(player, "answered_", class)
                        }
                        AnswerOutcome::Ok | AnswerOutcome::Pending => classes::ANSWERED.clone(),
                    });
                }
            },
        };
        let Some(request) = request else {
            // Known, and late.
            return false;
        };
        self.conclude(&request, outcome, &keep, message, now);
        self.keep(keep);
        self.fail_settled();
        true
    }

    /// The answer to a request has come.
    fn conclude(
        &mut self,
        request: &SentRequest,
        outcome: &AnswerOutcome<'_>,
        keep: &[(usize, Cow<'_, str>)],
        message: &str,
        now: Micros,
    ) {
        let SentRequest { arrival, sent, .. } = request;
        let player = self.player;
        let ok = *outcome == AnswerOutcome::Ok;
        let push = player.play.plan.push_of(arrival.operation);
        let pushes = &player.play.plan.protocol.outline().pushes;
        let tied = push.filter(|_| ok).and_then(|kind| match pushes[kind.index()].tie {
            Tie::Kept(number) => keep.iter().find(|(of, _)| *of == number).map(|(_, value)| (kind, &**value)),
            Tie::Marker | Tie::Player => None,
        });
        if ok {
            self.step_ended(arrival, true, tied.map(|(_, value)| value), now);
        }
        if let Some((kind, value)) = tied {
            player.observe(Event::Expected { kind, ledger: arrival.measured, count: 1 });
            let early = player.play.deliveries.expect_kept(kind, value, self.sent(arrival, *sent));
            for (push, receipt) in early {
                player.play.pushed(kind, &push, receipt);
            }
        }
        match outcome {
            AnswerOutcome::Failed(class) => {
                self.fail(request, &player.observer.class_of(player.number, "", class), message);
            }
            AnswerOutcome::Ok | AnswerOutcome::Pending => self.ended(request, now, Outcome::Completed),
        }
    }

    /// A request failed: nothing more is expected of it.
    fn fail(&mut self, request: &SentRequest, class: &Class, detail: &str) {
        let (player, arrival) = (self.player, &request.arrival);
        if let Some((kind, count @ 1..)) = self.withdraw(arrival) {
            player.observe(Event::Withdrawn { kind, ledger: arrival.measured, count });
        }
        self.ended(request, player.now(), Outcome::Failed { class, detail: Some(&detail) });
    }

    fn ended(&mut self, request: &SentRequest, now: Micros, outcome: Outcome<'_>) {
        self.player.ended(&request.arrival, request.sent, now, outcome);
        self.player.think(&request.arrival, now, Pause::Again);
        if !matches!(outcome, Outcome::Completed) {
            self.step_ended(&request.arrival, false, None, now);
        }
    }

    /// An error fails one request without naming it.
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

    /// Fails the requests of which it is certain that an error was theirs.
    fn fail_settled(&mut self) {
        while let Some((request, Unclaimed { class, detail })) = self.in_flight.next_failed() {
            match request {
                Some(request) => self.fail(&request, &class, &detail),
                None => self.stray(&class, &detail),
            }
        }
    }

    /// Whether a message that names no request is the answer to something malformed, which is the only thing awaited then,
    /// or to a heartbeat of the scenario's own.
    fn claimed(&mut self, outcome: impl FnOnce() -> Class) -> bool {
        if let Some(fault) = self.behaviour.as_deref_mut().and_then(Behaviour::claim) {
            self.player.observe(Event::FaultOutcome { fault, outcome: &outcome() });
            self.resume();
            return true;
        }
        self.heartbeat.as_deref_mut().is_some_and(|timer| timer.claim(self.player.now()))
    }

    /// A message that the protocol does not know: it is counted by what it looks like, and fails nothing.
    fn unclassified(&self, message: &str) {
        let (player, observer) = (self.player.number, &self.player.observer);
        let shape = observer.class_of(player, "", &shape::of(message));
        observer.observe(Event::Unclassified { player, shape: &shape, detail: &message });
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
                None => {
                    let patience = request.deadline - request.sent;
                    self.in_flight.overdue(request.arrival.operation, now, now + patience);
                    self.ended(&request, now, Outcome::TimedOut);
                }
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
        if let Some(fault) = self.behaviour.get_or_insert_default().plan(action) {
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

    // ---- The journey ----

    /// Does what the player's journey has come to, one thing after the other.
    fn travel(&mut self, cx: &mut Context<'_>) {
        if self.journey.is_none() || self.is_held_up() {
            return;
        }
        let (player, play) = (self.player, &*self.player.play);
        // What can be done without waiting is done at once, but not for ever.
        for _ in 0..STEPS_AT_ONCE {
            let now = player.now();
            let Some(journey) = self.journey.as_deref_mut() else { return };
            journey.take_ended().into_iter().for_each(|end| player.journey_ended(&end));
            if now >= micros(play.plan.end()) {
                return;
            }
            // While players connect, those go on at once that the first phase calls for.
            let from = micros(play.plan.phases_start());
            let called =
                |at: Micros| called_for(&play.plan, player.number, at.max(from)).then(|| play.ledger_at(at));
            match journey.step(now, called) {
                Some(JourneyStep::Do(operation)) => self.take_step_of_journey(operation, now, cx),
                Some(JourneyStep::Leave) => return self.plan(PendingAction::Leave),
                None if journey.has_ended() => {}
                None => return,
            }
        }
    }

    /// Whether something keeps the player from going on with its journey: it is not ready, or has other plans.
    fn is_held_up(&self) -> bool {
        self.opening.is_some() || self.behaviour.as_deref().is_some_and(Behaviour::is_occupied)
    }

    /// Does an operation that the player's journey has come to.
    fn take_step_of_journey(&mut self, operation: Operation, now: Micros, cx: &mut Context<'_>) {
        let (player, play) = (self.player, &*self.player.play);
        let (index, measured) = (play.players.next_own_request(player.number), play.ledger_at(now));
        if let Some(journey) = self.journey.as_deref_mut() {
            journey.asked(index, now);
        }
        play.players.begun();
        player.observe(Event::Offered { operation, ledger: measured, unsent: None });
        self.send(&Arrival { operation, index, due: now, measured }, cx);
    }

    /// A request has ended: if it is a step of the player's journey, that goes on.
    fn step_ended(&mut self, arrival: &Arrival, ok: bool, tied: Option<&str>, now: Micros) {
        if let Some(journey) = self.journey.as_deref_mut() {
            journey.answered(arrival.index, ok, tied, now);
        }
    }

    /// The player's journey, when the socket has ended.
    pub(super) const fn take_journey(&mut self) -> Option<Box<JourneyRun<'p>>> {
        self.journey.take()
    }

    // ---- The end ----

    /// The socket is gone: its opening, if it is not over, and the requests whose answers were awaited have failed.
    pub(super) fn fail_all(&mut self, class: &Class) {
        self.fail_opening(class, "the socket ended before the player was ready");
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
