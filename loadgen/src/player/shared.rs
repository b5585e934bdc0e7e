//! A player: waits for its turn to connect, [lives](super::life), leaves when the run ends; and how all of it is counted.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use reports::format::cut_off::INTERRUPTED;
use scenarios::Plan;
use scenarios::disruptions::planned::ClientFault;
use scenarios::ledger::Ledger;
use scenarios::threshold::{Kind, Operation};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;

use super::Players;
use super::error::ConnectError;
use super::handshake::{Endpoint, SocketOptions, Stream};
use super::lifecycle::live;
use super::rest::Rest;
use super::wire::FULFILLED;
use crate::auth::Credentials;
use crate::clock::{Clock, Micros};
use crate::delivery::presence::Presence;
use crate::delivery::relay::Relay;
use crate::delivery::{Correlation, Messages, PlacementPush, Placements, Receipt};
use crate::record::{Class, NO_OPEN_SOCKET, RUN_ENDED, Recorder, Sample};
use crate::schedule::Arrival;
use crate::schedule::measures;

/// What all players of a run share.
pub struct Play {
    /// The plan.
    pub plan: Arc<Plan>,
    /// The run's clock.
    pub clock: Clock,
    /// The players.
    pub players: Arc<Players>,
    /// Where everything is counted.
    pub recorder: Arc<Recorder>,
    /// Where to connect to.
    pub endpoint: Endpoint,
    /// How to prove who one is.
    pub credentials: Credentials,
    /// Messages under way.
    pub messages: Messages,
    /// Placements under way.
    pub placements: Placements,
    /// Where placements are polled, if they are.
    pub rest: Option<Rest>,
    /// Where this is one of several workers: what the others should know.
    pub relay: Option<Arc<Relay>>,
}

/// How an operation that was sent ended.
#[derive(Debug)]
pub enum Outcome {
    /// Answered as expected.
    Completed,
    /// Answered wrongly, or the socket broke; the error class.
    Failed(Class),
    /// Not answered in time.
    TimedOut,
}

impl Outcome {
    /// The error class, if it is an error.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        match self {
            Self::Completed => None,
            Self::Failed(class) => Some(class),
            Self::TimedOut => Some("timeout"),
        }
    }
}

/// A copy of one connect or answer, for goose's own books.
#[derive(Debug)]
pub struct GooseSample {
    /// The operation.
    pub operation: Operation,
    /// From the intended instant.
    pub response: Duration,
    /// The error class, if it failed.
    pub error: Option<String>,
}

impl GooseSample {
    /// Offers a sample; dropped when goose does not keep up, since its books are not the truth.
    pub(super) fn offer(goose: &mpsc::Sender<Self>, arrival: &Arrival, now: Micros, outcome: &Outcome) {
        let error = outcome.error().map(str::to_owned);
        let response = Duration::from_micros(now.saturating_sub(arrival.due));
        let _ = goose.try_send(Self { operation: arrival.operation, response, error });
    }
}

impl Play {
    /// Whether an operation's arrivals wait for answers, so that there is no instant at which they should have left.
    fn is_closed(&self, operation: Operation) -> bool {
        self.plan.operation(operation).is_some_and(|planned| planned.think().is_some())
    }

    /// Counts a send and its dispatch delay.
    pub(super) fn sent(&self, arrival: &Arrival, sent: Micros) {
        let closed = self.is_closed(arrival.operation);
        self.recorder.with(|tally| {
            let measures = tally.measures(arrival.measured);
            measures.operation_mut(arrival.operation).sent += 1;
            if !closed {
                measures.dispatch_delay.record(sent.saturating_sub(arrival.due));
            }
        });
    }

    /// Counts an arrival that could not be sent.
    pub(super) fn unsent(&self, player: u32, arrival: &Arrival, class: &'static str) {
        self.players.done();
        self.recorder
            .with(|tally| tally.measures(arrival.measured).operation_mut(arrival.operation).give_up(class));
        self.sample(player, arrival.operation.word(), &class.into(), || {
            "the arrival could not be sent".into()
        });
    }

    /// Counts how an operation ended at `now`.
    pub(super) fn ended(&self, arrival: &Arrival, sent: Micros, now: Micros, outcome: Outcome) {
        let intended = if self.is_closed(arrival.operation) { sent } else { arrival.due };
        self.players.done();
        self.recorder.with(|tally| {
            let operation = tally.measures(arrival.measured).operation_mut(arrival.operation);
            match outcome {
                Outcome::Completed => {
                    operation.completed += 1;
                    operation.response.record(now.saturating_sub(intended));
                    operation.service.record(now.saturating_sub(sent));
                }
                Outcome::Failed(class) => {
                    operation.failed += 1;
                    operation.errors.count(class);
                }
                Outcome::TimedOut => {
                    operation.timed_out += 1;
                    operation.errors.count("timeout".into());
                }
            }
        });
    }

    /// A message was pushed to `player` at `now`: matched here, or by the worker that sent it.
    pub(super) fn pushed(&self, player: u32, text: &str, now: Micros) {
        let correlation = Correlation::parse(text);
        let elsewhere = self.relay.as_ref().zip(correlation).filter(|(relay, correlation)| {
            self.messages.is_ours(*correlation) && relay.is_elsewhere(correlation.send)
        });
        if let Some((relay, correlation)) = elsewhere {
            return relay.pass(correlation.send, player, now);
        }
        let receipt = correlation
            .map_or(Receipt::Unexpected, |correlation| self.messages.receive(correlation, player, now));
        self.received(player, Kind::Message, receipt, now);
    }

    /// A placement was pushed. One that brings no game session is delivered all the same; beside that, its first
    /// receipt counts under the request's errors.
    pub(super) fn placed(&self, push: &PlacementPush, receipt: Receipt) {
        self.received(push.player, Kind::Placement, receipt, push.at);
        if let Receipt::Received { measured, .. } = receipt
            && push.status != FULFILLED
        {
            let class = self.class_of(push.player, "placement_", &push.status);
            let request = Operation::PlacementRequest;
            self.recorder
                .with(|tally| tally.measures(measured).operation_mut(request).errors.count(class.clone()));
            self.sample(push.player, request.word(), &class, || push.status.clone());
        }
    }

    /// A player's presence changes, by its own doing or not; other workers hear of it.
    pub(super) fn set_presence(&self, player: u32, presence: Presence, own_doing: bool) {
        let was_open = self.players.set_presence(player, presence, own_doing, self.clock.now());
        if let Some(relay) = &self.relay {
            relay.changed(player, presence, was_open, own_doing);
        }
    }

    /// Counts what a push that was received at `at` turned out to be.
    pub(crate) fn received(&self, player: u32, kind: Kind, receipt: Receipt, at: Micros) {
        match receipt {
            Receipt::Received { latency, complete, out_of_order, late, measured } => {
                self.recorder.with(|tally| {
                    let delivery = tally.measures(measured).delivery_mut(kind);
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
                });
                if late {
                    self.sample(player, kind.word(), &"late".into(), || {
                        format!("a push came {:.3} s after its send", latency as f64 / 1e6)
                    });
                }
            }
            Receipt::Duplicate { measured } => {
                self.recorder.with(|tally| tally.measures(measured).delivery_mut(kind).duplicated += 1);
            }
            Receipt::Aside => {}
            Receipt::TooLate => self.sample(player, kind.word(), &"too_late".into(), || {
                "a push came after its time-out and the grace, and stays counted as lost".into()
            }),
            Receipt::Unexpected => {
                let measured = self.measures(at);
                self.recorder.with(|tally| tally.measures(measured).delivery_mut(kind).unexpected += 1);
                self.sample(player, kind.word(), &"unexpected".into(), || {
                    "nothing sent in this run calls for it".into()
                });
            }
        }
    }

    /// The error class of what a target says to a player, behind a prefix of ours.
    pub(super) fn class_of(&self, player: u32, prefix: &str, said: &str) -> Class {
        Class::well_known(prefix, said).unwrap_or_else(|| Class::said(prefix, &self.keepable(player, said)))
    }

    /// What a target has said, as it may be kept.
    fn keepable(&self, player: u32, said: &str) -> String {
        self.credentials.keepable(player, &self.endpoint.hide_in(said))
    }

    /// Keeps a sample of an error, if its class still has room. Whatever a target has said comes by here.
    pub(crate) fn sample(
        &self,
        player: u32,
        operation: &'static str,
        class: &Class,
        detail: impl FnOnce() -> String,
    ) {
        let at = self.clock.now();
        self.recorder.with(|tally| {
            tally.samples.offer(operation, class, || Sample {
                at,
                operation: operation.into(),
                class: class.clone(),
                player,
                detail: self.keepable(player, &detail()),
            });
        });
    }
}

/// Plays player `number` until the run is over. `goose` receives a copy of each connect and answer.
pub async fn play(play: Arc<Play>, number: u32, goose: mpsc::Sender<GooseSample>) {
    while let Some(arrivals) = poll_fn(|cx| play.players.poll_arrivals(number, cx)).await {
        let mut connected = None;
        for arrival in arrivals {
            if play.players.stopping() {
                play.unsent(number, &arrival, RUN_ENDED);
            } else if arrival.operation == Operation::Connect && connected.is_none() {
                connected = Some(connect(&play, number, &arrival, &goose).await);
            } else {
                play.unsent(number, &arrival, NO_OPEN_SOCKET);
            }
        }
        if let Some(socket) = &mut connected {
            live(&play, number, socket, &goose).await;
        }
    }
}

/// The handshake that the plan calls for.
async fn connect(
    play: &Play,
    number: u32,
    arrival: &Arrival,
    goose: &mpsc::Sender<GooseSample>,
) -> Option<WebSocketStream<Stream>> {
    let sent = play.clock.now();
    play.sent(arrival, sent);
    let (socket, outcome) = match play.shake_hands(number).await {
        Ok(socket) => (Some(socket), Outcome::Completed),
        Err(Refusal::Timeout) => (None, Outcome::TimedOut),
        Err(refusal) => (None, Outcome::Failed(refusal.class())),
    };
    let now = play.clock.now();
    GooseSample::offer(goose, arrival, now, &outcome);
    play.ended(arrival, sent, now, outcome);
    socket
}

/// Why a handshake led to no socket.
pub(super) enum Refusal {
    /// It took too long.
    Timeout,
    /// The run ended meanwhile.
    RunEnded,
    /// An error of this class, of which a sample is kept.
    Error(Class),
}

impl Refusal {
    /// The error class.
    pub(super) fn class(self) -> Class {
        match self {
            Self::Timeout => "timeout".into(),
            Self::RunEnded => INTERRUPTED.into(),
            Self::Error(class) => class,
        }
    }
}

impl Play {
    /// Opens player `number`'s socket and counts it among the sockets.
    pub(super) async fn shake_hands(&self, number: u32) -> Result<WebSocketStream<Stream>, Refusal> {
        self.recorder.with(|tally| tally.sockets.attempted += 1);
        // Boxed, so that the handshake's state does not stay in the player's task.
        let opening = Box::pin(tokio::time::timeout(
            self.plan.connect_timeout,
            self.endpoint.open(number, &self.credentials, self.socket_options(number)),
        ));
        let result = tokio::select! {
            result = opening => match result {
                Ok(opened) => opened.map_err(|ConnectError { class, detail }| {
                    self.sample(number, Operation::Connect.word(), &class, || detail);
                    Refusal::Error(class)
                }),
                Err(_) => Err(Refusal::Timeout),
            },
            () = poll_fn(|cx| self.players.poll_stop(number, cx)) => Err(Refusal::RunEnded),
        };
        let opened = result.is_ok();
        self.recorder.with(|tally| {
            tally.sockets.opened += u64::from(opened);
            tally.sockets.rejected += u64::from(!opened);
        });
        result
    }

    fn socket_options(&self, number: u32) -> SocketOptions {
        let slow = self.plan.disruptions.slow.as_ref().filter(|slow| slow.share.holds(number));
        SocketOptions {
            receive_buffer: slow.and_then(|slow| slow.receive_buffer),
            max_message: Some(self.plan.max_message_bytes as usize),
        }
    }

    /// Counts what became of a case of trouble.
    pub(super) fn became(&self, kind: ClientFault, outcome: impl Into<Class>) {
        self.recorder.with(|tally| tally.disruptions.fault_mut(kind).became(outcome));
    }

    /// Where what begins at `now` is booked.
    pub(super) fn measures(&self, now: Micros) -> Ledger {
        measures(&self.plan, now)
    }
}
