//! Runs a command: the runtime around it, and which function carries it out.

use std::process::ExitCode;

use output::{Exit, Look};
use serde_json::{Value, json};

use super::answer::Answer;
use super::failure::Failure;
use super::print::{self, Mode};
use super::{capacity, compare, doctor, history, protocol, report, runs, scenario};
use crate::cli::{self, CapacityArgs, Command, DoctorArgs};

/// Carries a command out and prints its outcome. `arguments` are the command line, for the run folder.
///
/// It returns when everything is over. It is not `async`, so that its code is compiled once, here.
pub fn carry_out(command: Command, arguments: Vec<String>) -> ExitCode {
    // Commands of child processes bring their own runtime.
    match command {
        Command::EmbeddedBackend(serve) => backend(reference_backend_local::serve::run(serve)),
        Command::FrontDoor => backend(reference_backend_local::serve::front_door()),
        Command::Worker { threads } => crate::workers::work(threads),
        command => generator(command, arguments),
    }
}

fn backend(ended: Result<(), reference_backend_local::serve::ServeError>) -> ExitCode {
    match ended {
        Ok(()) => Exit::Fine.into(),
        Err(error) => {
            print::problem("error", &format!("embedded backend: {error}"));
            error.exit().into()
        }
    }
}

fn generator(command: Command, arguments: Vec<String>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            print::problem("error", &format!("the runtime cannot be started: {error}"));
            return Exit::Failure.into();
        }
    };
    let mode = Mode::of(&command);
    let exit = print::outcome(runtime.block_on(execute(command, arguments)), mode);
    // A task that does not end must not keep the program running: all results are written.
    runtime.shutdown_background();
    exit.into()
}

async fn execute(command: Command, arguments: Vec<String>) -> Result<Answer, Failure> {
    match command {
        Command::Run(args) => runs::run(args, arguments).await,
        Command::Report(args) => report::report(&args),
        Command::Correlate(args) => runs::correlate(&args).await,
        Command::Attribute { run, .. } => runs::attribute(&run),
        Command::Compare(args) => compare::compare(&args),
        Command::Capacity(args) => find_capacity(args).await,
        Command::Doctor(args) => examine(&args).await,
        Command::History(command) => history::execute(&command),
        Command::Scenario(command) | Command::Direct(command) => scenario::execute(command),
        Command::Protocol(command) => protocol::execute(command).await,
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut cli::command(), "loadgen", &mut text);
            Ok(Answer::fine(String::from_utf8_lossy(&text), Value::Null))
        }
        // `carry_out` has taken them before.
        Command::EmbeddedBackend(_) | Command::FrontDoor | Command::Worker { .. } => {
            Err(Failure::usage("this command is for child processes of loadgen"))
        }
    }
}

async fn find_capacity(args: CapacityArgs) -> Result<Answer, Failure> {
    let capacity::Found { capacity, dir } = capacity::find(&args.into()).await?;
    Ok(Answer {
        exit: capacity.ended.into(),
        text: capacity::text(&capacity, &dir, Look::of_stdout()),
        json: json!({"folder": dir, "page": dir.join(reports::capacity::PAGE), "capacity": capacity}),
        brief: Some(format!("{}. Folder: {}", reports::capacity::headline(&capacity), dir.display())),
        asides: Vec::new(),
    })
}

async fn examine(args: &DoctorArgs) -> Result<Answer, Failure> {
    let report = doctor::examine(args.scenario.as_deref(), &args.all_overrides()).await?;
    let json = serde_json::to_value(&report).unwrap_or_default();
    Ok(Answer { exit: report.exit(), ..Answer::fine(report.text(Look::of_stdout()), json) })
}
