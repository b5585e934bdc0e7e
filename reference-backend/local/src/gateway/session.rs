//! One open socket, driven by one task: frames out, messages in, time limits.
//!
//! It is a poll function and not a `select!` loop, because a slow client may block writing, which must not block reading,
//! time-outs or a `DeleteConnection`; and because the state of the task is smaller.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::{Sink as _, Stream as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error as WsError, Message, Utf8Bytes};

use super::connections::going_away;
use super::handler::{End, OpenConnection};
use super::profile::{GatewayProfile, limit};

/// The WebSocket of a connection.
pub(super) type Socket = WebSocketStream<TcpStream>;

/// A time that no session reaches; adding more would overflow on some systems.
const NEVER: std::time::Duration = std::time::Duration::from_secs(86_400 * 365);

/// One open socket and its clocks.
pub(super) struct Session<'a, C> {
    profile: &'a GatewayProfile,
    connection: &'a C,
    socket: &'a mut Socket,
    unflushed: bool,
    /// A pong waits to be flushed: until then nothing more is read, or a client that pings and does not read would have
    /// a pong kept for each of its pings.
    pong: bool,
    closing: Option<(u16, String)>,
    last_active: Instant,
    expires_at: Instant,
    cut_at: Option<Instant>,
    timer: Pin<Box<Sleep>>,
}

impl<'a, C: OpenConnection> Session<'a, C> {
    /// The session of a socket; `cut` if it is one that the profile cuts.
    pub(super) fn new(
        profile: &'a GatewayProfile,
        connection: &'a C,
        socket: &'a mut Socket,
        cut: bool,
    ) -> Self {
        let now = Instant::now();
        let cut = cut.then(|| limit(profile.cut_after_s)).flatten();
        let mut session = Self {
            profile,
            connection,
            socket,
            unflushed: false,
            pong: false,
            closing: None,
            last_active: now,
            expires_at: now + limit(profile.lifetime_s).unwrap_or(NEVER),
            cut_at: cut.map(|after| now + after),
            timer: Box::pin(sleep_until(now)),
        };
        let next = session.next_deadline();
        session.timer.as_mut().reset(next);
        session
    }

    /// Runs until the connection ends.
    pub(super) async fn run(mut self) -> End {
        std::future::poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        self.connection.mailbox().register(cx.waker());
        let end = self
            .check_clocks(cx)
            .and_then(|()| self.send(cx))
            .and_then(|()| {
                self.connection.mailbox().close_requested().map_or(Ok(()), |close| Err(End::Server(close)))
            })
            .and_then(|()| self.receive(cx));
        end.map_or_else(Poll::Ready, |()| Poll::Pending)
    }

    fn next_deadline(&self) -> Instant {
        let idle = self.last_active + limit(self.profile.idle_timeout_s).unwrap_or(NEVER);
        [Some(idle), Some(self.expires_at), self.cut_at].into_iter().flatten().min().unwrap_or(idle)
    }

    /// The timer is not reset at every frame; its deadline is checked when it fires.
    fn check_clocks(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        while self.timer.as_mut().poll(cx).is_ready() {
            let (now, next) = (Instant::now(), self.next_deadline());
            if self.cut_at.is_some_and(|at| at <= now) {
                return Err(End::Cut);
            }
            if next <= now {
                return Err(End::Server(going_away()));
            }
            self.timer.as_mut().reset(next);
        }
        Ok(())
    }

    /// Writes the queued frames, then flushes once.
    fn send(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        let (mut frames, mut bytes) = (0, 0);
        let written = self.write(cx, &mut frames, &mut bytes);
        if frames > 0 {
            self.last_active = Instant::now();
            self.unflushed = true;
            self.connection.sent(frames, bytes);
        }
        written?;
        if self.unflushed
            && let Poll::Ready(flushed) = Pin::new(&mut *self.socket).poll_flush(cx)
        {
            flushed.map_err(|error| self.ended(&error))?;
            self.unflushed = false;
            self.pong = false;
        }
        Ok(())
    }

    /// Flushes a pong. Whether it has left; if not, this is called again as soon as the socket takes more.
    fn pong(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        if self.pong
            && let Poll::Ready(flushed) = Pin::new(&mut *self.socket).poll_flush(cx)
        {
            flushed.map_err(|error| self.ended(&error))?;
            self.unflushed = false;
            self.pong = false;
        }
        Ok(!self.pong)
    }

    /// Writes as many frames as the socket takes, and counts them.
    fn write(&mut self, cx: &mut Context<'_>, frames: &mut usize, bytes: &mut usize) -> Result<(), End> {
        loop {
            match Pin::new(&mut *self.socket).poll_ready(cx) {
                Poll::Pending => return Ok(()),
                Poll::Ready(ready) => ready.map_err(|error| self.ended(&error))?,
            }
            let Some(frame) = self.connection.mailbox().next_frame() else { return Ok(()) };
            *frames += 1;
            *bytes += frame.len();
            Pin::new(&mut *self.socket)
                .start_send(Message::Text(frame))
                .map_err(|error| self.ended(&error))?;
        }
    }

    /// Reads until the socket is empty or the limit of messages in flight is reached.
    fn receive(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        let (profile, connection) = (self.profile, self.connection);
        while connection.mailbox().in_flight() < profile.in_flight_per_connection
            && !connection.mailbox().congested(profile.outgoing_bytes_per_connection)
            && self.pong(cx)?
        {
            match Pin::new(&mut *self.socket).poll_next(cx) {
                Poll::Pending => break,
                Poll::Ready(None) => return Err(self.ended(&WsError::ConnectionClosed)),
                Poll::Ready(Some(Err(error))) => return Err(self.ended(&error)),
                Poll::Ready(Some(Ok(message))) => self.take(message)?,
            }
        }
        Ok(())
    }

    fn take(&mut self, message: Message) -> Result<(), End> {
        match message {
            Message::Text(body) => {
                self.last_active = Instant::now();
                self.connection.mailbox().begin();
                self.connection.message(body);
            }
            Message::Binary(_) => return Err(End::Server(close(CloseCode::Unsupported))),
            Message::Close(frame) => {
                // The next read answers it and then ends the stream.
                self.closing = Some(frame.map_or_else(
                    || (1005, "Client-side close frame status not set".to_owned()),
                    |frame| (frame.code.into(), frame.reason.as_str().to_owned()),
                ));
            }
            // tungstenite answers pings by itself; neither they nor pongs keep a connection alive.
            Message::Ping(_) => self.pong = true,
            Message::Pong(_) | Message::Frame(_) => {}
        }
        Ok(())
    }

    /// A client that has sent a close frame has ended the connection, whatever error followed.
    fn ended(&mut self, error: &WsError) -> End {
        self.closing.take().map_or_else(|| end_of(error), |(code, reason)| End::Client(code, reason))
    }
}

/// Sends the close frame of a server's close and waits a moment for the client to read it: a socket that is dropped with
/// unread bytes resets the connection, and the close frame is lost.
pub(super) async fn close_socket(mut socket: Socket, end: &End) {
    let End::Server(close) = end else { return };
    let patience = std::time::Duration::from_secs(2);
    let closed = tokio::time::timeout(patience, socket.close(Some(close.clone()))).await;
    if matches!(closed, Ok(Ok(()))) {
        let mut stream = socket.into_inner();
        let mut sink = tokio::io::sink();
        let drain = async {
            tokio::io::AsyncWriteExt::shutdown(&mut stream).await?;
            tokio::io::copy(&mut stream, &mut sink).await
        };
        // The connection has ended in any case.
        drop(tokio::time::timeout(patience, drain).await);
    }
}

fn close(code: CloseCode) -> CloseFrame {
    CloseFrame { code, reason: Utf8Bytes::default() }
}

fn end_of(error: &WsError) -> End {
    match error {
        WsError::Capacity(_) => End::Server(close(CloseCode::Size)),
        WsError::Utf8(_) => End::Server(close(CloseCode::Invalid)),
        WsError::Protocol(error) if *error != ProtocolError::ResetWithoutClosingHandshake => {
            End::Server(close(CloseCode::Protocol))
        }
        _ => End::Lost,
    }
}
