//! Files that people write: text in whatever encoding an editor left, TOML values with their places, and the check
//! against a JSON Schema that tells every mistake at once, each with its line and what to write instead.
//!
//! ```text
//! bytes ─▶ text ─▶ Document (values with places) ─▶ form::check (every mistake, and a value to go on with)
//! ```
//!
//! Scenarios and the backend's profiles are such files; neither room knows the other, and both speak of mistakes alike.

mod document;
pub mod form;
mod mistakes;
pub mod text;

pub use document::{Document, child, parse_value};
pub use mistakes::{Mistake, Mistakes};
