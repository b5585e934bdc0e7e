//! How every command reads a scenario: the scenario's own mistakes and those of the backend profile that it names, all at
//! once. The crates of scenarios and backend do not know each other; this module knows both.

use std::path::Path;

use reference_backend_local::profile;
use scenarios::{Checked, Mistakes, Override, Source};

/// Reads and checks a scenario.
///
/// # Errors
/// All mistakes at once.
pub fn load(path: &Path, overrides: &[Override]) -> Result<Checked, Mistakes> {
    check(&Source::read(path)?, overrides)
}

/// Checks a scenario's text.
///
/// # Errors
/// All mistakes at once.
pub fn check(source: &Source, overrides: &[Override]) -> Result<Checked, Mistakes> {
    scenarios::check_with(&source.name, &source.text, overrides, profile::mistakes)
}
