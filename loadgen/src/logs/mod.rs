//! Finer than a minute: what Lambda writes of every invocation in CloudWatch Logs, rebuilt per second.
//!
//! CloudWatch's metrics have one point a minute, of concurrency a maximum. The `REPORT` line of an invocation says how long it
//! took, whether its environment had to start, and how much memory it used; with when it was written, that gives
//! concurrency, cold starts and memory of every second. Reading the lines is billed by what is scanned, so nobody does it unasked.

mod insights;
mod rebuild;
mod report;

pub(crate) use insights::{Reading, read};
