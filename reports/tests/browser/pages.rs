//! The pages that this program makes, of every kind.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::common::{self, Shape};

/// A page in a folder that ends with it.
pub(crate) struct Made {
    _dir: TempDir,
    pub(crate) file: PathBuf,
}

impl Made {
    /// The report of a run.
    pub(crate) fn run(shape: &Shape) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        common::write(dir.path(), shape);
        let file = reports::write_report(dir.path()).expect("renders");
        Self { _dir: dir, file }
    }

    /// The page of a capacity search.
    pub(crate) fn capacity() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        reports::capacity::write(dir.path(), &common::capacity()).expect("renders");
        let file = dir.path().join(reports::capacity::PAGE);
        Self { _dir: dir, file }
    }

    /// The page of a comparison of two runs.
    pub(crate) fn comparison() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = dir.path().join("comparison.html");
        let page = reports::html::render_comparison(&common::comparison()).expect("renders");
        std::fs::write(&file, page).expect("writable");
        Self { _dir: dir, file }
    }
}
