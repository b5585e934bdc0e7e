//! What gave way first, written into a run folder.

use reports::folder::{self, FolderError, RunFolder};

/// Attributes the run of a folder and keeps the answer in its summary. A run that was killed has none, and gets none.
///
/// # Errors
/// [`FolderError`] when its summary cannot be written.
pub(crate) fn attribute(folder: &mut RunFolder) -> Result<(), FolderError> {
    if folder.summary.is_none() {
        return Ok(());
    }
    let correlation = attribution::attribute(folder);
    // What looked at single seconds has done so.
    folder.series.forget();
    let Some(summary) = &mut folder.summary else { return Ok(()) };
    summary.correlation = Some(correlation);
    folder::save_summary(&folder.dir, summary)
}
