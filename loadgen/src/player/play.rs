//! A player's life: waits for its turn to connect, plays on its socket, leaves when the run ends.

use std::borrow::Cow;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use scenarios::Plan;
use scenarios::threshold::{Kind, Operation};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;

use super::handshake::{ConnectError, Endpoint, Stream};
use super::session::{End, Session};
use super::{Arrival, Players};
use crate::auth::Credentials;
use crate::clock::{Clock, Micros};
use crate::delivery::{Messages, Placements, Receipt};
use crate::record::{Class, Recorder, Sample};

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
    /// Counts a send and its dispatch delay.
    pub(super) fn sent(&self, arrival: &Arrival, sent: Micros) {
        self.recorder.with(|tally| {
            let measures = tally.measures(arrival.measured);
            measures.operation_mut(arrival.operation).sent += 1;
            measures.dispatch_delay.record(sent.saturating_sub(arrival.due));
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

    /// Counts how an operation ended.
    pub(super) fn ended(&self, arrival: &Arrival, sent: Micros, outcome: Outcome) {
        let now = self.clock.now();
        self.players.done();
        self.recorder.with(|tally| {
            let operation = tally.measures(arrival.measured).operation_mut(arrival.operation);
            match outcome {
                Outcome::Completed => {
                    operation.completed += 1;
                    operation.response.record(now.saturating_sub(arrival.due));
                    operation.service.record(now.saturating_sub(sent));
                }
                Outcome::Failed(class) => {
                    operation.failed += 1;
                    operation.errors.count(class);
                }
                Outcome::TimedOut => {
                    operation.timed_out += 1;
                    operation.errors.count(Cow::Borrowed("timeout"));
                }
            }
        });
    }

    /// Counts what a push turned out to be.
    pub(super) fn received(&self, player: u32, kind: Kind, receipt: Receipt) {
        match receipt {
            Receipt::Received { latency, first, last, out_of_order, measured } => {
                self.recorder.with(|tally| {
                    let delivery = tally.measures(measured).delivery_mut(kind);
                    delivery.received += 1;
                    delivery.out_of_order += u64::from(out_of_order);
                    delivery.each.record(latency);
                    if first {
                        delivery.first.record(latency);
                    }
                    if last {
                        delivery.last.record(latency);
                    }
                })
            }
            Receipt::Duplicate { measured } => {
                self.recorder.with(|tally| tally.measures(measured).delivery_mut(kind).duplicated += 1);
            }
            Receipt::Late => self.sample(player, kind.word(), &"late".into(), || {
                "a push came after its time-out and stays counted as lost".into()
            }),
            Receipt::Unexpected => {
                self.recorder.with(|tally| tally.measured.delivery_mut(kind).unexpected += 1);
                self.sample(player, kind.word(), &"unexpected".into(), || {
                    "nothing sent in this run calls for it".into()
                });
            }
        }
    }

    /// Keeps a sample of an error, if its class still has room.
    pub(super) fn sample(
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
                operation,
                class: class.clone(),
                player,
                detail: detail().chars().take(300).collect(),
            });
        });
    }
}

/// Plays player `number` until the run is over. `goose` receives a copy of each connect and answer.
pub async fn play(play: Arc<Play>, number: u32, goose: mpsc::Sender<GooseSample>) {
    while let Some(arrivals) = poll_fn(|cx| play.players.poll_arrivals(number, cx)).await {
        let mut opened = None;
        for arrival in arrivals {
            if play.players.stopping() {
                play.unsent(number, &arrival, "unsent_run_ended");
            } else if arrival.operation == Operation::Connect && opened.is_none() {
                opened = connect(&play, number, &arrival, &goose).await;
            } else {
                play.unsent(number, &arrival, "unsent_no_open_socket");
            }
        }
        let Some(socket) = opened else { continue };
        play.players.set_open(number, true);
        let mut session = Session::new(&play, number, socket, &goose);
        let end = poll_fn(|cx| session.poll(cx)).await;
        play.players.set_open(number, false);
        play.players.set_deadline(number, None);
        match end {
            End::Left => session.leave().await,
            End::Dropped(class, detail) => {
                session.drop_pending(&class);
                play.recorder.with(|tally| tally.sockets.dropped += 1);
                play.sample(number, "socket", &class, || detail);
            }
        }
    }
}

async fn connect(
    play: &Play,
    number: u32,
    arrival: &Arrival,
    goose: &mpsc::Sender<GooseSample>,
) -> Option<WebSocketStream<Stream>> {
    let sent = play.clock.now();
    play.sent(arrival, sent);
    play.recorder.with(|tally| tally.sockets.attempted += 1);
    // Boxed, so that the handshake's state does not stay in the player's task.
    let opening = Box::pin(tokio::time::timeout(
        play.plan.connect_timeout,
        play.endpoint.open(number, &play.credentials),
    ));
    let result = tokio::select! {
        result = opening => result,
        () = poll_fn(|cx| play.players.poll_stop(number, cx)) => Ok(Err(ConnectError { class: "interrupted".into(), detail: "the run ended".into() })),
    };
    let (socket, outcome) = match result {
        Ok(Ok(socket)) => (Some(socket), Outcome::Completed),
        Ok(Err(error)) => {
            play.sample(number, Operation::Connect.word(), &error.class, || error.detail);
            (None, Outcome::Failed(error.class))
        }
        Err(_) => (None, Outcome::TimedOut),
    };
    let opened = socket.is_some();
    play.recorder.with(|tally| {
        tally.sockets.opened += u64::from(opened);
        tally.sockets.rejected += u64::from(!opened);
    });
    GooseSample::offer(goose, arrival, play.clock.now(), &outcome);
    play.ended(arrival, sent, outcome);
    socket
}
