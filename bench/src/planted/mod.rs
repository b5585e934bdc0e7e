//! The proof of attribution: runs of the real program with a planted fault, or without any, and what attribution says of each.
//!
//! ```text
//! case, seed ─▶ cases: a draw (scenario, profile, fault, what may be named)
//!    ─▶ runs: `loadgen run` with the fault and without it, four at once
//!    ─▶ truth: did users feel it?
//!    ─▶ views: the run folder as it is, and with what CloudWatch may lack
//!    ─▶ attribution::attribute, and beside it the trivial baseline
//!    ─▶ score: right, wrong, abstained; Wilson's bounds ─▶ table
//!    ─▶ counterfactual: of a sample, with the accused limit raised, and with another one
//! ```

mod baseline;
pub mod cases;
mod counterfactual;
mod dice;
mod draw;
mod proof;
mod runs;
mod score;
mod settings;
mod table;
mod truth;
mod views;

pub use counterfactual::{Changed, Counterfactual};
pub use draw::{Accepted, Draw, Expected};
pub use proof::{Options, Proof, Proven};
pub use score::{Answer, Tally};
pub use settings::Settings;
pub use table::markdown;
pub use views::View;
