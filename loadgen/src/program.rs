//! The program: from the command line to the exit code.
//!
//! In the library, so that a program with protocols of its own (`protocol::register`) is made in two lines.

use std::process::ExitCode;

use output::Look;
use tracing_subscriber::EnvFilter;

use crate::cli::Cli;
use crate::commands;
use crate::live::{self, AboveDisplay};

/// Reads the command line and does what it says.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::read();
    log();
    commands::carry_out(cli.command, std::env::args().collect())
}

/// Logs to standard error, as `LOADGEN_LOG` says.
fn log() {
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
}
