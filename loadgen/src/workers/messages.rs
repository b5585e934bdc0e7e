//! What a run and its workers send each other.
//!
//! A worker in the run's own process exchanges the same values; only a worker that is a process of its own has them
//! [framed](super::link). Both sides are this very program, so the messages have no version.

use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::delivery::relay::{PeerBatch, PeerUpdate};
use crate::generate::error::GenerateError;
use crate::generate::sample::SecondSample;
use crate::generate::stage::Stage;
use crate::health::sample::Watched;

/// What a worker's process is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
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
    /// Distinguishes the run's messages from those of others.
    pub run: u32,
    /// Where to connect to.
    pub url: String,
    /// The identity provider that comes with the target.
    pub issuer: Option<String>,
    /// Where placements are polled, if they are.
    pub rest: Option<String>,
}

/// From the run to a worker.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToWorker {
    /// The first message.
    Assignment(Box<Assignment>),
    /// What does your clock say?
    ClockQuestion {
        /// When this left; comes back with the answer.
        asked: Duration,
    },
    /// The run begins, or is over.
    Stage(Stage),
    /// From another worker.
    PeerUpdate(PeerUpdate),
    /// Another worker's process has ended: nothing more comes from it.
    WorkerLost {
        /// Which, from 0.
        worker: u32,
    },
}

/// From a worker to the run.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToRun {
    /// Everything is prepared.
    Ready,
    /// An error ended the worker.
    Failed(String),
    /// What the clock says.
    ClockAnswer {
        /// When the question left, by the other clock.
        asked: Duration,
        /// When it was received.
        received: Duration,
        /// When this left.
        answered: Duration,
    },
    /// For the other workers.
    PeerBatch(PeerBatch),
    /// A second of the run.
    Second(SecondSample),
    /// Whether nothing is left to do or to wait for.
    Quiet(bool),
    /// The worker's part is over, and every second has been sent.
    Finished {
        /// The health of its process.
        watched: Watched,
        /// Highest number of its sockets open at once.
        peak_open: u64,
    },
}

/// Something that the run has to deal with.
#[derive(Debug)]
pub(super) enum WorkerEvent {
    /// A worker sent something, received at this instant of the monotonic clock.
    Message(usize, Duration, ToRun),
    /// A worker's stream ended, with what was wrong with it.
    StreamEnded(usize, Option<io::Error>),
    /// The worker in this process failed.
    Failed(GenerateError),
    /// Ctrl-C or SIGTERM.
    Interrupted,
}
