//! Comparison held against runs of which it is known whether they differ: `cargo run --locked --release -p bench --bin compared`. See
//! `docs/comparing.md`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs};

use bench::compared::{Proof, markdown, real};
use bench::{docs, program};
use clap::Parser;
use comparison::Options;
use output::{print, say};

/// What makes the tables of the docs.
const COMMAND: &str = "cargo run --locked --release -p bench --bin compared -- --write-docs";

/// Compares pairs of runs that do not differ, and pairs into which a shift was planted.
#[derive(Parser)]
struct Arguments {
    /// Seeds of each kind of noise and shift.
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1_000)]
    first_seed: u64,
    /// Real runs, each of some 40 s, of which sides are drawn; 0: none.
    #[arg(long, default_value_t = 36)]
    real: usize,
    /// Simulated pairs at once.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// The program; default: built now.
    #[arg(long, value_name = "FILE")]
    loadgen: Option<PathBuf>,
    /// The folder of the real runs; those that it has are taken as they are. Default: a temporary one.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Writes the tables into docs/comparing.md.
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
    let options = Options::default();
    let seeds = arguments.first_seed..arguments.first_seed + arguments.seeds;
    let mut proof = Proof::simulate(seeds, arguments.jobs, &options);
    proof.false_flags.iter().for_each(|flag| say(format!("flagged: {flag}")));
    say(format!("simulated in {:.0} s", proof.seconds));
    if arguments.real > 0 {
        let loadgen = arguments.loadgen.clone().map_or_else(program::built, Ok)?;
        let temporary = || env::temp_dir().join(format!("compared-{}", std::process::id()));
        let out = arguments.out.clone().unwrap_or_else(temporary);
        real::compare_pairs(&fs::canonicalize(&loadgen)?, &out, arguments.real, &options, &mut proof)?;
        if arguments.out.is_none() {
            fs::remove_dir_all(&out)?;
        }
    }
    let tables = markdown(&proof);
    print(&tables)?;
    if arguments.write_docs {
        docs::write_between("docs/comparing.md", COMMAND, "compared", &tables)?;
    }
    Ok(proof.holds())
}
