//! The collector: once a second it merges what all threads of this process recorded into one sample.
//!
//! It runs on a thread of its own, which no busy event loop holds up.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Instant;

use super::sample::{SECOND, SecondSample};
use crate::clock::Clock;
use crate::health::sample::Watched;
use crate::health::watch::Watch;
use crate::player::Players;
use crate::record::{Recorder, ThreadTally};

/// Collects what this process records.
pub struct Collector {
    /// The run's clock.
    pub clock: Clock,
    /// The players.
    pub players: Arc<Players>,
    /// What the threads record into.
    pub recorder: Arc<Recorder>,
    /// The health of this process.
    pub watch: Watch,
}

impl Collector {
    /// Collects once a second until `stop` is sent or dropped, then once more, and passes each second to `send`. Blocks;
    /// returns the health of this process over all seconds.
    #[must_use]
    pub fn run(mut self, stop: &Receiver<()>, send: impl Fn(SecondSample)) -> Watched {
        let mut spare = ThreadTally::default();
        for second in 0.. {
            let end = self.clock.instant((second + 1) * SECOND);
            let stopped = !matches!(
                stop.recv_timeout(end.saturating_duration_since(Instant::now())),
                Err(RecvTimeoutError::Timeout)
            );
            let mut tally = Box::<ThreadTally>::default();
            self.recorder.drain(&mut tally, &mut spare);
            tally.fold_phases();
            send(SecondSample { second, tally, open: self.players.open(), health: self.watch.look() });
            if stopped {
                break;
            }
        }
        self.watch.watched()
    }
}
