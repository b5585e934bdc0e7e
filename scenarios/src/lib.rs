//! What a run does: scenario files, and the crate that turns a file into a checked plan.
//!
//! ```text
//! TOML text + --set overrides ─▶ document (values with places) ─▶ schema (every mistake, with its line)
//!    ─▶ Scenario (typed) ─▶ Plan (phases on one axis, arrivals as pure functions of an index)
//! ```
//!
//! Nothing here opens a socket (files that a scenario names are read): a mistake is reported before a byte is sent. All mistakes of a file are
//! reported at once ([`Mistakes`]). The JSON Schema ([`schema::json_schema`]) is generated from the very types
//! that are deserialised, so that editors and this crate agree.

pub mod arrivals;
pub mod auth;
mod chart;
mod check;
pub mod curve;
mod document;
pub mod draw;
mod duration;
pub mod explain;
pub mod forecast;
pub mod ledger;
mod load;
pub mod mistakes;
pub mod plan;
mod prices;
mod recording;
pub mod rules;
pub mod scenario;
pub mod schema;
mod secrets;
pub mod shard;
pub mod threshold;
pub mod weather;

use std::path::Path;

pub use document::Override;
pub use duration::Span;
pub use mistakes::{Mistake, Mistakes};
pub use plan::Plan;
pub use scenario::Scenario;

/// A scenario that has passed every check, with the text of what will run.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The scenario as written, defaults filled in.
    pub scenario: Scenario,
    /// The plan that it stands for.
    pub plan: Plan,
    /// TOML of what runs: the file's own text, or, with overrides, the document after them.
    pub as_run: String,
}

/// Reads a scenario file, applies the overrides and checks everything.
///
/// # Errors
/// All mistakes of the file and of the overrides at once, each with file, line, key and remedy.
pub fn load(path: &Path, overrides: &[Override]) -> Result<Checked, Mistakes> {
    check(&path.display().to_string(), &read(path)?, overrides)
}

/// Reads a scenario file's text, for [`check`].
///
/// # Errors
/// The file cannot be read.
pub fn read(path: &Path) -> Result<String, Mistakes> {
    std::fs::read_to_string(path).map_err(|error| Mistakes::unreadable(path, &error))
}

/// Checks a scenario's text; `file` names it in messages.
///
/// # Errors
/// All mistakes at once.
pub fn check(file: &str, text: &str, overrides: &[Override]) -> Result<Checked, Mistakes> {
    let mut document = document::Document::parse(file, text, overrides)?;
    let secrets = secrets::remove(&mut document);
    let read = schema::deserialize(&document);
    if !secrets.is_empty() {
        let others = read.err().into_iter().flat_map(|Mistakes(all)| all);
        let others = others.filter(|other| secrets.iter().all(|secret| secret.key != other.key));
        return Err(Mistakes(others.collect::<Vec<_>>().into_iter().chain(secrets.clone()).collect()));
    }
    let scenario: Scenario = read?;
    let plan = Plan::new(&scenario, &document)?;
    Ok(Checked { scenario, plan, as_run: document.as_run() })
}
