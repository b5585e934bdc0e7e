//! Attribution held against what was planted: `cargo run --locked --release -p bench --bin planted`. See `docs/planted.md`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs};

use bench::planted::cases::{self, Case};
use bench::planted::{Answer, Options, Proof, Proven, markdown};
use bench::{docs, program};
use clap::Parser;
use output::{print, say};

/// Makes the tables of the docs.
const COMMAND: &str = "cargo run --locked --release -p bench --bin planted -- --write-docs";

/// Plants faults in real runs, and counts what attribution says of them.
#[derive(Parser)]
struct Arguments {
    /// Draws of each case with a fault; of each healthy case there is one more.
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1_000)]
    first_seed: u64,
    /// Only these cases, e.g. `P1`; may be given several times.
    #[arg(long = "case", value_name = "CASE")]
    cases: Vec<String>,
    /// Runs at once.
    #[arg(long, default_value_t = 6)]
    jobs: usize,
    /// Draws of each case, of those that users felt and whose first suspect is right, that are run twice more: with the accused
    /// limit raised, and with another one.
    #[arg(long, value_name = "N", default_value_t = 1)]
    counterfactuals: usize,
    /// The program; default: built now.
    #[arg(long, value_name = "FILE")]
    loadgen: Option<PathBuf>,
    /// The folder of all run folders; default: a temporary one, of which the folders of draws that failed are kept.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Judges the runs that --out has already, and makes only those that it has not.
    #[arg(long, requires = "out")]
    again: bool,
    /// Writes all draws as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Writes the tables into docs/planted.md.
    #[arg(long)]
    write_docs: bool,
}

fn main() -> ExitCode {
    match proven(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(5),
        Err(error) => {
            say(format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn proven(arguments: &Arguments) -> Result<bool, Box<dyn std::error::Error>> {
    let loadgen = arguments.loadgen.clone().map_or_else(program::built, Ok)?;
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| env::temp_dir().join(format!("planted-{}", std::process::id())));
    fs::create_dir_all(&out)?;
    let options = Options {
        loadgen: fs::canonicalize(&loadgen)?,
        out: fs::canonicalize(&out)?,
        jobs: arguments.jobs.max(1),
        draws: draws(arguments)?,
        counterfactuals: arguments.counterfactuals,
        again: arguments.again,
    };
    let proof = Proof::make(&options, &|proven: &Proven| say(proven.line()));
    for broken in &proof.broken {
        say(format!("not run: {broken}"));
    }
    if arguments.out.is_none() {
        let failed = |proven: &&Proven| !matches!(proven.answer(), Answer::Wrong | Answer::Missed);
        for proven in proof.draws.iter().filter(failed) {
            fs::remove_dir_all(&proven.folder)?;
        }
        // Empty, unless something failed.
        let _ = fs::remove_dir(&options.out);
    }
    let tables = markdown(&proof);
    print(&tables)?;
    if let Some(path) = &arguments.json {
        fs::write(path, serde_json::to_string_pretty(&proof)?)?;
    }
    if arguments.write_docs {
        docs::write_between("docs/planted.md", COMMAND, "planted", &tables)?;
    }
    Ok(proof.holds())
}

/// Every case with its seeds.
fn draws(arguments: &Arguments) -> Result<Vec<(Case, u64)>, String> {
    let all = cases::all();
    if let Some(unknown) = arguments.cases.iter().find(|name| all.iter().all(|case| case.name != **name)) {
        let known: Vec<&str> = all.iter().map(|case| case.name).collect();
        return Err(format!("there is no case {unknown}; there are {}", known.join(", ")));
    }
    let wanted = all
        .into_iter()
        .filter(|case| arguments.cases.is_empty() || arguments.cases.iter().any(|name| name == case.name));
    let seeds = |case: &Case| {
        arguments.first_seed..arguments.first_seed + arguments.seeds + u64::from(!case.is_planted())
    };
    Ok(wanted.flat_map(|case| seeds(&case).map(move |seed| (case, seed))).collect())
}
