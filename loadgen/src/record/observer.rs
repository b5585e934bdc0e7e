//! The one place that events are told to.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::class::Class;
use super::event::{Event, Evidence};
use super::goose::GooseSample;
use super::recorder::Recorder;
use super::samples::Sample;
use super::thread_tally::ThreadTally;
use crate::clock::Clock;

/// Makes of a text that a target told a player one that may be kept: without credentials, printable, not too long.
type Keepable = dyn Fn(u32, &str) -> String + Send + Sync;

/// Counts events, keeps samples of errors, and copies what ends an operation to goose. Cheap to clone.
#[derive(Clone)]
pub struct Observer {
    run: Arc<Run>,
    goose: Option<mpsc::Sender<GooseSample>>,
}

/// What all observers of a run share.
struct Run {
    recorder: Arc<Recorder>,
    clock: Clock,
    keepable: Box<Keepable>,
}

impl Observer {
    /// Records into `recorder`. `keepable` is given the player and the text of each sample.
    #[must_use]
    pub fn new(
        recorder: Arc<Recorder>,
        clock: Clock,
        keepable: impl Fn(u32, &str) -> String + Send + Sync + 'static,
    ) -> Self {
        Self { run: Arc::new(Run { recorder, clock, keepable: Box::new(keepable) }), goose: None }
    }

    /// The same, and goose gets a copy of what ends an operation.
    #[must_use]
    pub fn with_goose(&self, goose: mpsc::Sender<GooseSample>) -> Self {
        Self { run: Arc::clone(&self.run), goose: Some(goose) }
    }

    /// What is recorded into.
    #[must_use]
    pub fn recorder(&self) -> &Arc<Recorder> {
        &self.run.recorder
    }

    /// Something has happened.
    #[inline]
    pub fn observe(&self, event: Event<'_>) {
        if let Some(goose) = &self.goose
            && let Some(sample) = GooseSample::of(&event)
        {
            // Dropped when goose does not keep up: the truth is in the recorder.
            let _ = goose.try_send(sample);
        }
        self.run.recorder.with(|tally| {
            event.count(tally);
            if let Some(evidence) = event.evidence() {
                self.keep(tally, &evidence);
            }
        });
    }

    #[cold]
    fn keep(&self, tally: &mut ThreadTally, evidence: &Evidence<'_>) {
        let Evidence { player, operation, class, detail } = evidence;
        tally.samples.offer(operation, class, || Sample {
            at: self.run.clock.now(),
            operation: (*operation).into(),
            class: (*class).clone(),
            player: *player,
            detail: (self.run.keepable)(*player, &detail.to_string()),
        });
    }

    /// The error class of what a target told a player, behind a prefix of ours.
    #[must_use]
    pub fn class_of(&self, player: u32, prefix: &str, said: &str) -> Class {
        Class::well_known(prefix, said)
            .unwrap_or_else(|| Class::said(prefix, &(self.run.keepable)(player, said)))
    }
}
