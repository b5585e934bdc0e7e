//! The names of the files in a run folder, and in that of a capacity search.

/// What ran, where, with which versions: [`Manifest`](crate::format::Manifest).
pub const MANIFEST: &str = "manifest.json";
/// The scenario as run.
pub const SCENARIO: &str = "scenario.toml";
/// Files that the scenario names, beside it.
pub const INPUTS: &str = "inputs";
/// The run in one object: [`Summary`](crate::format::Summary).
pub const SUMMARY: &str = "summary.json";
/// One [`SeriesLine`](crate::format::SeriesLine) a second.
pub const SERIES: &str = "series.jsonl";
/// The first [`ErrorSample`](crate::format::ErrorSample)s of each class.
pub const ERRORS: &str = "errors.jsonl";
/// `HdrHistogram` interval log, tagged by [`Tag`](super::Tag).
pub const LATENCY: &str = "latency.hlog";
/// Server-side series as fetched: [`CloudWatch`](crate::format::CloudWatch).
pub const CLOUDWATCH: &str = "cloudwatch.json";
/// The self-contained HTML report.
pub const REPORT: &str = "report.html";
/// What a search for the highest load found: [`Capacity`](crate::format::capacity::Capacity).
pub const CAPACITY: &str = "capacity.json";
/// The self-contained page of it.
pub const CAPACITY_PAGE: &str = "capacity.html";
/// What an experiment found: [`Experiment`](crate::format::experiment::Experiment).
pub const EXPERIMENT: &str = "experiment.json";
/// The self-contained page of it.
pub const EXPERIMENT_PAGE: &str = "experiment.html";
