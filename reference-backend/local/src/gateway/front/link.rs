//! What the stack and a front door say to each other.
//!
//! A frame has a small head ([`postcard`]) that says what it is and about which socket, and the rest of it is a text or
//! bytes as they are. Frames are gathered and written together: whoever has something to say appends it and goes on.

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

/// What a door tells the stack.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ToStack {
    /// Somebody wants to come in. With the request head.
    Knock { socket: Socket, ip: IpAddr },
    /// A client has said something. With its text.
    Message { socket: Socket },
    /// The socket has taken frames.
    Sent { socket: Socket, frames: u32, bytes: u32 },
    /// The socket has ended. With the reason.
    Ended { socket: Socket, how: How },
}

/// How a socket has ended.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) enum How {
    Client(u16),
    Server(u16),
    Lost,
    Cut,
}

/// What the stack tells a door.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ToDoor {
    /// The first frame. With the gateway's profile as JSON.
    Profile,
    /// Whoever knocked may come in. With HTTP's answer.
    Open { socket: Socket, cut: bool },
    /// Whoever knocked may not. With HTTP's answer.
    Refuse { socket: Socket },
    /// Send this. With the text.
    Frame { socket: Socket },
    /// A message has been answered. With the answer.
    Answer { socket: Socket },
    /// A message has been handled and has no answer.
    Handled { socket: Socket },
    /// End the connection. With the reason.
    End { socket: Socket, code: u16 },
    /// Take no more connections, and go when the last has ended.
    Close,
}

impl How {
    /// An end in this tongue, and its reason.
    pub(super) fn of(end: &End) -> (Self, &str) {
        match end {
            End::Client(code, reason) => (Self::Client(*code), reason),
            End::Server(close) => (Self::Server(close.code.into()), close.reason.as_str()),
            End::Lost => (Self::Lost, ""),
            End::Cut => (Self::Cut, ""),
        }
    }

    /// The end that was meant.
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

/// A text that the other side had as one.
pub(super) fn text(bytes: &[u8]) -> Utf8Bytes {
    String::from_utf8_lossy(bytes).into_owned().into()
}

/// Longest frame; the profile may allow messages of any length, and no peer here is a stranger.
const LONGEST: usize = u32::MAX as usize;
/// What is read at once, and the most that a buffer keeps when it is empty.
const CHUNK: usize = 64 * 1_024;

fn codec() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder().max_frame_length(LONGEST).new_codec()
}

/// What has been said and not yet written.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    said: Mutex<BytesMut>,
    more: Notify,
    over: AtomicBool,
}

impl Outbox {
    /// Says one thing. Never waits: what may be on its way is bounded by what connections may have outstanding.
    pub(super) fn say(&self, head: &impl Serialize, rest: &[u8]) {
        let append = || {
            let mut frame = postcard::to_extend(head, Vec::with_capacity(32 + rest.len())).ok()?;
            frame.extend_from_slice(rest);
            let mut said = self.said.lock();
            let first = said.is_empty();
            codec().encode(Bytes::from(frame), &mut said).ok()?;
            Some(first)
        };
        match append() {
            Some(true) => self.more.notify_one(),
            Some(false) => {}
            // It cannot happen: heads are numbers, and a message of 4 GiB would not have been let in.
            None => tracing::error!("a frame between the stack and a front door was lost"),
        }
    }

    /// Nothing more will be said: what has been is still written.
    pub(super) fn over(&self) {
        self.over.store(true, Ordering::Release);
        self.more.notify_one();
    }

    /// Writes what is said, until it is over.
    ///
    /// # Errors
    /// The other side has gone.
    pub(super) async fn write_to(&self, mut stream: impl AsyncWrite + Unpin) -> io::Result<()> {
        let mut chunk = BytesMut::with_capacity(CHUNK);
        while !self.over.load(Ordering::Acquire) || !self.said.lock().is_empty() {
            self.more.notified().await;
            std::mem::swap(&mut *self.said.lock(), &mut chunk);
            stream.write_all(&chunk).await?;
            chunk.clear();
            if chunk.capacity() > 16 * CHUNK {
                // A burst must not leave its memory behind.
                chunk = BytesMut::with_capacity(CHUNK);
            }
        }
        Ok(())
    }
}

/// What the other side says.
pub(super) struct Inbox<R>(FramedRead<R, LengthDelimitedCodec>);

impl<R: AsyncRead + Unpin> Inbox<R> {
    pub(super) fn new(stream: R) -> Self {
        Self(FramedRead::with_capacity(stream, codec(), CHUNK))
    }

    /// The next thing and what came with it; nothing once the other side has gone.
    ///
    /// # Errors
    /// The stream broke, or this is no frame: the two are not of the same version.
    pub(super) async fn next<T: DeserializeOwned>(&mut self) -> io::Result<Option<(T, BytesMut)>> {
        let mut frame = match self.0.next().await {
            Some(Ok(frame)) => frame,
            // It went without having heard everything.
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
    async fn what_is_said_is_heard_in_order() {
        let (near, far) = tokio::io::duplex(64);
        let outbox = std::sync::Arc::new(Outbox::default());
        let said = std::sync::Arc::clone(&outbox);
        let writing = tokio::spawn(async move { said.write_to(near).await });
        let mut inbox = Inbox::new(far);
        let long = "é".repeat(100_000);
        outbox.say(&ToStack::Message { socket: 7 }, long.as_bytes());
        let end = End::Client(4_001, "bye".into());
        let (how, reason) = How::of(&end);
        outbox.say(&ToStack::Ended { socket: 8, how }, reason.as_bytes());
        let (head, body) = inbox.next::<ToStack>().await.unwrap().unwrap();
        assert!(matches!(head, ToStack::Message { socket: 7 }) && text(&body).as_str() == long, "{head:?}");
        match inbox.next::<ToStack>().await.unwrap().unwrap() {
            (ToStack::Ended { socket: 8, how }, reason) => assert_eq!(how.end(&reason), end),
            other => panic!("{other:?}"),
        }
        outbox.over();
        writing.await.unwrap().unwrap();
        assert!(inbox.next::<ToStack>().await.unwrap().is_none());
    }

    #[test]
    fn every_end_keeps_its_meaning() {
        let going = CloseFrame { code: 1001.into(), reason: "Going away".into() };
        for end in [End::Client(1005, "x".into()), End::Server(going), End::Lost, End::Cut] {
            let (how, reason) = How::of(&end);
            assert_eq!(how.end(reason.as_bytes()), end);
        }
    }
}
