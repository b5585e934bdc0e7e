//! A worker, and what the run knows of it.

use std::time::Instant;

use tokio::sync::watch;

use super::messages::ToWorker;
use super::process::WorkerProcess;
use crate::clock::monotonic;
use crate::generate::stage::Stage;
use crate::verdict::totals::{ProcessTotals, WorkerTotals};

/// Questions for the clock of each worker's process before the run begins; during it, one a second.
pub(super) const QUESTIONS: usize = 25;

/// How a worker is reached.
pub(super) enum Handle {
    /// It is in this process.
    InProcess(watch::Sender<Stage>),
    /// It is a process of its own.
    Process(Box<WorkerProcess>),
}

/// A worker and what is known of it.
pub(super) struct WorkerState {
    pub(super) handle: Handle,
    /// What it has done so far.
    pub(super) totals: WorkerTotals,
    /// Whether it has prepared everything.
    pub(super) ready: bool,
    /// How often its clock has been asked with success.
    pub(super) clock_answers: usize,
    /// Whether nothing is left to do or to wait for.
    pub(super) quiet: bool,
    /// Whether it has sent everything, or nothing more can come.
    pub(super) over: bool,
    pub(super) last_message: Instant,
}

impl WorkerState {
    /// Worker `index`, with so many players, which has not sent anything.
    pub(super) fn new(index: u32, players: u32, handle: Handle) -> Self {
        let process = match &handle {
            Handle::InProcess(_) => None,
            Handle::Process(process) => {
                Some(ProcessTotals { pid: process.pid(), ..ProcessTotals::default() })
            }
        };
        Self {
            handle,
            totals: WorkerTotals { index, players, process, ..WorkerTotals::default() },
            ready: false,
            clock_answers: 0,
            quiet: false,
            over: false,
            last_message: Instant::now(),
        }
    }

    /// Tells the worker how far the run is.
    pub(super) fn enter(&self, stage: Stage) {
        match &self.handle {
            Handle::InProcess(stages) => {
                stages.send_replace(stage);
            }
            Handle::Process(process) => process.send(&ToWorker::Stage(stage)),
        }
    }

    /// Its process, where that is not this one, as long as it goes on.
    pub(super) const fn process(&self) -> Option<&WorkerProcess> {
        match &self.handle {
            Handle::Process(process) if !self.over => Some(process),
            _ => None,
        }
    }

    /// Asks its process for its clock.
    pub(super) fn ask_for_clock(&self) {
        if let Some(process) = self.process() {
            process.send(&ToWorker::ClockQuestion { asked: monotonic() });
        }
    }

    /// Whether its clock is known well enough to begin; in this process it is the run's own.
    pub(super) const fn clock_is_known(&self) -> bool {
        self.totals.process.is_none() || self.clock_answers >= QUESTIONS
    }
}
