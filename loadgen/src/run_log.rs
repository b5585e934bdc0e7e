//! The run log: once a second, what all workers recorded becomes a line of the series and part of the totals.
//!
//! This is the one place where a run is written down, whoever generates its load. A write that fails (a full disk) stops
//! the writing, not the measuring: the totals go on in memory, and the failure is reported at the end.

use std::sync::Arc;
use std::time::Duration;

use reports::folder::{FolderError, RunWriter};
use reports::format::{ErrorSample, SeriesLine};
use reports::printable;
use scenarios::Plan;

use crate::clock::Clock;
use crate::cloudwatch::was_answered;
use crate::early::EarlyEndCheck;
use crate::generate::sample::{SECOND, SecondSample};
use crate::live::Live;
use crate::record::{Measures, Tally, ThreadTally};
use crate::verdict::ending::EarlyEnd;
use crate::verdict::figures;
use crate::verdict::validity::Validity;

/// Writes a run down, second by second, and adds it up.
pub(crate) struct RunLog {
    plan: Arc<Plan>,
    /// Players that take part in churn: counted once, since all players are looked at for it.
    churning: u64,
    clock: Clock,
    writer: RunWriter,
    live: Live,
    total: ThreadTally,
    /// Measured and warm-up arrivals of a second together.
    both: Measures,
    write_error: Option<FolderError>,
    /// The last second in which a player was answered.
    answered_s: Option<u64>,
    /// Seconds that sockets were open, summed.
    socket_seconds: u64,
    early_end_check: EarlyEndCheck,
    early_end: Option<EarlyEnd>,
}

/// A run log to which nothing is added any more.
pub(crate) struct Finished {
    /// Everything recorded.
    pub(crate) total: ThreadTally,
    /// The run folder.
    pub(crate) writer: RunWriter,
    /// The first write that failed.
    pub(crate) write_error: Option<FolderError>,
    /// The live displays.
    pub(crate) live: Live,
    /// The last second in which a player was answered.
    pub(crate) answered_s: Option<u64>,
    /// Seconds that sockets were open, summed.
    pub(crate) socket_seconds: u64,
    /// Why the run should have ended early.
    pub(crate) early_end: Option<EarlyEnd>,
}

impl RunLog {
    /// An empty log. The clock has been started: its zero is the start that every file of the folder means.
    pub(crate) fn new(plan: Arc<Plan>, clock: Clock, writer: RunWriter, live: Live) -> Self {
        let churning = plan.leaving();
        let early_end_check = EarlyEndCheck::new(Arc::clone(&plan));
        let mut log = Self {
            plan,
            churning,
            clock,
            writer,
            live,
            total: ThreadTally::default(),
            both: Measures::default(),
            write_error: None,
            answered_s: None,
            socket_seconds: 0,
            early_end_check,
            early_end: None,
        };
        log.wrote(|log| log.writer.begin(log.clock.utc(0)));
        log
    }

    /// Whether there is a reason to end the run early.
    pub(crate) const fn should_end(&self) -> bool {
        self.early_end.is_some()
    }

    /// Adds a second; `validity` is asked for that of the run so far, this second included.
    pub(crate) fn add(&mut self, sample: &SecondSample, validity: impl FnOnce(&ThreadTally) -> Validity) {
        self.both.merge(&sample.tally.measured);
        self.both.merge(&sample.tally.warm_up);
        self.socket_seconds += sample.open;
        let line = self.line(sample);
        if was_answered(&line) {
            self.answered_s = Some(line.t);
        }
        self.wrote(|log| log.write(sample, &line));
        self.total.merge(&sample.tally);
        if self.early_end.is_none() {
            self.early_end = self.early_end_check.after(sample.second, sample.open, &self.total);
            if let Some(EarlyEnd { reason, .. }) = &self.early_end {
                self.live.warn(&format!("the run ends early: {reason}"));
            }
        }
        self.live.second(&line, &self.both, &validity(&self.total));
        self.both.clear();
    }

    /// No second follows.
    pub(crate) fn finish(self) -> Finished {
        let Self { total, writer, write_error, live, answered_s, socket_seconds, early_end, .. } = self;
        Finished { total, writer, write_error, live, answered_s, socket_seconds, early_end }
    }

    fn line(&self, sample: &SecondSample) -> SeriesLine {
        let SecondSample { second, open, health, tally } = sample;
        let offset = Duration::from_secs(*second);
        let drain = offset >= self.plan.end();
        let phase = if drain { "drain" } else { &self.plan.phase_at(offset).name };
        SeriesLine {
            t: *second,
            at: self.clock.utc(second * SECOND),
            // It goes to terminals and becomes a label.
            phase: printable::line(phase).into_owned(),
            open: *open,
            operations: figures::operation_seconds(&self.plan, &self.both),
            deliveries: figures::delivery_seconds(&self.plan, &self.both),
            sockets: Some(figures::sockets(tally)),
            reconnects: figures::reconnects(&self.plan, &tally.disruptions.reconnects, &self.both.recovery),
            churn: figures::churn(&self.plan, self.churning, &tally.disruptions.churn),
            disruptions: figures::client_faults(&tally.disruptions),
            generator: figures::generator_second(&self.both, health),
        }
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

    fn write(&mut self, sample: &SecondSample, line: &SeriesLine) -> Result<(), FolderError> {
        let SecondSample { second, tally, .. } = sample;
        let Self { writer, clock, plan, total, .. } = self;
        let (start, length) = (Duration::from_secs(*second), Duration::from_secs(1));
        for (tag, latencies) in figures::histograms(plan, &tally.measured) {
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
