//! Writing a run folder while the run goes on, and reading it back.
//!
//! Documents (`manifest.json`, `summary.json`, `cloudwatch.json`) are replaced atomically: a reader sees the old
//! one or the new one, never half of one. Line files (`series.jsonl`, `errors.jsonl`, `latency.hlog`) grow by whole
//! lines that reach the operating system at once, so that a killed run keeps all but its last second.
//!
//! Line files are as long as the run: they are read line by line, in one pass that checks every line and keeps a
//! [`Digest`](crate::digest::Digest). What wants single seconds or intervals afterwards reads them again
//! ([`RunFolder::seconds`], [`RunFolder::intervals`]).

mod atomic;
mod error;
mod hlog;
mod inputs;
mod lines;
mod names;
mod payload;
mod reader;
mod rebuild;
mod series;
mod streams;
mod tag;
mod writer;

pub use atomic::{save_as, save_cloudwatch, save_manifest, save_summary};
pub use error::FolderError;
pub use hlog::Interval;
pub use inputs::{discard_unused, save_input};
pub use names::*;
pub use reader::{RunFolder, read_capacity, read_manifest};
pub use series::Series;
pub use tag::Tag;
pub use writer::{RunWriter, is_free, make};

pub(crate) use atomic::{save, save_json};
