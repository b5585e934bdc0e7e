//! Real runs that do not differ: `loadgen run` of one plan against its embedded backend, again and again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use comparison::{Options, compare};
use output::say;
use reports::folder::{FolderError, RunFolder};

use super::score::Proof;
use super::table::flags;

/// The plan of every run.
pub struct Plan;

impl Plan {
    /// It in words.
    pub const WORDS: &str =
        "30 s at 200 messages and 20 placements a second, 200 players, the profile `aws-like`";

    const SCENARIO: &str = r#"name = "compared"
players = 200
[target]
profile = "aws-like"
[sockets]
connect_rate = 100.0
[[phases]]
name = "warm-up"
kind = "hold"
duration = "3s"
measured = false
[[phases]]
kind = "hold"
duration = "30s"
[operations.send_message]
rate = 200.0
[operations.placement_request]
rate = 20.0
"#;
}

/// Why the real runs could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum RealError {
    /// A run could not be made.
    #[error("cannot run {}: {source}", path.display())]
    Run {
        /// The program.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A folder cannot be read.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

/// Makes `pairs` pairs of runs into `out` and compares each: two runs after each other. Runs that are there are taken as they are; of
/// those that are not valid further ones are made, at most as many again.
///
/// # Errors
/// [`RealError`].
pub fn compare_pairs(
    loadgen: &Path,
    out: &Path,
    pairs: usize,
    options: &Options,
    proof: &mut Proof,
) -> Result<(), RealError> {
    let failed = |source| RealError::Run { path: loadgen.to_owned(), source };
    fs::create_dir_all(out).map_err(failed)?;
    fs::write(out.join("scenario.toml"), Plan::SCENARIO).map_err(failed)?;
    let (mut last, mut number): (Option<RunFolder>, usize) = (None, 0);
    while proof.real.len() < pairs && number < pairs * 4 {
        let folder = run(loadgen, out, number)?;
        number += 1;
        if !folder.summary_or_rebuilt().verdict.valid {
            proof.spoiled += 1;
            continue;
        }
        let Some(base) = last.take() else {
            last = Some(folder);
            continue;
        };
        let comparison = compare(&[base], &[folder], options)?;
        say(format!("pair {}: {:?} {:?}", proof.real.len() + 1, comparison.verdict, flags(&comparison)));
        proof.real.push(comparison);
    }
    Ok(())
}

fn run(loadgen: &Path, out: &Path, number: usize) -> Result<RunFolder, RealError> {
    let name = format!("run-{number:03}");
    let dir = out.join(&name);
    if !dir.join(reports::folder::SUMMARY).exists() {
        let failed = |source| RealError::Run { path: loadgen.to_owned(), source };
        if dir.exists() {
            fs::remove_dir_all(&dir).map_err(failed)?;
        }
        let mut command = Command::new(loadgen);
        command.args(["run", "scenario.toml", "--quiet", "--out", &name]).current_dir(out);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().map_err(failed)?;
    }
    Ok(RunFolder::read(&dir)?)
}
