//! Files that people write: text in whatever encoding an editor left, TOML values with their places, and the check
//! against a JSON Schema that tells every mistake at once, each with its line and what to write instead.
//!
//! ```text
//! bytes ─▶ text ─▶ Document (values with places) ─▶ form::check (every mistake, and a value to go on with)
//! ```
//!
//! Scenarios, protocols and the backend's profiles are such files; none knows the others, and all speak of mistakes alike
//! and write quantities alike ([`units`], [`duration`]).

mod document;
pub mod duration;
mod findings;
pub mod form;
mod mistakes;
pub mod text;
pub mod units;

pub use document::{Document, child, parse_value};
pub use findings::Findings;
pub use mistakes::{Mistake, Mistakes};
