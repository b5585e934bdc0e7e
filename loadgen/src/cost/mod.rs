//! What a run cost on AWS, or would have cost there: from what the generator counted, from CloudWatch where its series are there,
//! and else estimated from what the protocol says of its backend.
//!
//! ```text
//! tallies ─▶ scenarios::cost (counts ─▶ usage ─▶ bill) ─▶ CloudWatch's quantities in the place of estimates ─▶ summary.cost
//! summary.cost ─▶ the same, when `correlate` has fetched CloudWatch
//! ```

mod convert;
mod of_run;
mod server;

pub(crate) use of_run::{Recorded, of_run};
pub(crate) use server::with_cloudwatch;
