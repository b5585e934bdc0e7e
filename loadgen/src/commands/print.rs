//! Prints what a command has to say, as its flags ask for it.

use std::io;

use output::{Exit, Look};
use reports::printable;
use serde_json::{Value, json};

use super::answer::Answer;
use super::failure::Failure;
use crate::cli::{Command, HistoryCommand, ProtocolCommand, ScenarioCommand};
use crate::live::say;

/// Version of the objects that `--json` prints.
const SCHEMA_VERSION: u32 = 1;

/// The flags that change what is printed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mode {
    /// `--json`: one object instead of the text.
    json: bool,
    /// `--quiet`: no text.
    quiet: bool,
    /// The object follows others, each in a line.
    lines: bool,
}

impl Mode {
    pub(super) fn of(command: &Command) -> Self {
        use ScenarioCommand::{Check, Explain, List, New, Schema};
        let (json, quiet) = match command {
            Command::Run(args) => (args.job.json, args.job.quiet),
            Command::Capacity(args) => (args.job.json, args.job.quiet),
            Command::Report(args) => (args.json, false),
            Command::Attribute { json, .. } => (*json, false),
            Command::Correlate(args) => (args.json, false),
            Command::Doctor(args) => (args.json, false),
            Command::History(command) => match command {
                HistoryCommand::Add(args) => (args.json, false),
                HistoryCommand::Show(args) => (args.json, false),
                HistoryCommand::Export(_) => (false, false),
            },
            Command::Scenario(command) | Command::Direct(command) => match command {
                Check(args) | Explain(args) => (args.json, false),
                List { json } | New { json, .. } => (*json, false),
                Schema => (false, false),
            },
            Command::Protocol(command) => match command {
                ProtocolCommand::List { json } => (*json, false),
                ProtocolCommand::Show(args) | ProtocolCommand::Check(args) => (args.json, false),
                ProtocolCommand::Try(args) => (args.json, false),
                ProtocolCommand::Schema => (false, false),
            },
            Command::Compare(_)
            | Command::Completions { .. }
            | Command::EmbeddedBackend(_)
            | Command::FrontDoor
            | Command::Worker { .. } => (false, false),
        };
        let lines = matches!(command, Command::Protocol(ProtocolCommand::Try(_)));
        Self { json, quiet, lines }
    }
}

/// Prints the outcome of a command; returns the exit code of the program.
pub(super) fn outcome(outcome: Result<Answer, Failure>, mode: Mode) -> Exit {
    let (exit, printed) = match outcome {
        Ok(answer) => (answer.exit, print_answer(answer, mode)),
        Err(failure) => (failure.exit, print_failure(&failure, mode)),
    };
    match printed {
        // An exit code that already says more than this is kept.
        Err(error) if exit == Exit::Fine => {
            problem("error", &format!("cannot write to standard output: {error}"));
            Exit::Failure
        }
        _ => exit,
    }
}

fn print_answer(answer: Answer, mode: Mode) -> io::Result<()> {
    let Answer { exit, text, json, brief, asides } = answer;
    asides.iter().for_each(|aside| say(printable::line(aside)));
    if mode.json {
        return print_object(json, exit, mode);
    }
    if !mode.quiet {
        return print_text(&text);
    }
    if let Some(brief) = brief.filter(|_| exit != Exit::Fine) {
        problem("loadgen", &brief);
    }
    Ok(())
}

fn print_failure(failure: &Failure, mode: Mode) -> io::Result<()> {
    problem("error", &failure.problem);
    match &failure.summary {
        _ if mode.json => print_object(failure.json(), failure.exit, mode),
        Some(summary) => print_text(&format!("{:#}", json!(summary))),
        None => Ok(()),
    }
}

/// A line on standard error that begins with `word`.
pub(super) fn problem(word: &str, problem: &str) {
    let problem = printable::lines(problem.trim_end());
    say(format_args!("{} {problem}", Look::of_stderr().bad(&format!("{word}:"))));
}

fn print_text(text: &str) -> io::Result<()> {
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    output::print(&format!("{text}{end}"))
}

/// One object, whatever the command: schema version and exit code beside what the command has to say.
fn print_object(mut object: Value, exit: Exit, mode: Mode) -> io::Result<()> {
    if let Value::Object(members) = &mut object {
        members.entry("schema_version").or_insert(SCHEMA_VERSION.into());
        members.insert("exit_code".into(), exit.code().into());
    }
    output::print(&if mode.lines { format!("{object}\n") } else { format!("{object:#}\n") })
}
