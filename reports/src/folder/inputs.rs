//! The files that a scenario names, kept beside it; and a folder that was made for a run that never began.

use std::fs;
use std::path::Path;

use super::{ERRORS, FolderError, INPUTS, LATENCY, MANIFEST, SCENARIO, SERIES, SUMMARY, save};

/// Saves a file that the scenario names, e.g. `inputs/profile.toml`, into an existing run folder.
///
/// # Errors
/// [`FolderError::Io`] when it cannot be written.
pub fn save_input(dir: &Path, name: &str, content: &[u8]) -> Result<(), FolderError> {
    let path = dir.join(name);
    let (Some(folder), Some(file)) = (path.parent(), path.file_name().and_then(|file| file.to_str())) else {
        return Ok(());
    };
    fs::create_dir_all(folder).map_err(FolderError::io("create the directory", folder))?;
    save(folder, file, content)
}

/// Removes a run folder in which nothing was measured, so that the run can be tried again in its place: the files that
/// were written ahead, and the directory if that leaves it empty. Tells whether there was nothing to lose.
#[must_use]
pub fn discard_unused(dir: &Path) -> bool {
    let empty = |name: &str| fs::metadata(dir.join(name)).is_ok_and(|file| file.len() == 0);
    if !empty(SERIES) || !empty(ERRORS) || dir.join(SUMMARY).exists() {
        return false;
    }
    // What cannot be removed stays: the caller already reports another error.
    for name in [MANIFEST, SCENARIO, SERIES, ERRORS, LATENCY] {
        let _ = fs::remove_file(dir.join(name));
    }
    let _ = fs::remove_dir_all(dir.join(INPUTS));
    let _ = fs::remove_dir(dir);
    true
}
