//! A worker's process: sending to it never makes the run wait, and it ends with this value.

use std::io::{self, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::link::{frame, receive};
use super::messages::{ToWorker, WorkerEvent};
use crate::child::{self, Child};
use crate::clock::monotonic;

/// The hidden command under which this program is a worker's process.
pub const COMMAND: &str = "worker";

/// Longest write at once, so that a burst is written in few.
const CHUNK: usize = 256 * 1024;
/// How long a process whose stream has ended may take to end itself.
const EXIT: Duration = Duration::from_millis(500);

/// A worker's process; it is killed when this is dropped.
pub(super) struct WorkerProcess {
    child: Child,
    pid: u32,
    outbox: Sender<Vec<u8>>,
}

impl WorkerProcess {
    /// Starts worker `index`, whose messages become `events`.
    pub(super) fn start(index: usize, threads: usize, events: Sender<WorkerEvent>) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let mut command = child::command()?;
        command.args([COMMAND, "--threads", &threads.to_string()]).stdin(Stdio::from(OwnedFd::from(theirs)));
        let child = Child::start(command)?;
        let (outbox, frames) = channel();
        // From here on the child is killed whatever fails.
        let worker = Self { pid: child.pid(), child, outbox };
        let writing = ours.try_clone()?;
        let name = |what: &str| std::thread::Builder::new().name(format!("{what} {index}"));
        name("to worker").spawn(move || write(writing, &frames))?;
        name("from worker").spawn(move || read(index, ours, &events))?;
        Ok(worker)
    }

    pub(super) const fn pid(&self) -> u32 {
        self.pid
    }

    /// Sends a message. It is written by another thread; a worker that is gone does not receive it.
    pub(super) fn send(&self, message: &ToWorker) {
        let _ = self.outbox.send(frame(message));
    }

    /// How the process has ended, once it has; waits a moment for it.
    pub(super) fn exit_status(&mut self) -> Option<String> {
        self.child.exit_status(EXIT).map(|status| status.to_string())
    }

    /// Ends the process at once.
    pub(super) fn kill(&mut self) {
        self.child.kill();
    }
}

fn write(mut stream: UnixStream, frames: &Receiver<Vec<u8>>) {
    while let Ok(mut chunk) = frames.recv() {
        while chunk.len() < CHUNK
            && let Ok(more) = frames.try_recv()
        {
            chunk.extend_from_slice(&more);
        }
        if stream.write_all(&chunk).is_err() {
            // It is gone, and whoever reads from it will notice.
            return;
        }
    }
}

fn read(index: usize, stream: UnixStream, events: &Sender<WorkerEvent>) {
    let mut stream = BufReader::with_capacity(64 * 1024, stream);
    let error = loop {
        match receive(&mut stream) {
            Ok(Some(message)) => {
                if events.send(WorkerEvent::Message(index, monotonic(), message)).is_err() {
                    return;
                }
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    let _ = events.send(WorkerEvent::StreamEnded(index, error));
}
