//! The main job, from the scenario file to the report.

mod error;
mod job;
pub(crate) mod manifest;
pub(crate) mod prepared;

use output::Exit;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use reports::folder::{
    self, FolderError, RunFolder, RunWriter, discard_unused, read_manifest, save_input, save_manifest,
};
use reports::format::{Run, RunState, Status};
use scenarios::{Checked, Content, Input, Override, Plan, Source};

use self::job::Job;
use self::manifest::{identity, manifest};
use crate::attributed;
use crate::checked;
use crate::generate::signals::outlive_the_terminal;
use crate::live::{Live, LiveError, Watchers};
use crate::workers::split::{Workers, make_room_for};

pub use error::RunError;

/// What the command line asks for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The scenario, as [`scenarios::Source::read`] takes it.
    pub scenario: PathBuf,
    /// Overrides, `--target`, `--players` and `--seed` among them.
    pub overrides: Vec<Override>,
    /// Over how many processes the players are split; left out: this one.
    pub workers: Option<Workers>,
    /// The run folder; left out: `runs/ID`.
    pub out: Option<PathBuf>,
    /// Who watches meanwhile.
    pub watchers: Watchers,
    /// The command line, for the manifest.
    pub command: Vec<String>,
}

/// A run that came to its end.
#[derive(Debug)]
pub struct Ran {
    /// What it is worth.
    pub exit: Exit,
    /// Its folder, as read after it.
    pub folder: RunFolder,
}

/// Runs a scenario and leaves a run folder with a report.
///
/// # Errors
/// [`RunError`]; results so far are in the run folder.
pub async fn run(request: Request) -> Result<Ran, RunError> {
    outlive_the_terminal()?;
    let source = Source::read(&request.scenario)?;
    let Checked { plan, as_run, inputs, .. } = checked::check(&source, &request.overrides)?;
    let workers = make_room_for(plan.players, request.workers)?;
    let identity = identity(&plan);
    let dir = folder_of(request.out.as_deref(), &identity);
    let mut manifest = manifest(&plan, &identity, &request.command);
    let live = Live::open(&request.watchers, &identity, &plan).await?;
    let writer = RunWriter::create(&dir, &manifest, &as_run)?;
    if let Err(error) = keep_inputs(&dir, &inputs) {
        // Nothing is lost: nothing was measured.
        let _ = discard_unused(&dir);
        return Err(error.into());
    }

    let Source { name: file, text } = source;
    let job = Job { plan: Arc::new(plan), file, text, overrides: request.overrides, workers };
    let summary = match job.carry_out(writer, live, &mut manifest).await {
        Ok(done) => done,
        Err(error) => {
            if discard_unused(&dir) {
                return Err(error);
            }
            let interrupted = error.exit() == Exit::Interrupted;
            manifest.state = if interrupted { RunState::Interrupted } else { RunState::Failed };
            // Where the plan had begun, the folder knows when.
            if let Ok(begun) = read_manifest(&dir) {
                manifest.run.started_at = begun.run.started_at;
                manifest.run.ended_at = manifest.run.ended_at.max(begun.run.ended_at);
            }
            // The first error is the one to tell, whether or not this can be written.
            let _ = save_manifest(&dir, &manifest);
            return Err(error);
        }
    };
    // Once, for all that is made of it.
    let mut folder = RunFolder::read(&dir)?;
    attributed::attribute(&mut folder)?;
    reports::save_report(&folder)?;
    let status = summary.status();
    if status == Status::NothingConnected && !request.watchers.quiet {
        let why = reports::verdict::connect_failures(&summary);
        tracing::error!("no player could connect: {why}; samples are in errors.jsonl");
    }
    Ok(Ran { exit: status.into(), folder })
}

/// Keeps the files that the scenario names, so that it can run again from the folder.
fn keep_inputs(dir: &Path, inputs: &[Input]) -> Result<(), FolderError> {
    for Input { name, content } in inputs {
        match content {
            Content::Text(text) => save_input(dir, name, text.as_bytes())?,
            Content::File(path) => {
                let bytes = std::fs::read(path).map_err(|source| FolderError::Io {
                    action: "read",
                    path: path.clone(),
                    source,
                })?;
                save_input(dir, name, &bytes)?;
            }
        }
    }
    Ok(())
}

/// What a run would do that does everything but that.
#[derive(Debug, Clone)]
pub struct Dry {
    /// The plan.
    pub plan: Plan,
    /// Processes over which the players would be split.
    pub workers: u32,
    /// Its folder.
    pub dir: PathBuf,
}

/// Checks everything that can be checked without sending or writing anything.
///
/// # Errors
/// As [`run`], before anything was sent.
pub fn rehearse(request: &Request) -> Result<Dry, RunError> {
    let Checked { plan, .. } = checked::load(&request.scenario, &request.overrides)?;
    let workers = make_room_for(plan.players, request.workers)?;
    let dir = folder_of(request.out.as_deref(), &identity(&plan));
    folder::is_free(&dir)?;
    if let Some(address) = request.watchers.prometheus {
        // Free again at once.
        TcpListener::bind(address).map_err(|source| LiveError::Listen { address, source })?;
    }
    Ok(Dry { plan, workers, dir })
}

fn folder_of(out: Option<&Path>, run: &Run) -> PathBuf {
    out.map_or_else(|| Path::new("runs").join(&run.id), Path::to_path_buf)
}
