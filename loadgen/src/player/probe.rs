//! Single steps of the way to the target, for `loadgen doctor`: a connection, the encryption, one handshake's answer.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_util::either::Either;

use super::answer::header;
use super::error::ConnectError;
use super::handshake::{Endpoint, Exchanged, Introduction, SocketOptions, Stream};

/// What the ping carries.
const PING: &str = "loadgen doctor";

/// A connection before the upgrade.
pub struct Connection(Stream);

impl Connection {
    /// The TLS version, if the connection is encrypted.
    #[must_use]
    pub fn tls_version(&self) -> Option<String> {
        let Either::Right(tls) = &self.0 else { return None };
        let version = tls.get_ref().1.protocol_version();
        Some(version.and_then(|version| version.as_str()).unwrap_or("TLS").replace("TLSv1_", "TLS 1."))
    }

    /// Pings over the socket that the handshake has opened, waits for the answer, and closes.
    ///
    /// # Errors
    /// What came instead.
    pub async fn ping(self, rest: Vec<u8>) -> Result<(), tungstenite::Error> {
        let mut socket = WebSocketStream::from_partially_read(self.0, rest, Role::Client, None).await;
        socket.send(Message::Ping(PING.as_bytes().into())).await?;
        loop {
            match socket.next().await {
                Some(Ok(Message::Pong(payload))) if payload == PING.as_bytes() => break,
                Some(Ok(Message::Close(_))) | None => return Err(tungstenite::Error::ConnectionClosed),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
            }
        }
        socket.close(None).await
    }
}

/// What matters of a handshake's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// HTTP status.
    pub status: u16,
    /// The `Date` header.
    pub date: Option<String>,
    /// What a refusal says of its reason; nothing of an upgrade.
    pub reason: Option<String>,
    /// What followed the head: it belongs to the socket.
    pub rest: Vec<u8>,
}

/// Connects to one of the addresses, and closes again.
///
/// # Errors
/// [`ConnectError`].
pub async fn try_tcp(endpoint: &Endpoint, address: SocketAddr) -> Result<(), ConnectError> {
    endpoint.connect_to(0, address, SocketOptions::default()).await?;
    Ok(())
}

/// Connects, and encrypts where the target wants it.
///
/// # Errors
/// [`ConnectError`].
pub async fn dial(endpoint: &Endpoint, number: u32) -> Result<Connection, ConnectError> {
    endpoint.stream(number, SocketOptions::default()).await.map(Connection)
}

/// Asks for the upgrade, and reads the answer's head, whatever it says.
///
/// # Errors
/// [`ConnectError`].
pub async fn upgrade(
    endpoint: &Endpoint,
    Connection(stream): &mut Connection,
    introduction: Introduction<'_>,
) -> Result<Head, ConnectError> {
    let date = |head: &httparse::Response<'_, '_>| header(head, "date").map(std::borrow::Cow::into_owned);
    let Exchanged { status, upgrade, made: date, rest } =
        endpoint.exchange(stream, introduction, date).await?;
    let reason = match upgrade {
        Err(error) if status == 101 => return Err(error),
        upgrade => upgrade.err().map(|error| error.detail),
    };
    Ok(Head { status, date, reason, rest })
}
