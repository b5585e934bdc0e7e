//! Where the files lie that a scenario names.

use std::path::{Path, PathBuf};

use documents::Document;

/// A file that a document names: beside it, or at a path from the working directory.
pub(crate) fn beside(document: &Document, file: &str) -> Option<PathBuf> {
    let beside = Path::new(document.file()).parent().map(|folder| folder.join(file));
    beside.into_iter().chain([PathBuf::from(file)]).find(|path| path.is_file())
}
