//! Single steps of the way to the target, for `loadgen doctor`: a connection, the encryption, one handshake's answer.

use futures_util::{SinkExt, StreamExt};
use httparse::Response;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_util::either::Either;

use super::handshake::{ConnectError, Endpoint, SocketOptions, Stream};
use crate::auth::Presented;

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
    /// What followed the head: it belongs to the socket.
    pub rest: Vec<u8>,
}

impl Endpoint {
    /// Connects, and closes again.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn try_tcp(&self, number: u32) -> Result<(), ConnectError> {
        self.connect(number, SocketOptions::default()).await?;
        Ok(())
    }

    /// Connects, and encrypts where the target wants it.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn dial(&self, number: u32) -> Result<Connection, ConnectError> {
        self.stream(number, SocketOptions::default()).await.map(Connection)
    }

    /// Asks for the upgrade, and reads the answer's head, whatever it says.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn ask(
        &self,
        Connection(stream): &mut Connection,
        presented: Presented,
    ) -> Result<Head, ConnectError> {
        let told = |head: &Response<'_, '_>, _: &[u8], _: &str| {
            let date = head.headers.iter().find(|header| header.name.eq_ignore_ascii_case("date"));
            let date = date.map(|header| String::from_utf8_lossy(header.value).into_owned());
            Ok((head.code.unwrap_or(0), date))
        };
        let ((status, date), rest) = self.exchange(stream, presented, told).await?;
        Ok(Head { status, date, rest })
    }
}
