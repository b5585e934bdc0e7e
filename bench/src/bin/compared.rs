//! Comparison held against runs of which it is known whether they differ: `cargo run --locked --release -p bench --bin compared`. See
//! `docs/comparing.md`.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

use bench::compared::{Proof, markdown, real};
use clap::Parser;
use comparison::Options;
use output::{print, say};

/// Compares pairs of runs that do not differ, and pairs into which a shift was planted.
#[derive(Parser)]
struct Arguments {
    /// Seeds of each kind of noise and shift.
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1_000)]
    first_seed: u64,
    /// Pairs of real runs, each of two runs of some 36 s; 0: none.
    #[arg(long, default_value_t = 30)]
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
        let loadgen = arguments.loadgen.clone().map_or_else(built, Ok)?;
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
        write_docs(&tables)?;
    }
    Ok(proof.holds())
}

/// Builds the program with the profile of this one, beside it.
fn built() -> Result<PathBuf, Box<dyn std::error::Error>> {
    let beside = env::current_exe()?;
    let folder = beside.parent().ok_or("this program lies in no folder")?;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "-p", "loadgen", "--bin", "loadgen"]).current_dir(root());
    if folder.ends_with("release") {
        build.arg("--release");
    }
    if !build.status()?.success() {
        return Err("loadgen could not be built; build it, and name it with --loadgen".into());
    }
    Ok(folder.join("loadgen"))
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Puts the tables between their marks.
fn write_docs(tables: &str) -> Result<(), Box<dyn std::error::Error>> {
    const BEGIN: &str =
        "<!-- made by: cargo run --locked --release -p bench --bin compared -- --write-docs -->\n";
    const END: &str = "<!-- end: compared -->";
    let path = root().join("docs/comparing.md");
    let text = fs::read_to_string(&path)?;
    let (before, rest) =
        text.split_once(BEGIN).ok_or("docs/comparing.md lacks the mark before the tables")?;
    let (_, after) = rest.split_once(END).ok_or("docs/comparing.md lacks the mark after the tables")?;
    fs::write(path, format!("{before}{BEGIN}\n{tables}\n{END}{after}"))?;
    Ok(())
}
