//! Ways of building a backend, compared: `cargo run --locked --release -p bench --bin experiments -- push-versus-poll`. See `docs/experiments.md`.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use bench::experiments::{Arm, Experiment, Group, Options, Runner, all, markdown};
use bench::{docs, program};
use clap::Parser;
use output::{print, say};
use reports::format::experiment as format;
use reports::html::{Spread, write_experiment};

/// Runs an experiment: arms that differ in one thing, and a page that compares them.
#[derive(Parser)]
struct Arguments {
    /// Which one: `push-versus-poll` or `layouts`.
    experiment: String,
    /// Runs of each arm.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    repeats: u32,
    /// The program; default: built now.
    #[arg(long, value_name = "FILE")]
    loadgen: Option<PathBuf>,
    /// The folder of all run folders and of the page.
    #[arg(long, value_name = "DIR", default_value = "runs/experiments")]
    out: PathBuf,
    /// Takes the runs that --out has already, and makes only those that it has not.
    #[arg(long)]
    again: bool,
    /// Writes the tables into docs/experiments.md.
    #[arg(long)]
    write_docs: bool,
}

fn main() -> ExitCode {
    match carried_out(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn carried_out(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let known = all();
    let Some(experiment) = known.iter().find(|known| known.setup.name == arguments.experiment) else {
        let names: Vec<&str> = known.iter().map(|experiment| experiment.setup.name).collect();
        return Err(format!(
            "there is no experiment {}; there are {}",
            arguments.experiment,
            names.join(", ")
        )
        .into());
    };
    let loadgen = arguments.loadgen.clone().map_or_else(program::built, Ok)?;
    fs::create_dir_all(&arguments.out)?;
    let options = Options {
        loadgen: fs::canonicalize(loadgen)?,
        out: fs::canonicalize(&arguments.out)?,
        repeats: arguments.repeats,
        again: arguments.again,
    };
    let groups = Runner::new(&options).run(&experiment.setup, &|line| say(line))?;
    let outcome = (experiment.evaluate)(&groups);
    let result = result(experiment, &groups, &outcome);
    let spreads: Vec<Spread<'_>> = groups
        .iter()
        .zip(&outcome.spreads)
        .map(|(group, histogram)| Spread { arm: group.arm.name, histogram })
        .collect();
    let dir = options.out.join(experiment.setup.name);
    write_experiment(&dir, &result, experiment.of, &spreads)?;
    let text = markdown(&result);
    print(&text)?;
    say(format!("page: {}", dir.join("experiment.html").display()));
    if arguments.write_docs {
        let command = format!(
            "cargo run --locked --release -p bench --bin experiments -- {} --write-docs",
            experiment.setup.name
        );
        docs::write_between("docs/experiments.md", &command, experiment.setup.name, &text)?;
    }
    Ok(())
}

fn result(
    experiment: &Experiment,
    groups: &[Group],
    outcome: &bench::experiments::Outcome,
) -> format::Experiment {
    let first = groups.iter().flat_map(|group| &group.runs).map(|run| &run.folder.manifest.run);
    let begun = first.clone().map(|run| run.started_at).min();
    format::Experiment {
        schema_version: reports::format::SCHEMA_VERSION,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        name: experiment.setup.name.to_owned(),
        question: experiment.question.to_owned(),
        target: first.clone().next().map(|run| run.target.clone()).unwrap_or_default(),
        started_at: begun.unwrap_or_default(),
        answers: outcome.answers.clone(),
        arms: groups
            .iter()
            .map(|Group { arm: Arm { name, about, .. }, runs }| format::Arm {
                name: (*name).to_owned(),
                about: (*about).to_owned(),
                runs: runs.len() as u32,
            })
            .collect(),
        tables: outcome.tables.clone(),
    }
}
