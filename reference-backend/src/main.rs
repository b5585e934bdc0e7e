//! The reference backend on the command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use output::Exit;
use reference_backend::cli::{self, Serve, ServeError};
use reference_backend::local::gateway::front;
use reference_backend::local::lambda::process::spawner::{Launch, launch};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// A game backend on serverless WebSockets, run on one machine.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(Box<Serve>),
    /// Becomes another program, which is killed when its parent ends: how `serve` starts Lambda processes.
    #[command(hide = true)]
    Environment(Launch),
    /// Holds sockets for `serve --front-doors`, which starts it.
    #[command(name = front::COMMAND, hide = true)]
    FrontDoor,
    /// What a profile may say, and whether one says it right.
    #[command(subcommand)]
    Profile(ProfileCommand),
}

#[derive(Debug, Subcommand)]
enum ProfileCommand {
    /// Prints the JSON Schema of profile files: every key with its meaning, unit, limits and default.
    Schema,
    /// Checks a profile file; exit code 2 if there is a mistake in it.
    Check {
        /// `instant`, `aws-like` or a TOML file.
        file: PathBuf,
    },
}

fn main() -> ExitCode {
    let Cli { command } = Cli::parse();
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into()).from_env_lossy();
    let colour = output::Look::of_stderr().colour;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(output::stderr).with_ansi(colour).init();
    match command {
        Command::Environment(args) => {
            let Err(error) = launch(&args);
            output::say(format_args!("error: cannot start the Lambda process: {error}"));
            Exit::Failure.into()
        }
        Command::Serve(args) => ended(cli::run(*args)),
        Command::FrontDoor => ended(cli::front_door()),
        Command::Profile(ProfileCommand::Schema) => ended(cli::print_schema()),
        Command::Profile(ProfileCommand::Check { file }) => ended(cli::check_profile(&file)),
    }
}

fn ended(outcome: Result<(), ServeError>) -> ExitCode {
    match outcome {
        Ok(()) => Exit::Fine.into(),
        Err(error) => {
            output::say(format_args!("error: {error}"));
            error.exit().into()
        }
    }
}
