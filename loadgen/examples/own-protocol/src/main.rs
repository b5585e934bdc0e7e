//! `loadgen` with a protocol of one's own: everything else, commands, reports and exit codes, is loadgen's.
//!
//! To be copied into a repository of your own; `Cargo.toml` then names `loadgen` and `protocol` by `git`.
//!
//! ```text
//! cargo run --release -p own-protocol -- run loadgen/examples/own-protocol/evening.toml --target ws://127.0.0.1:7000
//! ```

mod netstrings;
mod own;

use std::process::ExitCode;
use std::sync::Arc;

use own::Own;

fn main() -> ExitCode {
    // Before anything else, since workers are this program, too.
    protocol::register(Arc::new(Own::new()));
    loadgen::program::main()
}
