//! The proof of comparison: pairs of runs that do not differ, and pairs that do by what was planted.
//!
//! ```text
//! noise, shift, seed ─▶ simulate: two runs, second by second ─▶ comparison::judge ─▶ flagged, found, undecided ─▶ table
//! real: `loadgen run` of one plan again and again ─▶ comparison::compare of neighbours ─▶ the same
//! ```

pub mod real;
mod score;
pub mod simulate;
mod table;

pub use score::{Proof, Row};
pub use table::markdown;
