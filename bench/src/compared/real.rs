//! Real runs that do not differ: `loadgen run` of one plan against its embedded backend, again and again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use comparison::{Options, compare};
use output::say;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use reports::folder::{FolderError, RunFolder};

use super::score::{Proof, SIDES, flags};

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

/// Pairs that are drawn of each.
const PAIRS: usize = 100;

/// Makes `runs` valid runs into `out`, one after the other, and draws sides of one, two and three of them by chance, as the machine may have been busier in
/// some than in others. Runs that are there are taken as they are; of those that are not valid further ones are made, at most as many again.
///
/// # Errors
/// [`RealError`].
pub fn compare_pairs(
    loadgen: &Path,
    out: &Path,
    runs: usize,
    options: &Options,
    proof: &mut Proof,
) -> Result<(), RealError> {
    let failed = |source| RealError::Run { path: loadgen.to_owned(), source };
    fs::create_dir_all(out).map_err(failed)?;
    fs::write(out.join("scenario.toml"), Plan::SCENARIO).map_err(failed)?;
    let mut valid = Vec::new();
    for number in 0..runs * 2 {
        let dir = run(loadgen, out, number)?;
        if RunFolder::read(&dir)?.summary_or_rebuilt().verdict.valid {
            valid.push(dir);
        } else {
            proof.spoiled += 1;
        }
        if valid.len() == runs {
            break;
        }
    }
    proof.runs = valid.len();
    let mut dice = StdRng::seed_from_u64(1);
    for side in SIDES.into_iter().filter(|side| side * 2 <= valid.len()) {
        for _ in 0..PAIRS {
            let drawn: Vec<&PathBuf> = valid.sample(&mut dice, side * 2).collect();
            let read = |dirs: &[&PathBuf]| {
                dirs.iter().map(|dir| RunFolder::read(dir)).collect::<Result<Vec<_>, _>>()
            };
            let comparison = compare(&read(&drawn[..side])?, &read(&drawn[side..])?, options)?;
            flags(&comparison).iter().for_each(|flag| say(format!("{side} a side: {flag}")));
            proof.real.push((side, comparison));
        }
    }
    Ok(())
}

fn run(loadgen: &Path, out: &Path, number: usize) -> Result<PathBuf, RealError> {
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
    Ok(dir)
}
