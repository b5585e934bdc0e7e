//! `loadgen`: the command line's way into the library.

use std::process::ExitCode;

use loadgen::cli::{Cli, Command};
use loadgen::commands::{self, say_problem};
use loadgen::exit::Exit;
use loadgen::live::{self, AboveDisplay};
use output::Look;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::read();
    let mut filter =
        EnvFilter::try_from_env("LOADGEN_LOG").unwrap_or_else(|_| EnvFilter::new("warn,goose=error"));
    // These write whole requests and frames, credentials and all: a target may send them back in any.
    for talkative in [
        "tungstenite::handshake=debug",
        "tungstenite::protocol=info",
        "tokio_tungstenite=debug",
        "aws_sigv4::http_request=debug",
    ] {
        filter = talkative.parse().map_or(filter.clone(), |directive| filter.add_directive(directive));
    }
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| AboveDisplay)
        .with_ansi(Look::of_stderr().colour)
        .fmt_fields(live::log_fields())
        .init();
    // Each brings its own runtime.
    let backend = match cli.command {
        Command::EmbeddedBackend(serve) => reference_backend::cli::run(serve),
        Command::FrontDoor => reference_backend::cli::front_door(),
        Command::Worker { threads } => return loadgen::workers::work(threads),
        command => return generator(command),
    };
    match backend {
        Ok(()) => Exit::Fine.into(),
        Err(error) => {
            say_problem("error", &format!("embedded backend: {error}"));
            error.exit_code().into()
        }
    }
}

fn generator(command: Command) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            say_problem("error", &format!("the runtime cannot be started: {error}"));
            return Exit::Failure.into();
        }
    };
    let exit = runtime.block_on(commands::carry_out(command, std::env::args().collect()));
    // A task that does not end must not keep the program: everything of worth is written.
    runtime.shutdown_background();
    exit
}
