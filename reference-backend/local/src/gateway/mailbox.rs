//! The outgoing queue of one socket, which wakes its task.
//!
//! An empty mailbox has no allocation, and one waker serves all events, so that an idle socket needs little memory.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// The outgoing frames of one socket.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    waiting: Mutex<Waiting>,
    in_flight: AtomicUsize,
    waker: AtomicWaker,
}

#[derive(Debug, Default)]
struct Waiting {
    frames: VecDeque<Utf8Bytes>,
    bytes: usize,
    /// Set once the server closes the connection.
    close: Option<CloseFrame>,
}

impl Mailbox {
    /// Registers the task to wake.
    pub(super) fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    /// Queues a frame.
    pub(super) fn put(&self, frame: Utf8Bytes) {
        let mut waiting = self.waiting.lock();
        waiting.bytes += frame.len();
        waiting.frames.push_back(frame);
        drop(waiting);
        self.waker.wake();
    }

    /// The next frame to send.
    pub(super) fn next_frame(&self) -> Option<Utf8Bytes> {
        let mut waiting = self.waiting.lock();
        let frame = waiting.frames.pop_front();
        match &frame {
            Some(frame) => waiting.bytes -= frame.len(),
            // Free the memory after a burst.
            None => waiting.frames = VecDeque::new(),
        }
        frame
    }

    /// Whether more than `bytes` are queued, so that nothing more is read from the client.
    pub(super) fn congested(&self, bytes: usize) -> bool {
        self.waiting.lock().bytes > bytes
    }

    /// Closes the connection.
    pub(super) fn end(&self, close: CloseFrame) {
        self.waiting.lock().close = Some(close);
        self.waker.wake();
    }

    /// The close frame, if the server closes the connection.
    pub(super) fn close_requested(&self) -> Option<CloseFrame> {
        self.waiting.lock().close.clone()
    }

    /// A message has arrived and is in flight.
    pub(super) fn begin(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    /// A message was handled and its answer, if any, is queued.
    pub(super) fn finish(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.waker.wake();
    }

    /// Messages that are being handled.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }
}
