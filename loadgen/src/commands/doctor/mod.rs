//! `loadgen doctor`: pre-run checks. What this machine can hold, whether the target can be reached, and what to change.
//!
//! ```text
//! probe (machine, credentials, target) ─▶ facts ─▶ checks (pure) ─▶ findings ─▶ report: one line each, or JSON
//! ```
//!
//! Requests go only to the named target and to what the scenario names beside it: its identity provider, its command, the
//! AWS credential chain, CloudWatch. No account, key or token is printed.

mod checks;
mod examine;
pub mod facts;
mod finding;
mod probe;
mod report;

pub use examine::examine;
pub use finding::{Finding, Status};
pub use report::Report;
