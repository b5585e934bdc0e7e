//! What a run and its workers say to each other.
//!
//! They share one stream socket, which is the worker's standard input: it ends when either of them does, however that
//! happens. A frame is its length and a [`postcard`] value. Both are this very program, so nothing has a version.

use std::io::{self, Read, Write};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::delivery::presence::Change;
use crate::delivery::relay::Passed;
use crate::generate::Stopped;
use crate::health::sample::{Second, Watched};
use crate::record::ThreadTally;

/// Longest frame: anything beyond is no frame.
const LONGEST: usize = 256 << 20;

/// What a worker is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// Which of the workers it is, from 0.
    pub index: u32,
    /// How many there are.
    pub count: u32,
    /// The scenario's file, whose folder may hold others that it names.
    pub file: String,
    /// The scenario's text, so that a file that changes meanwhile changes nothing.
    pub text: String,
    /// Overrides: key, value.
    pub overrides: Vec<(String, String)>,
    /// Tells the run's messages from those of others.
    pub run: u32,
    /// Where to connect to.
    pub url: String,
    /// The identity provider that comes with the target.
    pub issuer: Option<String>,
    /// Where placements are polled, if they are.
    pub rest: Option<String>,
}

/// What the run says to a worker.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToWorker {
    /// The first frame.
    Work(Box<Work>),
    /// What does your clock say?
    Ask {
        /// When this left; comes back with the answer.
        asked: Duration,
    },
    /// Begin at this instant of the machine's monotonic clock.
    Begin {
        /// Zero of the run's axis.
        zero: Duration,
    },
    /// From another worker.
    Heard {
        /// Which.
        from: u32,
        /// Everything of it before this instant has been said.
        until: Micros,
        /// Its sockets that opened or ended.
        changes: Vec<Change>,
        /// Pushes of this worker's sends.
        passed: Vec<Passed>,
    },
    /// A worker is no more: nothing more will be heard of it.
    Gone {
        /// Which.
        worker: u32,
    },
    /// The run is over.
    Stop(Stopped),
}

/// What a worker says to the run.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToRun {
    /// Everything is prepared.
    Ready,
    /// It cannot be.
    Failed(String),
    /// What the clock says.
    Answer {
        /// When the question left, by the other clock.
        asked: Duration,
        /// When it was heard.
        heard: Duration,
        /// When this left.
        answered: Duration,
    },
    /// For the other workers.
    Told {
        /// Everything before this instant has been said.
        until: Micros,
        /// Sockets that opened or ended.
        changes: Vec<Change>,
        /// Pushes, by the worker whose sends they are of.
        passed: Vec<(u32, Vec<Passed>)>,
    },
    /// A second of the run.
    Second {
        /// Which.
        second: u64,
        /// What was recorded.
        tally: Box<ThreadTally>,
        /// Sockets open at its end.
        open: u64,
        /// What it was like.
        seen: Second,
    },
    /// Whether nothing is left to do or to wait for.
    Quiet(bool),
    /// Everything is over, and every second has been told.
    Done(Watched),
}

/// A frame with its length.
#[must_use]
pub fn frame(value: &impl Serialize) -> Vec<u8> {
    // Serialising fails only for values that postcard has no form for, and these are all of its kinds.
    let frame = postcard::to_extend(value, vec![0; 4]);
    let mut frame = frame.unwrap_or_else(|_| vec![0; 4]);
    let length = u32::try_from(frame.len() - 4).unwrap_or(u32::MAX);
    frame[..4].copy_from_slice(&length.to_le_bytes());
    frame
}

/// Says one thing.
///
/// # Errors
/// The other side is gone.
pub fn say(mut stream: impl Write, value: &impl Serialize) -> io::Result<()> {
    stream.write_all(&frame(value))
}

/// Hears one thing; `None` once the other side is gone.
///
/// # Errors
/// The stream broke, or this is no frame.
pub fn hear<T: DeserializeOwned>(stream: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    if let Err(error) = stream.read_exact(&mut length) {
        let gone = matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset);
        return if gone { Ok(None) } else { Err(error) };
    }
    let length = u32::from_le_bytes(length) as usize;
    if length > LONGEST {
        return Err(io::Error::other(format!("a frame of {length} bytes")));
    }
    let mut frame = vec![0; length];
    stream.read_exact(&mut frame)?;
    postcard::from_bytes(&frame).map(Some).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::presence::Presence;
    use crate::record::ThreadTally;

    #[test]
    fn what_is_said_is_heard() {
        let mut stream = Vec::new();
        let passed = vec![Passed { send: u64::MAX, recipient: 99_999, at: 12_345_678 }];
        let changes =
            vec![Change { player: 3, presence: Presence::Open, was_open: false, own_doing: false, at: 5 }];
        say(&mut stream, &ToWorker::Heard { from: 2, until: 9, changes, passed: passed.clone() }).unwrap();
        say(&mut stream, &ToWorker::Stop(Stopped::AtTheEnd)).unwrap();
        let mut heard = &stream[..];
        match hear(&mut heard).unwrap() {
            Some(ToWorker::Heard { from: 2, until: 9, changes, passed: back }) => {
                assert_eq!((changes.len(), back), (1, passed));
            }
            other => panic!("{other:?}"),
        }
        assert!(matches!(hear(&mut heard).unwrap(), Some(ToWorker::Stop(Stopped::AtTheEnd))));
        assert!(hear::<ToWorker>(&mut heard).unwrap().is_none(), "the end");
    }

    #[test]
    fn a_second_in_which_nothing_happened_is_small() {
        let tally = Box::<ThreadTally>::default();
        let second = ToRun::Second { second: 1, tally, open: 0, seen: Second::default() };
        let frame = frame(&second);
        assert!(frame.len() < 600, "{} bytes", frame.len());
    }

    #[test]
    fn what_is_no_frame_is_an_error() {
        assert!(hear::<ToRun>(&mut &[255_u8; 64][..]).is_err(), "too long");
        let mut torn = frame(&ToRun::Ready);
        torn[0] += 7;
        assert!(hear::<ToRun>(&mut &torn[..]).is_err(), "it ends in the middle");
        assert!(hear::<ToRun>(&mut &[1, 0, 0, 0, 200][..]).is_err(), "no value");
    }
}
