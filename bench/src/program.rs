//! The program that experiments and proofs run.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds `loadgen` with the profile of the present program, beside it.
///
/// # Errors
/// Where cargo cannot be started, or does not build it.
pub fn built() -> Result<PathBuf, Box<dyn std::error::Error>> {
    let beside = env::current_exe()?;
    let folder = beside.parent().ok_or("this program lies in no folder")?;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "-p", "loadgen", "--bin", "loadgen"]).current_dir(root());
    if folder.ends_with("release") {
        build.arg("--release");
    }
    if !build.status()?.success() {
        return Err("loadgen could not be built; build it, and name it with --loadgen".into());
    }
    Ok(folder.join("loadgen"))
}

/// The repository.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
