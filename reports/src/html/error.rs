//! Why a page could not be made.

use crate::folder::FolderError;

/// The report could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The chart library refused.
    #[error("cannot draw the chart {chart:?}: {reason}; please report this with the run folder")]
    Chart {
        /// The chart's title.
        chart: String,
        /// The library's message.
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
