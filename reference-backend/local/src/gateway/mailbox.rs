//! What waits to be written to one socket, and what its task is woken for.
//!
//! An empty mailbox has allocated nothing, and one waker stands for everything that the task can be called for: that
//! is what lets a socket at rest cost little more than itself.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// The way out of one socket.
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
    /// Set once the server wants to end the connection.
    close: Option<CloseFrame>,
}

impl Mailbox {
    /// Names the task that is woken when there is something to do.
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
            // A burst must not leave its memory behind.
            None => waiting.frames = VecDeque::new(),
        }
        frame
    }

    /// Whether the client leaves so much unread that nothing more is to be read from it.
    pub(super) fn congested(&self, bytes: usize) -> bool {
        self.waiting.lock().bytes > bytes
    }

    /// Asks the connection to end.
    pub(super) fn end(&self, close: CloseFrame) {
        self.waiting.lock().close = Some(close);
        self.waker.wake();
    }

    /// How the server wants to end the connection, if it does.
    pub(super) fn asked_to_end(&self) -> Option<CloseFrame> {
        self.waiting.lock().close.clone()
    }

    /// A message has come whose answer is due.
    pub(super) fn begin(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    /// It has been handled; what there is of an answer has been queued.
    pub(super) fn finish(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.waker.wake();
    }

    /// Messages that are being handled.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }
}
