//! `reference-backend`: carries out what its command line says.

use std::process::ExitCode;

use clap::Parser;
use output::Exit;
use reference_backend_local::lambda::process::spawner::launch;
use reference_backend_local::serve::{self, ServeError};
use reference_backend_serve::cli::{Cli, Command, ProfileCommand};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

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
        Command::Serve(args) => {
            let storage = args.storage();
            ended(serve::run_with(args.stack, storage))
        }
        Command::FrontDoor => ended(serve::front_door()),
        Command::Profile(ProfileCommand::Schema) => ended(serve::print_schema()),
        Command::Profile(ProfileCommand::Check { file }) => ended(serve::check_profile(&file)),
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
