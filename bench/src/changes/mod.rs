//! The proof of the change points: series with known changes, series without any, and public ones that people have annotated.
//!
//! ```text
//! noise (made, or recorded of this project's benches) ─▶ planted: a change at a known place, or none ─▶ found by
//!    statistics::changes, and beside it by Hunter as published ─▶ score ─▶ table
//! public series, as the Turing institute's TCPD lays them out ─▶ found ─▶ F1 against every annotator
//! ```

mod annotated;
mod hunter;
mod noise;
mod planted;
mod recorded;
mod score;
mod table;

pub use annotated::{AnnotatedError, Public, Series};
pub use hunter::{Hunter, hunter};
pub use noise::Noise;
pub use planted::{Case, Method, Proof};
pub use recorded::{RecordError, Recorded, record};
pub use score::{Score, f1_of_annotators};
pub use table::markdown;
