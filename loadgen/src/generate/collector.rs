//! The one merge point: once a second, all threads' tallies become a line of the series and part of the totals.
//!
//! The [`Collector`] gathers what this process has recorded, the [`Book`] writes it down; between them lies a second of
//! the run, which may as well come from [workers](crate::workers). Both run on a thread of their own, because files are
//! written. A write that fails (a full disk) stops the writing, not the measuring: the totals go on in memory, and
//! the failure is reported at the end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use reports::folder::{FolderError, RunWriter, Tag};
use reports::format::{
    DeliverySecond, ErrorSample, GeneratorSecond, Latency, OperationSecond, SeriesLine, SocketsSecond,
};
use reports::printable;
use scenarios::Plan;
use scenarios::threshold::{Kind, Operation};

use crate::clock::Clock;
use crate::cloudwatch::was_answered;
use crate::early::{Early, Watchman};
use crate::health::sample::{Second, Watched};
use crate::health::watch::Watch;
use crate::live::Live;
use crate::player::Players;
use crate::record::{Latencies, Measures, Recorder, Tally, ThreadTally};
use crate::verdict::validity::Validity;
use crate::verdict::{disruptions, rounded};

const SECOND: u64 = 1_000_000;

/// A second of the run.
#[derive(Debug)]
pub struct Gathered<'t> {
    /// Which, from 0.
    pub second: u64,
    /// What was recorded in it.
    pub tally: &'t ThreadTally,
    /// Sockets open at its end.
    pub open: u64,
    /// What it was like for the generator.
    pub seen: Second,
}

/// Gathers what this process records.
pub struct Collector {
    /// The run's clock.
    pub clock: Clock,
    /// The players.
    pub players: Arc<Players>,
    /// What the threads record into.
    pub recorder: Arc<Recorder>,
    /// What the process does meanwhile.
    pub watch: Watch,
}

impl Collector {
    /// Collects once a second until `stop` is sent or dropped, then once more. `keep` is given each second, and what
    /// the process was like so far. Blocks.
    #[must_use]
    pub fn run(mut self, stop: &Receiver<()>, mut keep: impl FnMut(&Gathered<'_>, &Watched)) -> Watched {
        let (mut tally, mut spare) = (ThreadTally::default(), ThreadTally::default());
        for second in 0.. {
            let end = self.clock.instant((second + 1) * SECOND);
            let stopped = !matches!(
                stop.recv_timeout(end.saturating_duration_since(Instant::now())),
                Err(RecvTimeoutError::Timeout)
            );
            self.recorder.drain(&mut tally, &mut spare);
            tally.fold_phases();
            let seen = self.watch.look();
            let gathered = Gathered { second, tally: &tally, open: self.players.open(), seen };
            keep(&gathered, &self.watch.watched());
            tally.clear();
            if stopped {
                break;
            }
        }
        self.watch.watched()
    }
}

/// Where the run is written down, second by second.
pub struct Book {
    plan: Arc<Plan>,
    /// Players that leave and come back: counted once, as all players are looked at for it.
    living: u64,
    clock: Clock,
    writer: RunWriter,
    live: Live,
    total: ThreadTally,
    /// Measured and warm-up arrivals of a second together.
    both: Measures,
    write_error: Option<FolderError>,
    /// The last second in which a player was answered.
    answered_s: Option<u64>,
    watchman: Watchman,
    early: Option<Early>,
}

/// What is left when the book is closed.
pub struct Closed {
    /// Everything recorded.
    pub total: ThreadTally,
    /// The run folder.
    pub writer: RunWriter,
    /// The first write that failed.
    pub write_error: Option<FolderError>,
    /// Who watched.
    pub live: Live,
    /// The last second in which a player was answered.
    pub answered_s: Option<u64>,
    /// Why the run should have ended by itself.
    pub early: Option<Early>,
}

impl Book {
    /// An empty book. The clock has been started: its zero is the start that every file of the folder means.
    #[must_use]
    pub fn new(plan: Arc<Plan>, clock: Clock, writer: RunWriter, live: Live) -> Self {
        let (total, both) = (ThreadTally::default(), Measures::default());
        let living = plan.disruptions.churning();
        let watchman = Watchman::new(Arc::clone(&plan));
        let (write_error, answered_s, early) = (None, None, None);
        let mut book =
            Self { plan, living, clock, writer, live, total, both, write_error, answered_s, watchman, early };
        book.wrote(|book| book.writer.begin(book.clock.utc(0)));
        book
    }

    /// Whether there is a reason to end the run early.
    #[must_use]
    pub const fn should_end(&self) -> bool {
        self.early.is_some()
    }

    /// Writes something, unless that has failed before.
    fn wrote(&mut self, write: impl FnOnce(&mut Self) -> Result<(), FolderError>) {
        if self.write_error.is_none() {
            self.write_error = write(self).err();
            if let Some(error) = &self.write_error {
                tracing::error!("{error}; the run goes on, its figures are kept in memory");
            }
        }
    }

    /// Writes a second down; `judge` tells what the run is worth so far, this second included.
    pub fn keep(&mut self, gathered: &Gathered<'_>, judge: impl FnOnce(&ThreadTally) -> Validity) {
        self.both.merge(&gathered.tally.measured);
        self.both.merge(&gathered.tally.warm_up);
        let line = self.line(gathered);
        if was_answered(&line) {
            self.answered_s = Some(line.t);
        }
        self.wrote(|book| book.write(gathered, &line));
        self.total.merge(gathered.tally);
        if self.early.is_none() {
            self.early = self.watchman.look(gathered.second, gathered.open, &self.total);
            if let Some(Early { reason, .. }) = &self.early {
                self.live.warn(&format!("the run ends early: {reason}"));
            }
        }
        self.live.second(&line, &self.both, &judge(&self.total));
        self.both.clear();
    }

    /// No second follows.
    #[must_use]
    pub fn close(self) -> Closed {
        let Self { total, writer, write_error, live, answered_s, early, .. } = self;
        Closed { total, writer, write_error, live, answered_s, early }
    }

    fn line(&self, gathered: &Gathered<'_>) -> SeriesLine {
        let Gathered { second, open, seen, tally } = *gathered;
        let at = self.clock.utc(second * SECOND);
        let offset = Duration::from_secs(second);
        let drain = offset >= self.plan.end();
        let phase = if drain { "drain" } else { &self.plan.stretch_at(offset).name };
        // It goes to terminals and becomes a label.
        let phase = printable::line(phase).into_owned();
        SeriesLine {
            t: second,
            at,
            phase,
            open,
            operations: operations(&self.both),
            deliveries: deliveries(&self.both),
            sockets: Some(sockets(tally)),
            reconnects: disruptions::reconnects(
                &self.plan,
                &tally.disruptions.reconnects,
                &self.both.recovery,
            ),
            churn: disruptions::churn(&self.plan, self.living, &tally.disruptions.churn),
            disruptions: disruptions::faults(&tally.disruptions),
            generator: GeneratorSecond {
                dispatch_delay_us: Latency::of(self.both.dispatch_delay.histogram()),
                cpu_percent: rounded(seen.cpu_percent, 1),
                rss_bytes: seen.rss_bytes,
                event_loop_lag_us: Latency::of(self.both.event_loop_lag.histogram()),
                busiest_thread_percent: rounded(seen.busiest_thread_percent, 1),
                run_delay_percent: rounded(seen.run_delay_percent, 1),
                steal_percent: rounded(seen.steal_percent, 1),
                descriptors: seen.descriptors,
                receive_queue_bytes: seen.receive_queue_bytes,
                send_queue_bytes: seen.send_queue_bytes,
            },
        }
    }

    fn write(&mut self, gathered: &Gathered<'_>, line: &SeriesLine) -> Result<(), FolderError> {
        let Gathered { second, tally, .. } = *gathered;
        let Self { writer, clock, plan, total, .. } = self;
        let (start, length) = (Duration::from_secs(second), Duration::from_secs(1));
        for (tag, latencies) in tagged(&tally.measured) {
            if !latencies.histogram().is_empty() {
                writer.interval(&tag.to_string(), start, length, latencies.histogram())?;
            }
        }
        for sample in tally.samples.iter() {
            // A class that has been sampled in an earlier second has its first samples already.
            let mut fresh = false;
            total.samples.offer(&sample.operation, &sample.class, || {
                fresh = true;
                sample.clone()
            });
            if fresh {
                writer.error_sample(&ErrorSample {
                    t: sample.at as f64 / SECOND as f64,
                    at: clock.utc(sample.at),
                    operation: sample.operation.to_string(),
                    class: sample.class.to_string(),
                    player: plan.player_id(sample.player),
                    detail: sample.detail.clone(),
                })?;
            }
        }
        writer.second(line)
    }
}

fn operations(measures: &Measures) -> BTreeMap<String, OperationSecond> {
    Operation::ALL
        .iter()
        .map(|operation| (*operation, measures.operation(*operation)))
        .filter(|(_, tally)| {
            let ended = tally.unsent + tally.completed + tally.failed + tally.timed_out;
            tally.offered + tally.sent + ended > 0
        })
        .map(|(operation, tally)| {
            let second = OperationSecond {
                offered: tally.offered,
                sent: tally.sent,
                unsent: tally.unsent,
                completed: tally.completed,
                failed: tally.failed,
                timed_out: tally.timed_out,
                errors: disruptions::classes(&tally.errors),
                response_time_us: Latency::of(tally.response.histogram()),
                service_time_us: Latency::of(tally.service.histogram()),
            };
            (operation.to_string(), second)
        })
        .collect()
}

fn deliveries(measures: &Measures) -> BTreeMap<String, DeliverySecond> {
    Kind::ALL
        .iter()
        .map(|kind| (*kind, measures.delivery(*kind)))
        .filter(|(_, tally)| tally.seen())
        .map(|(kind, tally)| {
            let second = DeliverySecond {
                expected: tally.expected,
                received: tally.received,
                late: tally.late,
                lost: tally.lost,
                away: tally.away,
                withdrawn: tally.withdrawn,
                duplicated: tally.duplicated,
                out_of_order: tally.out_of_order,
                unexpected: tally.unexpected,
                each_us: Latency::of(tally.each.histogram()),
            };
            (kind.to_string(), second)
        })
        .collect()
}

fn sockets(tally: &ThreadTally) -> SocketsSecond {
    let sockets = &tally.sockets;
    SocketsSecond {
        attempted: sockets.attempted,
        opened: sockets.opened,
        rejected: sockets.rejected,
        dropped: sockets.dropped,
        ends: disruptions::classes(&tally.disruptions.ends),
    }
}

/// Every histogram with its tag in the interval log.
fn tagged(measures: &Measures) -> impl Iterator<Item = (Tag<'static>, &Latencies)> {
    let operations = Operation::ALL.iter().flat_map(|operation| {
        let tally = measures.operation(*operation);
        [(Tag::Response(operation.word()), &tally.response), (Tag::Service(operation.word()), &tally.service)]
    });
    let deliveries = Kind::ALL.iter().flat_map(|kind| {
        let tally = measures.delivery(*kind);
        let word = kind.word();
        [(Tag::Each(word), &tally.each), (Tag::First(word), &tally.first), (Tag::Last(word), &tally.last)]
    });
    operations.chain(deliveries).chain([
        (Tag::Dispatch, &measures.dispatch_delay),
        (Tag::EventLoopLag, &measures.event_loop_lag),
        (Tag::Recovery, &measures.recovery),
    ])
}
