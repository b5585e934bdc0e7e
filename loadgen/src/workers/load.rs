//! Who generates a run's load: one worker in this process, or several that are processes of their own.

use std::sync::mpsc::Sender;

use scenarios::Override;
use tokio::sync::watch;
use url::Url;

use super::messages::{Assignment, ToWorker, WorkerEvent};
use super::part;
use super::process::WorkerProcess;
use super::state::Handle;
use crate::clock::monotonic;
use crate::generate::error::GenerateError;
use crate::generate::generation::{Generation, Setup, run_number};
use crate::generate::stage::Stage;
use crate::player::Targets;

/// Who generates the load.
pub(crate) enum Load {
    /// One worker in this process.
    InProcess(Box<Setup>),
    /// Several, each in a process of its own.
    Split(Box<Split>),
}

/// What is split over processes.
pub(crate) struct Split {
    /// The scenario's file.
    pub(crate) file: String,
    /// Its text.
    pub(crate) text: String,
    /// Overrides.
    pub(crate) overrides: Vec<Override>,
    /// How many workers.
    pub(crate) workers: u32,
    /// Where to connect to.
    pub(crate) url: Url,
    /// Its addresses.
    pub(crate) targets: Targets,
    /// The identity provider that comes with the target.
    pub(crate) issuer: Option<Url>,
    /// Where placements are polled, if they are.
    pub(crate) rest: Option<Url>,
}

impl Split {
    /// Starts all workers; each has its assignment.
    pub(super) fn start(&self, events: &Sender<WorkerEvent>) -> Result<Vec<Handle>, GenerateError> {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let threads = cores.div_ceil(self.workers as usize);
        let run = run_number();
        (0..self.workers)
            .map(|index| {
                let process = WorkerProcess::start(index as usize, threads, events.clone())
                    .map_err(|source| GenerateError::WorkerNotStarted { index, source })?;
                process.send(&ToWorker::Assignment(Box::new(self.assignment(index, run))));
                Ok(Handle::Process(Box::new(process)))
            })
            .collect()
    }

    fn assignment(&self, index: u32, run: u32) -> Assignment {
        Assignment {
            index,
            count: self.workers,
            file: self.file.clone(),
            text: self.text.clone(),
            overrides: self.overrides.iter().map(|set| (set.key.clone(), set.value.clone())).collect(),
            run,
            url: self.url.to_string(),
            issuer: self.issuer.as_ref().map(ToString::to_string),
            rest: self.rest.as_ref().map(ToString::to_string),
        }
    }
}

/// The part of the worker in this process; what it sends becomes `events`.
pub(super) async fn run_own_part(setup: Setup, stage: watch::Receiver<Stage>, events: Sender<WorkerEvent>) {
    let messages = events.clone();
    let send = move |message| {
        // The coordinator is there as long as there is anything to send.
        let _ = messages.send(WorkerEvent::Message(0, monotonic(), message));
    };
    let targets = setup.endpoint.targets();
    let ended = match Generation::prepare(setup).await {
        Ok(generation) => part::carry_out(generation, targets, stage, send).await,
        Err(error) => Err(error),
    };
    if let Err(error) = ended {
        let _ = events.send(WorkerEvent::Failed(error));
    }
}
