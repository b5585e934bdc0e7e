//! `loadgen`: the command line's way into the library.

use std::process::ExitCode;

use loadgen::cli::Cli;
use loadgen::commands;
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
    commands::carry_out(cli.command, std::env::args().collect())
}
