//! The reference backend on the command line.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use reference_backend_local::gateway::front;
use reference_backend_local::lambda::process::spawner::{Launch, launch};
use reference_backend_local::serve::{self, ServeError};
use reference_backend_serve::dynamodb::DynamoDb;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use url::Url;

/// A game backend on serverless WebSockets, run on one machine.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(Box<ServeWith>),
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

// The stack, and what only this program can do. No doc comment: the help is that of the stack.
#[derive(Debug, Args)]
struct ServeWith {
    #[command(flatten)]
    stack: serve::Serve,
    /// A DynamoDB that is there (DynamoDB Local, or AWS) in place of the embedded tables; missing tables are created.
    #[arg(long, value_name = "URL", conflicts_with = "data")]
    dynamodb: Option<Url>,
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
            ExitCode::FAILURE
        }
        Command::Serve(args) => {
            let ServeWith { stack, dynamodb } = *args;
            ended(match dynamodb {
                Some(url) => serve::run_with(stack, Arc::new(DynamoDb(url))),
                None => serve::run(stack),
            })
        }
        Command::FrontDoor => ended(serve::front_door()),
        Command::Profile(ProfileCommand::Schema) => ended(serve::print_schema()),
        Command::Profile(ProfileCommand::Check { file }) => ended(serve::check_profile(&file)),
    }
}

fn ended(outcome: Result<(), ServeError>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::say(format_args!("error: {error}"));
            ExitCode::from(error.exit_code())
        }
    }
}
