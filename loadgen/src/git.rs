//! What git says of the working directory; nothing where there is no git, or no checkout.

use std::process::Command;

/// The commit of the working directory.
#[must_use]
pub fn commit() -> Option<String> {
    rev_parse(&["HEAD"])
}

/// Its branch; none where a commit is checked out without one.
#[must_use]
pub fn branch() -> Option<String> {
    rev_parse(&["--abbrev-ref", "HEAD"]).filter(|branch| branch != "HEAD")
}

fn rev_parse(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("rev-parse").args(arguments).output().ok()?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.success() && !said.is_empty()).then_some(said)
}
