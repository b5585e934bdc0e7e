//! The messages between the stack and a front door.
//!
//! A frame is length-delimited. It has a small head ([`postcard`]) with the kind of message and the socket, followed by a
//! body of text or bytes. A sender appends its frame to a buffer and continues; the buffer is written as a whole.

use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_util::codec::{Encoder as _, FramedRead, LengthDelimitedCodec};

use super::super::handler::End;

/// Number of a socket; a door uses each only once.
pub(super) type Socket = u32;

/// A message of a door to the stack.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ToStack {
    /// A handshake to authorise. Body: the request head.
    Authorize { socket: Socket, ip: IpAddr },
    /// A client's message. Body: its text.
    Message { socket: Socket },
    /// Frames were written to the socket.
    Sent { socket: Socket, frames: u32, bytes: u32 },
    /// The socket was closed. Body: the reason.
    Ended { socket: Socket, kind: EndKind },
}

/// How a socket was closed; [`End`] without the reason.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) enum EndKind {
    Client(u16),
    Server(u16),
    Lost,
    Cut,
}

/// A message of the stack to a door.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ToDoor {
    /// The first frame. Body: the gateway's profile as JSON.
    Profile,
    /// The handshake is authorised. Body: the HTTP response.
    Granted { socket: Socket, cut: bool },
    /// The handshake is refused. Body: the HTTP response.
    Refused { socket: Socket },
    /// A frame to send. Body: the text.
    Frame { socket: Socket },
    /// The answer to a message. Body: the text.
    Answer { socket: Socket },
    /// A message was handled without an answer.
    Handled { socket: Socket },
    /// Close the connection. Body: the reason.
    End { socket: Socket, code: u16 },
    /// Accept no more connections, and exit after the last one.
    Close,
}

impl EndKind {
    /// The kind of an end, and its reason.
    pub(super) fn of(end: &End) -> (Self, &str) {
        match end {
            End::Client(code, reason) => (Self::Client(*code), reason),
            End::Server(close) => (Self::Server(close.code.into()), close.reason.as_str()),
            End::Lost => (Self::Lost, ""),
            End::Cut => (Self::Cut, ""),
        }
    }

    /// The end of this kind with a reason.
    pub(super) fn end(self, reason: &[u8]) -> End {
        let reason = || String::from_utf8_lossy(reason).into_owned();
        match self {
            Self::Client(code) => End::Client(code, reason()),
            Self::Server(code) => End::Server(close(code, reason())),
            Self::Lost => End::Lost,
            Self::Cut => End::Cut,
        }
    }
}

/// A close frame.
pub(super) fn close(code: u16, reason: String) -> CloseFrame {
    CloseFrame { code: code.into(), reason: reason.into() }
}

/// A body as text.
pub(super) fn text(bytes: &[u8]) -> Utf8Bytes {
    String::from_utf8_lossy(bytes).into_owned().into()
}

/// Maximum length of a frame. Large, because the profile may allow messages of any length and the peer is trusted.
const LONGEST: usize = u32::MAX as usize;
/// Size of a read, and of an empty buffer.
const CHUNK: usize = 64 * 1_024;

fn codec() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder().max_frame_length(LONGEST).new_codec()
}

/// The frames that are queued and not yet written.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    queued: Mutex<BytesMut>,
    changed: Notify,
    closed: AtomicBool,
}

impl Outbox {
    /// Queues one frame. Does not block: the limits of the connections bound the queue.
    pub(super) fn send(&self, head: &impl Serialize, rest: &[u8]) {
        let append = || {
            let mut frame = postcard::to_extend(head, Vec::with_capacity(32 + rest.len())).ok()?;
            frame.extend_from_slice(rest);
            let mut queued = self.queued.lock();
            let first = queued.is_empty();
            codec().encode(Bytes::from(frame), &mut queued).ok()?;
            Some(first)
        };
        match append() {
            Some(true) => self.changed.notify_one(),
            Some(false) => {}
            // Cannot happen: a head always serializes, and a frame has less than 4 GiB.
            None => tracing::error!("a frame between the stack and a front door was lost"),
        }
    }

    /// Closes the queue; frames in it are still written.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.changed.notify_one();
    }

    /// Writes the queued frames until the queue is closed.
    ///
    /// # Errors
    /// The peer has closed the stream.
    pub(super) async fn write_to(&self, mut stream: impl AsyncWrite + Unpin) -> io::Result<()> {
        let mut chunk = BytesMut::with_capacity(CHUNK);
        while !self.closed.load(Ordering::Acquire) || !self.queued.lock().is_empty() {
            self.changed.notified().await;
            std::mem::swap(&mut *self.queued.lock(), &mut chunk);
            stream.write_all(&chunk).await?;
            chunk.clear();
            if chunk.capacity() > 16 * CHUNK {
                // Free the memory after a burst.
                chunk = BytesMut::with_capacity(CHUNK);
            }
        }
        Ok(())
    }
}

/// The frames of the peer.
pub(super) struct Inbox<R>(FramedRead<R, LengthDelimitedCodec>);

impl<R: AsyncRead + Unpin> Inbox<R> {
    pub(super) fn new(stream: R) -> Self {
        Self(FramedRead::with_capacity(stream, codec(), CHUNK))
    }

    /// The next message and its body; none once the peer has closed the stream.
    ///
    /// # Errors
    /// The stream broke, or the frame is malformed because the peer has another version.
    pub(super) async fn next<T: DeserializeOwned>(&mut self) -> io::Result<Option<(T, BytesMut)>> {
        let mut frame = match self.0.next().await {
            Some(Ok(frame)) => frame,
            // The peer closed the stream before it had read everything.
            Some(Err(error)) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
            Some(Err(error)) => return Err(error),
            None => return Ok(None),
        };
        let (head, rest) = postcard::take_from_bytes(&frame).map_err(io::Error::other)?;
        let start = frame.len() - rest.len();
        Ok(Some((head, frame.split_off(start))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn messages_arrive_in_order() {
        let (near, far) = tokio::io::duplex(64);
        let outbox = std::sync::Arc::new(Outbox::default());
        let writer = std::sync::Arc::clone(&outbox);
        let writing = tokio::spawn(async move { writer.write_to(near).await });
        let mut inbox = Inbox::new(far);
        let long = "é".repeat(100_000);
        outbox.send(&ToStack::Message { socket: 7 }, long.as_bytes());
        let end = End::Client(4_001, "bye".into());
        let (kind, reason) = EndKind::of(&end);
        outbox.send(&ToStack::Ended { socket: 8, kind }, reason.as_bytes());
        let (head, body) = inbox.next::<ToStack>().await.unwrap().unwrap();
        assert!(matches!(head, ToStack::Message { socket: 7 }) && text(&body).as_str() == long, "{head:?}");
        match inbox.next::<ToStack>().await.unwrap().unwrap() {
            (ToStack::Ended { socket: 8, kind }, reason) => assert_eq!(kind.end(&reason), end),
            other => panic!("{other:?}"),
        }
        outbox.close();
        writing.await.unwrap().unwrap();
        assert!(inbox.next::<ToStack>().await.unwrap().is_none());
    }

    #[test]
    fn every_end_keeps_its_meaning() {
        let going = CloseFrame { code: 1001.into(), reason: "Going away".into() };
        for end in [End::Client(1005, "x".into()), End::Server(going), End::Lost, End::Cut] {
            let (kind, reason) = EndKind::of(&end);
            assert_eq!(kind.end(reason.as_bytes()), end);
        }
    }
}
