//! What gave way first, written into a run folder.

use std::path::Path;

use reports::folder::{self, FolderError, RunFolder};

/// Attributes the run of a folder and keeps the answer in its summary. A run that was killed has none, and gets none.
///
/// # Errors
/// [`FolderError`] when the folder cannot be read or its summary not be written.
pub(crate) fn attribute(dir: &Path) -> Result<(), FolderError> {
    let folder = RunFolder::read(dir)?;
    let Some(summary) = &folder.summary else { return Ok(()) };
    let mut summary = summary.clone();
    summary.correlation = Some(attribution::attribute(&folder));
    folder::save_summary(dir, &summary)
}
