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

/// A checkout of git's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// Its commit.
    pub commit: String,
    /// Its branch; none where a commit is checked out without one.
    pub branch: Option<String>,
}

/// What a folder may not tell of itself.
#[derive(Debug, Clone, Default)]
pub struct Provenance {
    /// The commit; it has precedence over the folder's.
    pub commit: Option<String>,
    /// The branch; it has precedence over the working directory's.
    pub branch: Option<String>,
    /// The working directory, where it is a checkout. Benches were built from it, as far as is known; a run has a commit of its own.
    pub working: Option<Checkout>,
    /// This machine, on which benches have run.
    pub host: Host,
}

impl Provenance {
    /// The commit of a run whose folder tells `own`.
    fn commit_of_run(&self, own: Option<&String>) -> Option<String> {
        self.commit.as_ref().or(own).cloned()
    }

    /// The commit of benches.
    fn commit_of_bench(&self) -> Option<String> {
        self.commit.clone().or_else(|| self.working.as_ref().map(|working| working.commit.clone()))
    }

    /// The branch of what was measured at `commit`: the working directory's only where it has that commit.
    fn branch_of(&self, commit: Option<&String>) -> Option<String> {
        let working = self.working.as_ref().filter(|working| Some(&working.commit) == commit);
        self.branch.clone().or_else(|| working.and_then(|working| working.branch.clone()))
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
