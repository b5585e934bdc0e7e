//! A socket that a front door has, as the stack reaches it.

use std::sync::Arc;

use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::link::{Outbox, Socket, ToDoor};

/// A socket that a door has.
pub(in super::super) struct RemoteSocket {
    pub(super) outbox: Arc<Outbox>,
    pub(super) socket: Socket,
}

impl RemoteSocket {
    /// Sends a frame.
    pub(in super::super) fn frame(&self, frame: &Utf8Bytes) {
        self.outbox.send(&ToDoor::Frame { socket: self.socket }, frame.as_bytes());
    }

    /// A message has been handled; sends its answer, if there is one.
    pub(in super::super) fn finish(&self, answer: Option<&str>) {
        let socket = self.socket;
        match answer {
            Some(answer) => self.outbox.send(&ToDoor::Answer { socket }, answer.as_bytes()),
            None => self.outbox.send(&ToDoor::Handled { socket }, &[]),
        }
    }

    /// Ends the connection.
    pub(in super::super) fn end(&self, close: &CloseFrame) {
        let (socket, code) = (self.socket, close.code.into());
        self.outbox.send(&ToDoor::End { socket, code }, close.reason.as_bytes());
    }
}
