//! The history: one SQLite file with what runs, searches for capacity and benches measured, each with its commit and machine.
//!
//! ```text
//! run folder, capacity folder, target/criterion ─▶ sources: entries with their measures ─▶ database: each once
//! database ─▶ trends: series side by side, change points (statistics::changes) ─▶ reports::history: page, text, JSON
//!          └▶ export: JSON lines, CSV
//! ```
//!
//! What lies in a database is not trusted: every name is made printable when it is read.

mod database;
mod entry;
mod error;
mod export;
mod host;
mod measures;
mod sources;
mod trends;

pub use database::{Added, Database, SCHEMA_VERSION};
pub use entry::{Entry, Measure, Validity};
pub use error::HistoryError;
pub use export::{csv, json_lines};
pub use host::class;
pub use sources::{Checkout, Provenance, read};
pub use trends::{Selection, trends};
