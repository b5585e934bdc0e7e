//! Arguments of `report`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Arguments of `report`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    loadgen report runs/quickstart-20261122T090000Z-1a2b3c\n  \
    loadgen report runs/quickstart-20261122T090000Z-1a2b3c --format markdown >> \"$GITHUB_STEP_SUMMARY\"\n  \
    loadgen report runs/quickstart-20261122T090000Z-1a2b3c --format junit --out junit.xml\n  \
    loadgen report --exit-code runs/quickstart-20261122T090000Z-1a2b3c && echo fine")]
pub struct ReportArgs {
    /// The run folder.
    pub run: PathBuf,
    /// What to make of the run: `html` is written into the run folder as report.html, everything else to standard output.
    #[arg(short, long, value_enum, default_value_t)]
    pub format: Format,
    /// Write to FILE instead; what was there is replaced.
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Exit with the code that the run had, instead of 0.
    #[arg(long)]
    pub exit_code: bool,
    /// Print one JSON object instead of the summary.
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
}

/// What `report` makes of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The self-contained page.
    #[default]
    Html,
    /// The verdict and what is worst, for a job's summary or a note on a merge request.
    Markdown,
    /// The content of summary.json.
    Json,
    /// Each threshold as a test case, in JUnit's XML.
    Junit,
    /// Operations and deliveries, a row for each of their times.
    Csv,
    /// The figures as OpenMetrics text.
    Openmetrics,
}
