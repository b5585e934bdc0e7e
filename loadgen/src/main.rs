//! `loadgen`: the command line's way into the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    loadgen::program::main()
}
