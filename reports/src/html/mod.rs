//! The HTML report: one self-contained file that opens offline, from a mail or an artifact store.
//!
//! Everything is rendered here: charts are inline SVG that the style sheet colours, each with its data in a table,
//! so that the report reads without JavaScript; the script only adds a linked crosshair, sorting, copying and the
//! theme switch. A strict content policy forbids every network request. All names are escaped by the templates.

mod banner;
mod bound;
mod capacity;
mod charts;
mod comparison;
mod error;
mod experiment;
mod history;
mod page;
mod sections;
mod style;
mod table;

use std::path::{Path, PathBuf};

use crate::folder::{
    self, CAPACITY, CAPACITY_PAGE, EXPERIMENT, EXPERIMENT_PAGE, FolderError, REPORT, RunFolder,
};
use crate::format::capacity::Capacity;
use crate::format::comparison::Comparison;
use crate::format::experiment::Experiment;
use crate::format::history::History;

pub use error::{RenderError, ReportError};
pub use experiment::Spread;

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
pub fn render_capacity(capacity: &Capacity) -> Result<String, RenderError> {
    capacity::page(capacity).map(maud::PreEscaped::into_string)
}

/// Renders the page of a comparison as one HTML document.
///
/// # Errors
/// [`RenderError`] when a chart cannot be drawn.
pub fn render_comparison(of: &Comparison) -> Result<String, RenderError> {
    comparison::page(of).map(maud::PreEscaped::into_string)
}

/// Renders the page of a history as one HTML document.
///
/// # Errors
/// [`RenderError`] when a chart cannot be drawn.
pub fn render_history(history: &History) -> Result<String, RenderError> {
    history::page(history).map(maud::PreEscaped::into_string)
}

/// Reads the run folder `dir`, renders its report and replaces `report.html` in it; gives the path of that file.
///
/// # Errors
/// [`ReportError`]; an earlier report is then untouched.
pub fn write_report(dir: &Path) -> Result<PathBuf, ReportError> {
    save_report(&RunFolder::read(dir)?)
}

/// Renders the report of a run folder that has been read, and replaces `report.html` in it; gives the path of that file.
///
/// # Errors
/// [`ReportError`]; an earlier report is then untouched.
pub fn save_report(folder: &RunFolder) -> Result<PathBuf, ReportError> {
    folder::save(&folder.dir, REPORT, render(folder)?.as_bytes())?;
    Ok(folder.dir.join(REPORT))
}

/// Writes the report of a run folder that has been read to a file of the user's, which may be a pipe.
///
/// # Errors
/// [`ReportError`]; nothing is written when the page cannot be drawn.
pub fn save_report_to(folder: &RunFolder, file: &Path) -> Result<(), ReportError> {
    std::fs::write(file, render(folder)?).map_err(FolderError::io("write", file))?;
    Ok(())
}

/// Writes `capacity.json` and `capacity.html` into `dir`, replacing what was there.
///
/// # Errors
/// [`ReportError`] when a file cannot be written or the page not be drawn.
pub fn write_capacity(dir: &Path, capacity: &Capacity) -> Result<(), ReportError> {
    folder::save_json(dir, CAPACITY, capacity)?;
    folder::save(dir, CAPACITY_PAGE, render_capacity(capacity)?.as_bytes())?;
    Ok(())
}

/// Writes `experiment.json` and `experiment.html` into `dir`, replacing what was there. `spreads` are the distributions of what `of` says.
///
/// # Errors
/// [`ReportError`] when a file cannot be written or the page not be drawn.
pub fn write_experiment(
    dir: &Path,
    experiment: &Experiment,
    of: &str,
    spreads: &[Spread<'_>],
) -> Result<(), ReportError> {
    folder::save_json(dir, EXPERIMENT, experiment)?;
    let page = experiment::page(experiment, of, spreads)?;
    folder::save(dir, EXPERIMENT_PAGE, page.into_string().as_bytes())?;
    Ok(())
}
