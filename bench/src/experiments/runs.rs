//! Real runs of the arms: each in a folder of its own, in turn.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hdrhistogram::Histogram;
use reports::folder::{FolderError, RunFolder};
use reports::format::Phase;

use super::arm::{Arm, Setup};
use super::error::ExperimentError;

/// So often is a run tried whose generator was disturbed by others on this machine.
const ATTEMPTS: u32 = 3;

/// How the runs are made.
#[derive(Debug, Clone)]
pub struct Options {
    /// The program.
    pub loadgen: PathBuf,
    /// The folder of all folders.
    pub out: PathBuf,
    /// Runs of each arm.
    pub repeats: u32,
    /// Whether runs that are there are taken as they are.
    pub again: bool,
}

/// An arm and its valid runs.
#[derive(Debug)]
pub struct Group {
    /// The arm.
    pub arm: Arm,
    /// Its runs in their order.
    pub runs: Vec<Run>,
}

/// Histograms by tag and phase.
pub(super) type ByPhase = BTreeMap<(String, String), Histogram<u64>>;

/// A run, read.
#[derive(Debug)]
pub struct Run {
    /// Its folder.
    pub folder: RunFolder,
    pub(super) by_phase: ByPhase,
}

/// Makes the runs.
#[derive(Debug)]
pub struct Runner<'a> {
    options: &'a Options,
}

impl<'a> Runner<'a> {
    /// With these options.
    #[must_use]
    pub fn new(options: &'a Options) -> Self {
        Self { options }
    }

    /// Every arm so many times, in turn; `tell` hears of each run.
    ///
    /// # Errors
    /// [`ExperimentError`], at the first run that cannot be had.
    pub fn run(&self, setup: &Setup, tell: &dyn Fn(String)) -> Result<Vec<Group>, ExperimentError> {
        let group = |arm: &Arm| Group { arm: arm.clone(), runs: Vec::new() };
        let mut groups: Vec<Group> = setup.arms.iter().map(group).collect();
        for repeat in 1..=self.options.repeats {
            for Group { arm, runs } in &mut groups {
                tell(format!("{}: {}, run {repeat} of {}", setup.name, arm.name, self.options.repeats));
                let folder = self.valid_run(setup, arm, repeat)?;
                let by_phase = by_phase(&folder)
                    .map_err(|source| ExperimentError::Folder { source, said: String::new() })?;
                runs.push(Run { folder, by_phase });
            }
        }
        Ok(groups)
    }

    fn valid_run(&self, setup: &Setup, arm: &Arm, repeat: u32) -> Result<RunFolder, ExperimentError> {
        let dir = self.options.out.join(setup.name).join(arm.slug()).join(repeat.to_string());
        if self.options.again
            && let Ok(folder) = RunFolder::read(&dir.join("run"))
        {
            return Ok(folder);
        }
        let mut reason = String::new();
        for _ in 0..ATTEMPTS {
            let folder = self.attempt(&dir, setup, arm, repeat)?;
            let verdict = &folder.summary_or_rebuilt().verdict;
            if verdict.valid {
                return Ok(folder);
            }
            reason = verdict.invalid_reasons.join("; ");
        }
        Err(ExperimentError::Invalid { arm: arm.name.to_owned(), attempts: ATTEMPTS, reason })
    }

    fn attempt(
        &self,
        dir: &Path,
        setup: &Setup,
        arm: &Arm,
        repeat: u32,
    ) -> Result<RunFolder, ExperimentError> {
        if dir.exists() {
            fs::remove_dir_all(dir).map_err(ExperimentError::io("remove", dir))?;
        }
        fs::create_dir_all(dir).map_err(ExperimentError::io("create", dir))?;
        let write = |name: &str, text: &str| {
            fs::write(dir.join(name), text).map_err(ExperimentError::io("write", dir.join(name)))
        };
        write("scenario.toml", setup.scenario)?;
        write("profile.toml", &arm.profile.to_string())?;
        let mut command = Command::new(&self.options.loadgen);
        command.args(["run", "scenario.toml", "--quiet", "--out", "run", "--seed", &repeat.to_string()]);
        for setting in arm.scenario.to_string().lines() {
            command.args(["--set", &setting.replacen(" = ", "=", 1)]);
        }
        // Whatever its exit code is: the folder tells.
        let ended = command.current_dir(dir).stdin(Stdio::null()).output();
        let ended = ended.map_err(ExperimentError::io("run", &self.options.loadgen))?;
        RunFolder::read(&dir.join("run")).map_err(|source| ExperimentError::Folder {
            source,
            said: String::from_utf8_lossy(&ended.stderr).into_owned(),
        })
    }
}

/// Every histogram of a run, by tag and phase, in one pass over its log.
fn by_phase(folder: &RunFolder) -> Result<ByPhase, FolderError> {
    let mut merged = ByPhase::new();
    for interval in folder.intervals() {
        let interval = interval?;
        let within = |phase: &&Phase| (phase.start_s..phase.end_s).contains(&interval.start_s);
        let Some(phase) = folder.manifest.phases.iter().find(within) else { continue };
        let sum = merged.entry((interval.tag.to_owned(), phase.name.clone())).or_insert_with(empty);
        sum.add(&interval.histogram).expect("a histogram that resizes itself takes any value");
    }
    Ok(merged)
}

/// Resizes itself; three significant digits, as in the runs.
pub(super) fn empty() -> Histogram<u64> {
    Histogram::new(3).expect("three digits")
}
