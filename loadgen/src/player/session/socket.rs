//! The WebSocket of a session: frames in, frames out, and the ways to end it.
//!
//! Reading never waits for writing: where the target does not read, requests pile up in the socket's buffer and
//! are refused past its bound, while answers and pushes are still taken.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use prices::Item;
use scenarios::plan::disruptions::Cut;
use tokio::io::AsyncWrite as _;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::{Bytes, Message, Utf8Bytes};
use tokio_util::either::Either;

use super::end::{Dropped, class_of_error, class_of_frame};
use crate::player::handshake::Stream;
use crate::record::{Class, classes};

/// Largest frame that API Gateway takes is 32 KiB; longer messages go in fragments of this size.
const FRAGMENT: usize = 32_000;
/// How long the closing handshake may take.
const CLOSING: Duration = Duration::from_secs(1);
/// How long a socket that was not read for a while is listened to until it counts as still open.
const GLANCE: Duration = Duration::from_millis(200);

/// What the other side sent.
pub(super) enum Received {
    /// A text message.
    Text(Utf8Bytes),
    /// A binary message.
    Binary(Bytes),
}

/// What passed a socket, as API Gateway meters it: one for every 32 KB begun of a message.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Metered {
    pub(super) sent: u64,
    pub(super) received: u64,
}

/// An open WebSocket.
pub(super) struct Socket {
    stream: WebSocketStream<Stream>,
    /// Something waits to be written.
    unflushed: bool,
    /// What passed since it was last asked for.
    metered: Metered,
}

impl Socket {
    pub(super) const fn new(stream: WebSocketStream<Stream>) -> Self {
        Self { stream, unflushed: false, metered: Metered { sent: 0, received: 0 } }
    }

    /// What has passed since this was last asked.
    pub(super) fn take_metered(&mut self) -> Metered {
        std::mem::take(&mut self.metered)
    }

    /// Whether everything has been written.
    pub(super) const fn is_flushed(&self) -> bool {
        !self.unflushed
    }

    /// The next message; an error when the socket has ended.
    pub(super) fn poll_received(&mut self, cx: &mut Context<'_>) -> Poll<Result<Received, Dropped>> {
        while let Poll::Ready(read) = self.stream.poll_next_unpin(cx) {
            return Poll::Ready(match read {
                Some(Ok(Message::Text(text))) => {
                    self.metered.received += Item::message_units(text.len());
                    Ok(Received::Text(text))
                }
                Some(Ok(Message::Binary(bytes))) => {
                    self.metered.received += Item::message_units(bytes.len());
                    Ok(Received::Binary(bytes))
                }
                // The pong is queued already and leaves with the flush.
                Some(Ok(Message::Ping(_))) => {
                    self.unflushed = true;
                    continue;
                }
                Some(Ok(Message::Close(frame))) => {
                    // The answer to it is queued; whether it still leaves changes nothing.
                    let _ = self.stream.poll_flush_unpin(cx);
                    Err(Dropped::by_frame(frame.as_ref()))
                }
                Some(Ok(Message::Pong(_) | Message::Frame(_))) => continue,
                Some(Err(error)) => Err(Dropped::from(&error)),
                None => Err(Dropped::at_the_end()),
            });
        }
        Poll::Pending
    }

    /// Puts a text into the socket's buffer, as a binary message if it is to be one; false when the buffer is full.
    pub(super) fn write(&mut self, text: String, binary: bool, cx: &mut Context<'_>) -> bool {
        if !matches!(self.stream.poll_ready_unpin(cx), Poll::Ready(Ok(()))) {
            return false;
        }
        self.unflushed = true;
        let units = Item::message_units(text.len());
        let taken = self.start_send(text, binary);
        if taken {
            self.metered.sent += units;
        }
        taken
    }

    /// Hands a text over, in fragments if it is long; false where it is not taken.
    fn start_send(&mut self, text: String, binary: bool) -> bool {
        if text.len() <= FRAGMENT {
            let message = if binary { Message::binary(text) } else { Message::text(text) };
            return self.stream.start_send_unpin(message).is_ok();
        }
        let bytes = text.into_bytes();
        let last = bytes.len().div_ceil(FRAGMENT) - 1;
        bytes.chunks(FRAGMENT).enumerate().all(|(index, chunk)| {
            let code = match index {
                0 if binary => Data::Binary,
                0 => Data::Text,
                _ => Data::Continue,
            };
            let frame = Frame::message(chunk.to_vec(), OpCode::Data(code), index == last);
            self.stream.start_send_unpin(Message::Frame(frame)).is_ok()
        })
    }

    /// Puts a ping into the socket's buffer, if there is room.
    pub(super) fn ping(&mut self, cx: &mut Context<'_>) {
        if matches!(self.stream.poll_ready_unpin(cx), Poll::Ready(Ok(()))) {
            self.unflushed |= self.stream.start_send_unpin(Message::Ping(Vec::new().into())).is_ok();
        }
    }

    /// Writes what waits, as far as the other side takes it.
    pub(super) fn flush(&mut self, cx: &mut Context<'_>) -> Result<(), Dropped> {
        if self.unflushed {
            match self.stream.poll_flush_unpin(cx) {
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(error)) => return Err(Dropped::from(&error)),
                Poll::Pending => {}
            }
        }
        Ok(())
    }

    /// Writes bytes past the WebSocket protocol, as far as the other side takes them; how many it took.
    pub(super) fn write_raw(&mut self, bytes: &[u8], cx: &mut Context<'_>) -> usize {
        let mut taken = 0;
        while taken < bytes.len() {
            match Pin::new(self.stream.get_mut()).poll_write(cx, &bytes[taken..]) {
                Poll::Ready(Ok(0) | Err(_)) | Poll::Pending => break,
                Poll::Ready(Ok(written)) => taken += written,
            }
        }
        taken
    }

    /// Flushes what was written past the WebSocket protocol.
    pub(super) fn flush_raw(&mut self, cx: &mut Context<'_>) -> Result<(), Dropped> {
        match Pin::new(self.stream.get_mut()).poll_flush(cx) {
            Poll::Ready(Err(error)) => Err(Dropped::from(&error.into())),
            _ => Ok(()),
        }
    }

    /// Ends the connection as a router or a killed process does, or with a close frame.
    pub(super) async fn cut(&mut self, cut: Cut) -> io::Result<()> {
        match cut {
            Cut::Abort => {}
            Cut::Reset => {
                let tcp = match self.stream.get_ref() {
                    Either::Left(tcp) => tcp,
                    Either::Right(tls) => tls.get_ref().0,
                };
                return tcp.set_zero_linger();
            }
            Cut::Close => {
                let frame = CloseFrame { code: CloseCode::Away, reason: Utf8Bytes::default() };
                let _ = tokio::time::timeout(CLOSING, self.stream.close(Some(frame))).await;
            }
        }
        Ok(())
    }

    /// How the backend ended a socket that was not read for a while; `unnoticed` where it did not.
    pub(super) async fn find_out(&mut self) -> Class {
        loop {
            match tokio::time::timeout(GLANCE, self.stream.next()).await {
                Err(_) => return classes::UNNOTICED.clone(),
                Ok(Some(Ok(Message::Close(frame)))) => return class_of_frame(frame.as_ref()),
                Ok(Some(Ok(_))) => {}
                Ok(Some(Err(error))) => return class_of_error(&error),
                Ok(None) => return classes::CLOSED_1006.clone(),
            }
        }
    }

    /// Closes the socket.
    pub(super) async fn close(&mut self) {
        // Whether the other side still hears it changes nothing.
        let _ = tokio::time::timeout(CLOSING, self.stream.close(None)).await;
    }
}
