//! The one place where events are observed.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::class::Class;
use super::event::{Event, Evidence, Subject};
use super::goose::GooseSample;
use super::names::Names;
use super::recorder::Recorder;
use super::samples::Sample;
use super::thread_tally::ThreadTally;
use crate::clock::Clock;

/// Turns a text that a player received into one that may be kept: without credentials, printable, not too long.
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
    names: Names,
    keepable: Box<Keepable>,
}

impl Observer {
    /// Records into `recorder`. Samples have their names from `names`. `keepable` is given the player and the text of each sample.
    #[must_use]
    pub fn new(
        recorder: Arc<Recorder>,
        clock: Clock,
        names: Names,
        keepable: impl Fn(u32, &str) -> String + Send + Sync + 'static,
    ) -> Self {
        Self { run: Arc::new(Run { recorder, clock, names, keepable: Box::new(keepable) }), goose: None }
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
            // Dropped when goose does not keep up: the figures come from the recorder.
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
        let Evidence { player, subject, class, detail } = evidence;
        let name = match *subject {
            Subject::Operation(operation) => self.run.names.operation(operation),
            Subject::Push(kind) => self.run.names.push(kind),
            Subject::Other(word) => word,
        };
        tally.samples.offer(name, class, || Sample {
            at: self.run.clock.now(),
            operation: name.to_owned(),
            class: (*class).clone(),
            player: *player,
            detail: (self.run.keepable)(*player, &detail.to_string()),
        });
    }

    /// The error class of a text that a player received, behind a prefix of ours.
    #[must_use]
    pub fn class_of(&self, player: u32, prefix: &str, said: &str) -> Class {
        Class::well_known(prefix, said)
            .unwrap_or_else(|| Class::said(prefix, &(self.run.keepable)(player, said)))
    }
}

#[cfg(test)]
mod tests {
    use scenarios::plan::ledger::Ledger;
    use scenarios::plan::operation::{Kind, Operation};

    use super::*;
    use crate::record::classes;

    const OPERATION: Operation = Operation::of(1);
    const LEDGER: Ledger = Ledger::MEASURED;

    fn observer() -> Observer {
        let keepable =
            |player: u32, said: &str| format!("{player}: {}", said.replace("secret", "[credential]"));
        Observer::new(Arc::new(Recorder::new(1)), Clock::default(), Names::default(), keepable)
    }

    fn drained(observer: &Observer) -> ThreadTally {
        let (mut total, mut spare) = Default::default();
        observer.recorder().drain(&mut total, &mut spare);
        total
    }

    #[test]
    fn what_ends_an_operation_is_counted_once_and_copied_to_goose() {
        let (goose, mut copies) = mpsc::channel(8);
        let observer = observer().with_goose(goose);
        observer.observe(Event::Sent { operation: OPERATION, ledger: LEDGER, delay: Some(3) });
        observer.observe(Event::Completed {
            operation: OPERATION,
            ledger: LEDGER,
            response: 30,
            service: 20,
        });
        let (class, player) = (&classes::status(500), 7);
        let detail: &dyn std::fmt::Display = &"no secret here";
        observer.observe(Event::Failed {
            player,
            operation: OPERATION,
            ledger: LEDGER,
            response: 40,
            class,
            detail: Some(detail),
        });
        observer.observe(Event::TimedOut { player, operation: OPERATION, ledger: LEDGER, response: 50 });
        let total = drained(&observer);
        let counted = total.measured.operation(OPERATION);
        assert_eq!((counted.sent, counted.completed, counted.failed, counted.timed_out), (1, 1, 1, 1));
        assert_eq!((counted.response.histogram().len(), counted.service.histogram().max()), (1, 20));
        assert_eq!(total.measured.dispatch_delay.histogram().max(), 3);
        let mut errors: Vec<_> = counted.errors.iter().collect();
        errors.sort_unstable();
        assert_eq!(errors, [("status_500", 1), ("timeout", 1)]);
        let samples: Vec<_> = total.samples.iter().map(|sample| &*sample.detail).collect();
        assert_eq!(samples, ["7: no [credential] here", "7: no answer in time"]);
        let copied: Vec<_> = std::iter::from_fn(|| copies.try_recv().ok())
            .map(|copy| (copy.response.as_micros(), copy.error.map(|class| class.to_string())))
            .collect();
        assert_eq!(copied, [(30, None), (40, Some("status_500".into())), (50, Some("timeout".into()))]);
    }

    #[test]
    fn a_late_push_is_received_in_no_other_way_and_leaves_a_sample() {
        let observer = observer();
        let received = |late| Event::Received {
            player: 7,
            kind: Kind::of(0),
            ledger: LEDGER,
            latency: 1_500_000,
            complete: None,
            out_of_order: late,
            late,
            split: None,
        };
        observer.observe(received(false));
        observer.observe(received(true));
        observer.observe(Event::TooLate { player: 8, kind: Kind::of(0), ledger: LEDGER });
        let total = drained(&observer);
        let delivery = total.measured.delivery(Kind::of(0));
        assert_eq!((delivery.received, delivery.late, delivery.out_of_order, delivery.lost), (1, 1, 1, 0));
        assert_eq!(delivery.too_late, 1, "counted, and not as a loss of its own");
        let samples: Vec<_> = total.samples.iter().map(|sample| (&*sample.class, &*sample.detail)).collect();
        assert_eq!(samples[0], ("late", "7: a push came 1.500 s after its send"));
        assert_eq!((samples.len(), samples[1].0), (2, "too_late"));
    }
}
