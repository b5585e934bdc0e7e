//! What a run does: scenario files, and the crate that turns a file into a checked plan.
//!
//! ```text
//! TOML text + --set overrides + ${VAR} ─▶ Document (values with places) ─▶ form (every mistake, with its line)
//!    ─▶ Scenario (typed) ─▶ Plan (phases on one axis, arrivals as pure functions of an index)
//! ```
//!
//! Nothing here opens a socket (files that a scenario names are read): a mistake is reported before a byte is sent. All
//! mistakes are reported at once ([`Mistakes`]): a wrong value is replaced by a sound one, so that what it would mean
//! beside the others is checked in the same pass. The JSON Schema ([`schema::json_schema`]) is generated from the very
//! types that are deserialised, so that editors and this crate agree.
//!
//! The rooms, from the bottom up: `redact` (what may be a secret), `keys` (the file's types and their schema), `file`
//! (where the text comes from, and what is kept of it), [`plan`] (what will run), `check` (from keys to plan, a file for
//! each table), [`cost`] (what a plan asks of AWS), [`explain`] (a plan for people).

mod check;
pub mod cost;
pub mod explain;
mod file;
mod keys;
pub mod plan;
pub mod redact;

pub use check::checked::{Checked, check, check_with, load};
pub use check::cloudwatch::cloudwatch;
pub use check::context::ProfileCheck;
pub use check::inputs::{Content, Input};
pub use documents::form::nearest;
pub use documents::{Mistake, Mistakes};
pub use file::overrides::Override;
pub use file::source::{Source, decode};
pub use file::{command_line, shipped, source};
pub use keys::duration::Span;
pub use keys::scenario::Scenario;
pub use keys::{draw, scenario, schema, times, units};
pub use plan::Plan;
