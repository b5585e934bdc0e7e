//! Bare clients: no pacing, no histograms, nothing that would cost the core they run on.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _, stream};
use loadgen::health::machine::descriptor_limit;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::task::{JoinSet, LocalSet};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::backend::{Auth, Backend, player};

/// Handshakes at once.
const AT_ONCE: usize = 64;
/// Deliveries that may be on their way: enough to keep the backend busy, few enough that no client falls behind.
const ON_THEIR_WAY: usize = 5_000;
/// After so long without a delivery the rest is lost.
const PATIENCE: Duration = Duration::from_secs(20);

type Socket = WebSocketStream<TcpStream>;

/// Connected players.
pub(crate) struct Crowd(Vec<Player>);

struct Player {
    out: SplitSink<Socket, Message>,
    into: Option<SplitStream<Socket>>,
}

impl Crowd {
    /// So many players.
    pub(crate) async fn open(backend: &Backend, auth: Auth, players: usize) -> Result<Self, Error> {
        Self::with(&backend.endpoints.websocket, backend.credentials(auth, players).await).await
    }

    /// Players with these credentials, as fast as they get in.
    pub(crate) async fn with(url: &str, credentials: Vec<(&'static str, String)>) -> Result<Self, Error> {
        let mut players = Vec::with_capacity(credentials.len());
        let connecting = credentials.into_iter().map(|(name, value)| connect(url, name, value));
        let mut connecting = stream::iter(connecting).buffered(AT_ONCE);
        while let Some(socket) = connecting.next().await {
            let (out, into) = socket?.split();
            players.push(Player { out, into: Some(into) });
        }
        Ok(Self(players))
    }

    /// Has the first player send one message to each of these players, so many ids in one request.
    pub(crate) async fn tell(&mut self, players: &[String], at_once: usize) {
        for (number, ids) in players.chunks(at_once).enumerate() {
            let body = json!({ "playerIds": ids, "message": "are you there?" });
            let frame = json!({ "route": "sendMessage", "id": number, "body": body }).to_string();
            let Player { out, into } = self.0.first_mut().expect("a player");
            out.send(Message::text(frame)).await.expect("the socket stays open");
            let answer = into.as_mut().expect("it reads").next();
            let answer = tokio::time::timeout(PATIENCE, answer).await.expect("an answer in time");
            let answer = answer.expect("the socket stays open").expect("a frame");
            let text = answer.to_text().expect("text");
            assert!(text.contains(r#""statusCode":200"#), "{text}");
        }
    }

    /// Waits until each player has had a message.
    pub(crate) async fn hear(&mut self) {
        for player in &mut self.0 {
            let frame = player.into.as_mut().expect("it reads").next();
            let frame = tokio::time::timeout(PATIENCE, frame).await.expect("a message in time");
            let frame = frame.expect("the socket stays open").expect("a frame");
            assert!(is_message(&frame), "{frame:?}");
        }
    }

    /// Sends messages for a while, waits for every delivery, and tells how many there were.
    ///
    /// # Panics
    /// If one is lost, or comes twice.
    pub(crate) async fn deliver(&mut self, sending: Duration, fan_out: usize) -> usize {
        LocalSet::new().run_until(self.deliver_here(sending, fan_out)).await
    }

    async fn deliver_here(&mut self, sending: Duration, fan_out: usize) -> usize {
        let (players, received) = (self.0.len(), Rc::new(Cell::new(0)));
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let mut reading = JoinSet::new();
        for (number, player) in self.0.iter_mut().enumerate() {
            let (mut into, received, mut stopped) =
                (player.into.take().expect("it reads"), Rc::clone(&received), stopped.clone());
            reading.spawn_local(async move {
                let mut own = 0;
                loop {
                    tokio::select! {
                        biased;
                        frame = into.next() => {
                            let frame = frame.expect("the socket stays open").expect("a frame");
                            if is_message(&frame) {
                                own += 1;
                                received.set(received.get() + 1);
                            }
                        }
                        _ = stopped.changed() => return (number, own, into),
                    }
                }
            });
        }
        let fan_out = fan_out.min(players);
        let mut due = vec![0_usize; players];
        let (begin, mut sent) = (Instant::now(), 0);
        while begin.elapsed() < sending {
            if sent - received.get() > ON_THEIR_WAY {
                tokio::time::sleep(Duration::from_micros(200)).await;
                continue;
            }
            let recipients: Vec<_> = (0..fan_out).map(|next| (sent + next) % players).collect();
            recipients.iter().for_each(|&recipient| due[recipient] += 1);
            let sender = sent / fan_out % players;
            let ids: Vec<_> = recipients.into_iter().map(player).collect();
            let body = json!({ "playerIds": ids, "message": "lg1:0000002a:0000000000000001:.........................." });
            let frame = json!({ "route": "sendMessage", "id": sent, "body": body }).to_string();
            self.0[sender].out.send(Message::text(frame)).await.expect("the socket stays open");
            sent += fan_out;
            tokio::task::yield_now().await;
        }
        let (mut last, mut seen) = (Instant::now(), received.get());
        while received.get() < sent {
            assert!(last.elapsed() < PATIENCE, "{} of {sent} deliveries are lost", sent - received.get());
            tokio::time::sleep(Duration::from_millis(1)).await;
            if received.get() > seen {
                (last, seen) = (Instant::now(), received.get());
            }
        }
        stop.send(true).expect("they read");
        while let Some(read) = reading.join_next().await {
            let (number, own, into) = read.expect("it reads");
            assert_eq!(own, due[number], "deliveries to player {number}");
            self.0[number].into = Some(into);
        }
        sent
    }
}

/// Whether it is a message of a player.
fn is_message(frame: &Message) -> bool {
    frame.to_text().is_ok_and(|text| text.starts_with(r#"{"type":"message""#))
}

async fn connect(url: &str, name: &'static str, value: String) -> Result<Socket, Error> {
    let mut request = url.into_client_request()?;
    let address = request.uri().authority().map(|authority| authority.to_string()).unwrap_or_default();
    request.headers_mut().insert(name, HeaderValue::try_from(value)?);
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default().read_buffer_size(1_024).write_buffer_size(0);
    Ok(client_async_with_config(request, stream, Some(config)).await?.0)
}

/// How many sockets a process may open beside what it needs otherwise.
pub(crate) fn most_sockets() -> usize {
    usize::try_from(descriptor_limit()).unwrap_or(usize::MAX).saturating_sub(100).max(1)
}
