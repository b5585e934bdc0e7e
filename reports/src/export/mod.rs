//! A run in the formats of other programs: for a pull request, a test report, a spreadsheet, a metrics store.
//!
//! Each is made from the run folder alone, as every report. Names and sentences of a run folder are foreign text: each format
//! writes them so that they stay text ([`markdown`] knows mentions and HTML, [`csv`] formulas, [`junit`] XML).

mod csv;
mod error;
mod junit;
mod markdown;
mod openmetrics;
mod sparkline;

use crate::folder::RunFolder;

pub use error::ExportError;

/// A format for other programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumIter, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Format {
    /// The verdict and what is worst, for a job's summary or a note on a merge request.
    Markdown,
    /// The content of `summary.json`.
    Json,
    /// Each threshold as a test case, in JUnit's XML.
    Junit,
    /// Operations and deliveries, a row for each of their times.
    Csv,
    /// The figures as OpenMetrics text.
    Openmetrics,
}

/// The run in this format, as text with a line end.
///
/// # Errors
/// [`ExportError`] when a library refuses to write it.
pub fn render(folder: &RunFolder, format: Format) -> Result<String, ExportError> {
    let summary = folder.summary_or_rebuilt();
    match format {
        Format::Markdown => Ok(markdown::render(folder, &summary)),
        Format::Json => serde_json::to_string_pretty(summary.as_ref())
            .map(|json| json + "\n")
            .map_err(|error| ExportError::new(format, error)),
        Format::Junit => Ok(junit::render(&summary)),
        Format::Csv => csv::render(&summary).map_err(|error| ExportError::new(format, error)),
        Format::Openmetrics => {
            openmetrics::render(&summary).map_err(|error| ExportError::new(format, error))
        }
    }
}
