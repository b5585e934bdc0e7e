//! What is added: run folders, folders of capacity searches, and what criterion leaves in `target/criterion`.

mod capacity;
mod criterion;
mod digest;
mod run;

use std::path::Path;

use reports::folder::{CAPACITY, MANIFEST};
use reports::format::Host;

use crate::entry::Entry;
use crate::error::HistoryError;

/// What a folder may not tell of itself.
#[derive(Debug, Clone, Default)]
pub struct Provenance {
    /// The commit; it has precedence over the folder's.
    pub commit: Option<String>,
    /// The commit of the working directory, for folders that know none.
    pub working_commit: Option<String>,
    /// The branch.
    pub branch: Option<String>,
    /// This machine, on which benches have run.
    pub host: Host,
}

impl Provenance {
    fn commit_of(&self, own: Option<&String>) -> Option<String> {
        self.commit.as_ref().or(own).or(self.working_commit.as_ref()).cloned()
    }
}

/// Reads the entries of a folder: one of a run or search, one for each bench of criterion's.
///
/// # Errors
/// [`HistoryError::NotASource`] where it is none of these; else what cannot be read in it.
pub fn read(folder: &Path, provenance: &Provenance) -> Result<Vec<Entry>, HistoryError> {
    if folder.join(MANIFEST).exists() {
        return run::read(folder, provenance).map(|entry| vec![entry]);
    }
    if folder.join(CAPACITY).exists() {
        return capacity::read(folder, provenance).map(|entry| vec![entry]);
    }
    let benches = criterion::read(folder, provenance)?;
    if benches.is_empty() { Err(HistoryError::NotASource { path: folder.into() }) } else { Ok(benches) }
}
