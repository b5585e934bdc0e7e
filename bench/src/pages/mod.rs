//! What a report costs: run folders of any length, made without running anything, and the page that is made of them.
//!
//! `cargo run --locked --release -p bench --bin pages` measures; docs/reports.md has its table.

mod made;
mod measured;

pub use made::{Size, make};
pub use measured::{Cost, measure, row};
