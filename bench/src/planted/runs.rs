//! Real runs: `loadgen run` against its embedded backend, each in a folder of its own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use reports::folder::{RunFolder, SUMMARY};
use rustix::thread::{CpuSet, sched_setaffinity};

use super::draw::Draw;
use super::settings::Settings;

/// So often is a run tried whose generator was disturbed by others on this machine.
const ATTEMPTS: usize = 3;
/// A run that has not ended by then has hung.
const PATIENCE: Duration = Duration::from_secs(180);
/// Threads that keep a starved generator's core busy.
const BUSY_LOOPS: usize = 64;

/// Which run of a draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variant {
    /// With the fault.
    Fault,
    /// Without it.
    Clean,
    /// With the fault, and what takes the symptom away.
    Cured,
    /// With the fault, and what does not.
    Placebo,
}

impl Variant {
    fn word(self) -> &'static str {
        match self {
            Self::Fault => "fault",
            Self::Clean => "clean",
            Self::Cured => "cured",
            Self::Placebo => "placebo",
        }
    }

    fn profile(self, draw: &Draw) -> Settings {
        let faulty = draw.profile.with(&draw.fault);
        let change = |change: &Option<super::draw::Change>| {
            change.iter().fold(faulty.clone(), |all, c| all.with(&c.settings))
        };
        match self {
            Self::Clean => draw.profile.clone(),
            Self::Fault => faulty,
            Self::Cured => change(&draw.cure),
            Self::Placebo => change(&draw.placebo),
        }
    }
}

/// Which runs that are there are taken as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reuse {
    /// None: all are made.
    Nothing,
    /// Those that others on this machine did not disturb.
    Valid,
    /// All.
    Everything,
}

/// Why a run has no folder to be read.
#[derive(Debug, thiserror::Error)]
#[error("{what} of {}: {reason}", dir.display())]
pub(super) struct RunError {
    what: &'static str,
    dir: PathBuf,
    reason: String,
}

/// Makes the runs.
pub(super) struct Runner<'a> {
    /// The program.
    pub(super) loadgen: &'a Path,
    /// The folder of all folders.
    pub(super) out: &'a Path,
    /// Which runs are not made again.
    pub(super) reuse: Reuse,
}

impl Runner<'_> {
    /// Runs a draw, and reads what it left. A run that others on this machine disturbed is made again.
    pub(super) fn run(&self, draw: &Draw, variant: Variant) -> Result<RunFolder, RunError> {
        let dir = self.out.join(draw.name()).join(variant.word());
        if self.reuse != Reuse::Nothing && dir.join("run").join(SUMMARY).exists() {
            let folder = read(&dir.join("run"))?;
            if self.reuse == Reuse::Everything || folder.summary_or_rebuilt().verdict.valid {
                return Ok(folder);
            }
        }
        let starved = draw.starved && variant == Variant::Fault;
        let mut attempt = 1;
        loop {
            let folder = self.attempt(&dir, draw, variant, starved)?;
            if starved || attempt == ATTEMPTS || folder.summary_or_rebuilt().verdict.valid {
                return Ok(folder);
            }
            attempt += 1;
        }
    }

    fn attempt(
        &self,
        dir: &Path,
        draw: &Draw,
        variant: Variant,
        starved: bool,
    ) -> Result<RunFolder, RunError> {
        let error = |what| {
            let dir = dir.to_owned();
            move |e: io::Error| RunError { what, dir, reason: e.to_string() }
        };
        if dir.exists() {
            fs::remove_dir_all(dir).map_err(error("cannot remove an earlier run"))?;
        }
        write_files(dir, draw, variant).map_err(error("cannot write the files"))?;
        let ended =
            if starved { on_a_starved_core(self.loadgen, dir) } else { to_its_end(self.loadgen, dir) };
        ended.map_err(error("cannot run"))?;
        read(&dir.join("run")).map_err(|e| {
            let said = fs::read_to_string(dir.join("stderr")).unwrap_or_default();
            RunError { reason: format!("{}\n{said}", e.reason), ..e }
        })
    }
}

fn write_files(dir: &Path, draw: &Draw, variant: Variant) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    fs::write(dir.join("scenario.toml"), draw.scenario.to_string())?;
    fs::write(dir.join("profile.toml"), variant.profile(draw).to_string())
}

fn spawn(loadgen: &Path, dir: &Path) -> io::Result<Child> {
    let mut command = Command::new(loadgen);
    command.args(["run", "scenario.toml", "--quiet", "--out", "run"]).current_dir(dir).stdin(Stdio::null());
    command.stdout(fs::File::create(dir.join("stdout"))?).stderr(fs::File::create(dir.join("stderr"))?);
    command.spawn()
}

/// Whatever its exit code is: thresholds are meant to fail.
fn to_its_end(loadgen: &Path, dir: &Path) -> io::Result<()> {
    let mut child = spawn(loadgen, dir)?;
    let begin = Instant::now();
    while child.try_wait()?.is_none() {
        if begin.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            return Err(io::Error::new(io::ErrorKind::TimedOut, "it did not end in time"));
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// The generator, and its backend, share the first core with busy loops.
fn on_a_starved_core(loadgen: &Path, dir: &Path) -> io::Result<()> {
    let over = AtomicBool::new(false);
    let pin = || {
        let mut first = CpuSet::new();
        first.set(0);
        sched_setaffinity(None, &first)
    };
    thread::scope(|scope| {
        for _ in 0..BUSY_LOOPS {
            scope.spawn(|| {
                let pinned = pin();
                while pinned.is_ok() && !over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        // A child may run where the thread that starts it may.
        let run = scope.spawn(|| {
            pin()?;
            to_its_end(loadgen, dir)
        });
        let ended = run.join().unwrap_or_else(|_| Err(io::Error::other("the thread of the run panicked")));
        over.store(true, Ordering::Relaxed);
        ended
    })
}

/// Reads a run folder again.
pub(super) fn read(dir: &Path) -> Result<RunFolder, RunError> {
    RunFolder::read(dir).map_err(|e| RunError {
        what: "cannot read the run",
        dir: dir.to_owned(),
        reason: e.to_string(),
    })
}
