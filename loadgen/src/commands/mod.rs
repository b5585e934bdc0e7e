//! What each command does, and the one place where commands speak.
//!
//! ```text
//! Command ─▶ execute ─▶ Answer (exit code, text, JSON) ─▶ speak ─▶ standard output: the text, or one JSON object
//!                   └─▶ Failure ────────────────────────▶ speak ─▶ standard error, and that object
//! ```
//!
//! Results go to standard output, everything else to standard error. Neither minds a reader that has gone.

pub mod capacity;
pub mod correlate;
pub mod doctor;
mod failure;
mod runs;
mod scenario;

use std::path::Path;
use std::process::ExitCode;

use output::Look;
use reports::format::Status;
use reports::printable;
use scenarios::Plan;
use serde_json::{Value, json};

use crate::cli::{self, CapacityArgs, Command, DoctorArgs};
use crate::exit::Exit;
use crate::live::say;
pub use failure::Failure;

/// Version of the objects that `--json` prints.
const SCHEMA_VERSION: u32 = 1;

/// How a command ended, and what it has to say.
#[derive(Debug)]
struct Answer {
    exit: Exit,
    /// For people.
    text: String,
    /// For programs: an object.
    json: Value,
    /// The one line that is said of an end that is not fine, however quiet the command is to be.
    brief: Option<String>,
    /// Lines for standard error.
    asides: Vec<String>,
}

impl Answer {
    fn fine(text: impl Into<String>, json: Value) -> Self {
        Self { exit: Exit::Fine, text: text.into(), json, brief: None, asides: Vec::new() }
    }
}

/// How a command is to speak.
#[derive(Debug, Clone, Copy, Default)]
struct Manner {
    json: bool,
    quiet: bool,
}

impl Manner {
    fn of(command: &Command) -> Self {
        use cli::ScenarioCommand::{Check, Explain, List, New, Schema};
        let (json, quiet) = match command {
            Command::Run(args) => (args.job.json, args.job.quiet),
            Command::Capacity(args) => (args.job.json, args.job.quiet),
            Command::Report { json, .. } => (*json, false),
            Command::Correlate(args) => (args.json, false),
            Command::Doctor(args) => (args.json, false),
            Command::Scenario(command) | Command::Direct(command) => match command {
                Check(args) | Explain(args) => (args.json, false),
                List { json } | New { json, .. } => (*json, false),
                Schema => (false, false),
            },
            Command::Completions { .. }
            | Command::EmbeddedBackend(_)
            | Command::FrontDoor
            | Command::Worker { .. } => (false, false),
        };
        Self { json, quiet }
    }
}

/// Carries a command out and says what came of it. `arguments` are the command line, for the run folder.
///
/// It returns when everything is over, and is no future, so that all of it is compiled here and nothing twice.
pub fn carry_out(command: Command, arguments: Vec<String>) -> ExitCode {
    // Those that others start bring their own runtime.
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
            say_problem("error", &format!("embedded backend: {error}"));
            error.exit_code().into()
        }
    }
}

fn generator(command: Command, arguments: Vec<String>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            say_problem("error", &format!("the runtime cannot be started: {error}"));
            return Exit::Failure.into();
        }
    };
    let manner = Manner::of(&command);
    let exit = speak(runtime.block_on(execute(command, arguments)), manner);
    // A task that does not end must not keep the program: everything of worth is written.
    runtime.shutdown_background();
    exit.into()
}

async fn execute(command: Command, arguments: Vec<String>) -> Result<Answer, Failure> {
    match command {
        Command::Run(args) => runs::run(args, arguments).await,
        Command::Report { run, exit_code, .. } => {
            reports::write_report(&run)?;
            let of_run = |status: Status| if exit_code { status.into() } else { Exit::Fine };
            runs::of_folder(&run, of_run)
        }
        Command::Correlate(args) => runs::correlate(&args).await,
        Command::Capacity(args) => find_capacity(args).await,
        Command::Doctor(args) => examine(&args).await,
        Command::Scenario(command) | Command::Direct(command) => scenario::execute(command),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut cli::command(), "loadgen", &mut text);
            Ok(Answer::fine(String::from_utf8_lossy(&text), Value::Null))
        }
        // Handled before the runtime starts: they bring their own.
        Command::EmbeddedBackend(_) | Command::FrontDoor | Command::Worker { .. } => {
            Err(Failure::usage("this command is started by others"))
        }
    }
}

async fn find_capacity(args: CapacityArgs) -> Result<Answer, Failure> {
    let capacity::Found { capacity, dir } = capacity::find(&args.request()).await?;
    let exit = capacity::exit(capacity.ended);
    Ok(Answer {
        exit,
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

/// Says what came of a command; returns how the program ends.
fn speak(outcome: Result<Answer, Failure>, manner: Manner) -> Exit {
    let (exit, printed) = match outcome {
        Ok(answer) => {
            answer.asides.iter().for_each(|aside| say(printable::line(aside)));
            let printed = if manner.json {
                print_object(answer.json, answer.exit)
            } else if manner.quiet {
                let worth_it = answer.exit != Exit::Fine;
                answer
                    .brief
                    .filter(|_| worth_it)
                    .into_iter()
                    .for_each(|brief| say_problem("loadgen", &brief));
                Ok(())
            } else {
                print_text(&answer.text)
            };
            (answer.exit, printed)
        }
        Err(failure) => {
            say_problem("error", &failure.problem);
            let printed = match &failure.summary {
                _ if manner.json => print_object(failure.json(), failure.exit),
                Some(summary) => print_text(&format!("{:#}", json!(summary))),
                None => Ok(()),
            };
            (failure.exit, printed)
        }
    };
    match printed {
        // Nobody asked for output alone where the end says more.
        Err(error) if exit == Exit::Fine => {
            say_problem("error", &format!("cannot write to standard output: {error}"));
            Exit::Failure
        }
        _ => exit,
    }
}

/// A problem, named as such.
pub fn say_problem(word: &str, problem: &str) {
    let problem = printable::lines(problem.trim_end());
    say(format_args!("{} {problem}", Look::of_stderr().bad(&format!("{word}:"))));
}

fn print_text(text: &str) -> std::io::Result<()> {
    output::print(&if text.is_empty() || text.ends_with('\n') {
        text.to_owned()
    } else {
        format!("{text}\n")
    })
}

/// One object, whatever the command: its version and the exit code beside what the command has to say.
fn print_object(mut said: Value, exit: Exit) -> std::io::Result<()> {
    if let Value::Object(said) = &mut said {
        said.entry("schema_version").or_insert(SCHEMA_VERSION.into());
        said.insert("exit_code".into(), exit.code().into());
    }
    output::print(&format!("{said:#}\n"))
}

/// A plan in words.
fn explained(plan: &Plan) -> String {
    let look = Look::of_stdout();
    scenarios::explain::explain(plan, |sentences| look.wrapped(&printable::lines(sentences), "  "))
}

/// A path as JSON has it.
fn shown(path: &Path) -> String {
    path.display().to_string()
}
