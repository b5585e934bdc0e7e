//! What reports of an hour, a day and a week cost: `cargo run --locked --release -p bench --bin pages`.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

use bench::pages::{Cost, Size, make, measure, row};
use clap::Parser;
use output::{print, say};

/// Makes run folders and their pages, and prints what these cost as a table.
#[derive(Parser)]
struct Arguments {
    /// Lengths in hours.
    #[arg(long = "hours", value_name = "HOURS", default_values_t = [1, 24, 168])]
    hours: Vec<u64>,
    #[arg(long, default_value_t = 10)]
    operations: usize,
    #[arg(long, default_value_t = 20)]
    functions: usize,
    /// Where the folders are made, and kept; default: a temporary directory.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Only measures this folder, in this process, and prints JSON.
    #[arg(long, value_name = "RUN", conflicts_with = "hours")]
    only: Option<PathBuf>,
}

fn main() -> ExitCode {
    match pages(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn pages(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    if let Some(dir) = &arguments.only {
        print(&format!("{}\n", serde_json::to_string(&measure(dir)?)?))?;
        return Ok(());
    }
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| env::temp_dir().join(format!("pages-{}", std::process::id())));
    say("| run | folder | page | time | of it reading | CPU | peak resident |");
    say("|---|---|---|---|---|---|---|");
    for &hours in &arguments.hours {
        let dir = out.join(format!("{hours}h"));
        if !dir.exists() {
            let Arguments { operations, functions, .. } = *arguments;
            make(&dir, &Size { seconds: hours * 3_600, operations, functions })?;
        }
        let name = if hours >= 24 { format!("{} d", hours / 24) } else { format!("{hours} h") };
        say(row(&name, bytes_of(&dir)?, &apart(&dir)?));
        if arguments.out.is_none() {
            fs::remove_dir_all(&dir)?;
        }
    }
    Ok(())
}

/// Measured by a process of its own.
fn apart(dir: &Path) -> Result<Cost, Box<dyn std::error::Error>> {
    let child = Command::new(env::current_exe()?).arg("--only").arg(dir).output()?;
    Ok(serde_json::from_slice(&child.stdout)
        .map_err(|e| format!("{e}: {}", String::from_utf8_lossy(&child.stdout)))?)
}

fn bytes_of(dir: &Path) -> Result<u64, Box<dyn std::error::Error>> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}
