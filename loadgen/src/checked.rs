//! One door to a checked scenario for every command: the scenario's own mistakes and those of the backend's profile that
//! it names, all at once. Scenarios and backend do not know each other; this room knows both.

use std::path::Path;

use reference_backend::local::profile;
use scenarios::{Checked, Mistakes, Override};

/// Reads and checks a scenario file.
///
/// # Errors
/// All mistakes at once.
pub fn load(path: &Path, overrides: &[Override]) -> Result<Checked, Mistakes> {
    check(&path.display().to_string(), &scenarios::read(path)?, overrides)
}

/// Checks a scenario's text; `file` names it in messages.
///
/// # Errors
/// All mistakes at once.
pub fn check(file: &str, text: &str, overrides: &[Override]) -> Result<Checked, Mistakes> {
    scenarios::check_with(file, text, overrides, profile::mistakes)
}
