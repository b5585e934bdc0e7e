//! The HTML report: one self-contained file that opens offline, from a mail or an artifact store.
//!
//! Everything is rendered here: charts are inline SVG that the style sheet colours, each with its data in a table,
//! so that the report reads without JavaScript; the script only adds a linked crosshair, sorting, copying and the
//! theme switch. A strict content policy forbids every network request. All names are escaped by the templates.

mod banner;
mod capacity;
mod charts;
mod page;
mod sections;
mod table;

use std::path::{Path, PathBuf};

use crate::capacity::Capacity;
use crate::folder::{self, FolderError, REPORT, RunFolder};

/// The report could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The chart library refused.
    #[error("cannot draw the chart {chart:?}: {reason}; please report this with the run folder")]
    Chart {
        /// The chart's title.
        chart: String,
        /// What the library said.
        reason: String,
    },
}

/// The report could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The run folder could not be read, or the report not be written into it.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The report could not be rendered.
    #[error(transparent)]
    Render(#[from] RenderError),
}

/// Renders the report as one HTML document.
///
/// # Errors
/// [`RenderError`] when a chart cannot be drawn.
pub fn render(folder: &RunFolder) -> Result<String, RenderError> {
    page::page(folder).map(maud::PreEscaped::into_string)
}

/// Renders the page of a capacity search as one HTML document.
///
/// # Errors
/// [`RenderError`] when a chart cannot be drawn.
pub(crate) fn capacity(capacity: &Capacity) -> Result<String, RenderError> {
    capacity::page(capacity).map(maud::PreEscaped::into_string)
}

/// Reads the run folder `dir`, renders its report and replaces `report.html` in it; gives the path of that file.
///
/// # Errors
/// [`ReportError`]; an earlier report is then untouched.
pub fn write_report(dir: &Path) -> Result<PathBuf, ReportError> {
    let html = render(&RunFolder::read(dir)?)?;
    folder::save(dir, REPORT, html.as_bytes())?;
    Ok(dir.join(REPORT))
}
