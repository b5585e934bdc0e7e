//! Writing a run folder while the run goes on, and reading it back.
//!
//! Documents (`manifest.json`, `summary.json`, `cloudwatch.json`) are replaced atomically: a reader sees the old
//! one or the new one, never half of one. Line files (`series.jsonl`, `errors.jsonl`, `latency.hlog`) grow by whole
//! lines that reach the operating system at once, so that a killed run keeps all but its last second.

mod atomic;
mod error;
mod hlog;
mod inputs;
mod lines;
mod reader;
mod rebuild;
mod tag;
mod writer;

pub use atomic::{save_cloudwatch, save_manifest, save_summary};
pub use error::FolderError;
pub use hlog::Interval;
pub use inputs::{discard_unused, save_input};
pub use reader::{RunFolder, read_manifest};
pub use tag::Tag;
pub use writer::{RunWriter, is_free, make};

pub(crate) use atomic::{save, save_json};

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
/// `HdrHistogram` interval log, tagged by [`Tag`].
pub const LATENCY: &str = "latency.hlog";
/// Server-side series as fetched: [`CloudWatch`](crate::format::CloudWatch).
pub const CLOUDWATCH: &str = "cloudwatch.json";
/// The self-contained HTML report.
pub const REPORT: &str = "report.html";
