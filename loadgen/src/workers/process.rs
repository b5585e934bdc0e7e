//! A worker's process as the run holds it: what is said to it never makes the run wait, and it ends with this value.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use std::io::{BufReader, Write};

use super::COMMAND;
use super::link::{ToRun, ToWorker, frame, hear};
use crate::clock::monotonic;

/// Longest write at once, so that a burst is written in few.
const CHUNK: usize = 256 * 1024;

/// Something that the run has to deal with.
pub(super) enum Event {
    /// A worker said something, heard at this instant of the monotonic clock.
    Said(usize, Duration, Box<ToRun>),
    /// A worker's stream ended, with what was wrong with it.
    Ended(usize, Option<io::Error>),
    /// Ctrl-C or SIGTERM.
    Interrupted,
}

/// A worker's process; it is killed when this is dropped.
pub(super) struct Held {
    child: Child,
    outbox: Sender<Vec<u8>>,
}

impl Held {
    /// Starts worker `index`, whose words become `events`.
    pub(super) fn start(index: usize, threads: usize, events: Sender<Event>) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let child = Command::new(std::env::current_exe()?)
            .args([COMMAND, "--threads", &threads.to_string()])
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            // A group of its own: Ctrl-C on the terminal stops the run, and the run stops its workers.
            .process_group(0)
            .spawn()?;
        let (outbox, said) = channel();
        // From here on the child is killed whatever fails.
        let held = Self { child, outbox };
        let writing = ours.try_clone()?;
        let name = |what: &str| std::thread::Builder::new().name(format!("{what} {index}"));
        name("to worker").spawn(move || write(writing, &said))?;
        name("from worker").spawn(move || read(index, ours, &events))?;
        Ok(held)
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Says one thing. It is written by another thread; a worker that is gone does not hear it.
    pub(super) fn say(&self, value: &ToWorker) {
        let _ = self.outbox.send(frame(value));
    }

    /// How the process has ended, once it has; waits a moment for it.
    pub(super) fn ended(&mut self) -> Option<String> {
        let patience = Instant::now() + Duration::from_millis(500);
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status.to_string()),
                Ok(None) if Instant::now() < patience => std::thread::sleep(Duration::from_millis(5)),
                _ => return None,
            }
        }
    }

    /// Ends the process at once.
    pub(super) fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.kill();
    }
}

fn write(mut stream: UnixStream, said: &Receiver<Vec<u8>>) {
    while let Ok(mut chunk) = said.recv() {
        while chunk.len() < CHUNK
            && let Ok(more) = said.try_recv()
        {
            chunk.extend_from_slice(&more);
        }
        if stream.write_all(&chunk).is_err() {
            // It is gone, and whoever reads from it will notice.
            return;
        }
    }
}

fn read(index: usize, stream: UnixStream, events: &Sender<Event>) {
    let mut stream = BufReader::with_capacity(64 * 1024, stream);
    let error = loop {
        match hear(&mut stream) {
            Ok(Some(said)) => {
                let heard = monotonic();
                if events.send(Event::Said(index, heard, Box::new(said))).is_err() {
                    return;
                }
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    let _ = events.send(Event::Ended(index, error));
}
