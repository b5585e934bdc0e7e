//! The change points held against what was planted: `cargo run --locked --release -p bench --bin changes`. See `docs/history.md`.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use bench::changes::{Noise, Proof, Public, Recorded, markdown, record};
use bench::docs;
use bench::program::root;
use clap::Parser;
use output::{print, say};

/// What makes the tables of the docs.
const COMMAND: &str = "cargo run --locked --release -p bench --bin changes -- --write-docs";

/// Plants changes in noise, made and recorded, and counts what is found and what is told without a cause.
#[derive(Parser)]
struct Arguments {
    /// Series of each kind.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// Public series with annotations as well: a folder with annotations.json and datasets, such as a clone of
    /// alan-turing-institute/TCPD.
    #[arg(long, value_name = "DIR")]
    annotated: Option<PathBuf>,
    /// Writes the tables into docs/history.md.
    #[arg(long)]
    write_docs: bool,
    /// Records noise instead: runs this criterion bench again and again, and writes bench/changes/noise.json.
    #[arg(long, value_name = "PROGRAM")]
    record: Option<PathBuf>,
    /// Times that it is run.
    #[arg(long, default_value_t = 150, requires = "record")]
    times: usize,
    /// Which of its benches.
    #[arg(long, default_value = "", requires = "record")]
    filter: String,
    /// On what it is recorded, and how.
    #[arg(long, default_value = "", requires = "record")]
    how: String,
}

fn main() -> ExitCode {
    match carry_out(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(5),
        Err(error) => {
            say(format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn carry_out(arguments: &Arguments) -> Result<bool, Box<dyn std::error::Error>> {
    if let Some(program) = &arguments.record {
        let recorded = record(program, &arguments.filter, arguments.times, &arguments.how)?;
        fs::write(root().join("bench/changes/noise.json"), serde_json::to_string(&recorded)? + "\n")?;
        return Ok(true);
    }
    let recorded =
        Recorded::kept().into_iter().flat_map(|one| [Noise::Recorded(one.clone()), Noise::BackToBack(one)]);
    let noises: Vec<Noise> = Noise::MADE.into_iter().chain(recorded).collect();
    let proof = Proof::make(&noises, arguments.seeds);
    let public = arguments.annotated.as_deref().map(Public::read).transpose()?;
    let tables = markdown(&proof, public.as_ref());
    print(&tables)?;
    if arguments.write_docs {
        docs::write_between("docs/history.md", COMMAND, "changes", &tables)?;
    }
    Ok(proof.holds())
}
