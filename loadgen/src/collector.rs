//! The one merge point: once a second, all threads' tallies become a line of the series and part of the totals.
//!
//! It runs on a thread of its own, because it writes files. A write that fails (a full disk) stops the writing,
//! not the measuring: the totals go on in memory, and the failure is reported at the end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use reports::folder::{FolderError, RunWriter, Tag};
use reports::format::{DeliverySecond, ErrorSample, GeneratorSecond, Latency, OperationSecond, SeriesLine};
use scenarios::Plan;
use scenarios::threshold::{Kind, Operation};

use crate::clock::Clock;
use crate::machine::{self, Usage};
use crate::player::Players;
use crate::progress::Progress;
use crate::record::{Latencies, Measures, Recorder, Tally, ThreadTally};

const SECOND: u64 = 1_000_000;

/// What the collector works with.
pub struct Collector {
    /// The plan.
    pub plan: Arc<Plan>,
    /// The run's clock.
    pub clock: Clock,
    /// The players.
    pub players: Arc<Players>,
    /// What the threads record into.
    pub recorder: Arc<Recorder>,
    /// The run folder.
    pub writer: RunWriter,
    /// The display.
    pub progress: Progress,
}

/// What the collector hands over at the end.
pub struct Collected {
    /// Everything recorded.
    pub total: ThreadTally,
    /// The run folder.
    pub writer: RunWriter,
    /// The first write that failed.
    pub write_error: Option<FolderError>,
}

impl Collector {
    /// Collects once a second until `stop` is sent or dropped, then once more. Blocks.
    #[must_use]
    pub fn run(self, stop: &Receiver<()>) -> Collected {
        let mut state = State {
            total: ThreadTally::default(),
            second: ThreadTally::default(),
            spare: ThreadTally::default(),
            both: Measures::default(),
            usage: machine::usage(),
            write_error: None,
            collector: self,
        };
        for second in 0.. {
            let end = state.collector.clock.instant((second + 1) * SECOND);
            let stopped = !matches!(
                stop.recv_timeout(end.saturating_duration_since(Instant::now())),
                Err(RecvTimeoutError::Timeout)
            );
            state.collect(second);
            if stopped {
                break;
            }
        }
        state.collector.progress.finish();
        Collected { total: state.total, writer: state.collector.writer, write_error: state.write_error }
    }
}

struct State {
    collector: Collector,
    total: ThreadTally,
    second: ThreadTally,
    spare: ThreadTally,
    /// Measured and warm-up arrivals of this second together.
    both: Measures,
    usage: Usage,
    write_error: Option<FolderError>,
}

impl State {
    fn collect(&mut self, second: u64) {
        self.collector.recorder.drain(&mut self.second, &mut self.spare);
        self.both.merge(&self.second.measured);
        self.both.merge(&self.second.warm_up);
        let line = self.line(second);
        self.collector.progress.second(&line);
        if self.write_error.is_none() {
            self.write_error = self.write(second, &line).err();
            if let Some(error) = &self.write_error {
                tracing::error!("{error}; the run goes on, its figures are kept in memory");
            }
        }
        self.total.merge(&self.second);
        self.second.clear();
        self.both.clear();
    }

    fn line(&mut self, second: u64) -> SeriesLine {
        let collector = &self.collector;
        let at = collector.clock.utc(second * SECOND);
        let offset = Duration::from_secs(second);
        let drain = offset >= collector.plan.end();
        let phase = if drain { "drain" } else { &collector.plan.stretch_at(offset).name }.to_owned();
        let used = machine::usage();
        let cpu_percent = (used.cpu_seconds - self.usage.cpu_seconds) * 100.0;
        self.usage = used;
        SeriesLine {
            t: second,
            at,
            phase,
            open: collector.players.open(),
            operations: operations(&self.both),
            deliveries: deliveries(&self.both),
            generator: GeneratorSecond {
                dispatch_delay_us: Latency::of(self.both.dispatch_delay.histogram()),
                cpu_percent: (cpu_percent * 10.0).round() / 10.0,
                rss_bytes: used.rss_bytes,
            },
        }
    }

    fn write(&mut self, second: u64, line: &SeriesLine) -> Result<(), FolderError> {
        let Collector { writer, clock, plan, .. } = &mut self.collector;
        let (start, length) = (Duration::from_secs(second), Duration::from_secs(1));
        for (tag, latencies) in tagged(&self.second.measured) {
            if !latencies.histogram().is_empty() {
                writer.interval(&tag.to_string(), start, length, latencies.histogram())?;
            }
        }
        for sample in self.second.samples.iter() {
            // A class that has been sampled in an earlier second has its first samples already.
            let mut fresh = false;
            self.total.samples.offer(sample.operation, &sample.class, || {
                fresh = true;
                sample.clone()
            });
            if fresh {
                writer.error_sample(&ErrorSample {
                    t: sample.at as f64 / SECOND as f64,
                    at: clock.utc(sample.at),
                    operation: sample.operation.into(),
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
            tally.offered + tally.sent + tally.completed + tally.failed + tally.timed_out > 0
        })
        .map(|(operation, tally)| {
            let second = OperationSecond {
                offered: tally.offered,
                sent: tally.sent,
                unsent: tally.unsent,
                completed: tally.completed,
                failed: tally.failed,
                timed_out: tally.timed_out,
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
        .filter(|(_, tally)| tally.expected + tally.received + tally.lost + tally.duplicated > 0)
        .map(|(kind, tally)| {
            let second = DeliverySecond {
                expected: tally.expected.saturating_sub(tally.withdrawn),
                received: tally.received,
                lost: tally.lost,
                duplicated: tally.duplicated,
                out_of_order: tally.out_of_order,
                each_us: Latency::of(tally.each.histogram()),
            };
            (kind.to_string(), second)
        })
        .collect()
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
    operations.chain(deliveries).chain([(Tag::Dispatch, &measures.dispatch_delay)])
}
