//! CloudWatch: fetches what the backend did during the run's window and in the minutes after it, on the run's axis.
//!
//! CloudWatch stamps a datapoint with the start of its period and a Lambda metric with the invocation's start,
//! so the window is widened to whole periods; with periods of a second it ends at the last whole one. On AWS the data
//! lags by minutes: `loadgen correlate --wait` reads until nothing more comes. What has no point stays a series without points:
//! no data is not zero. Every gap is reported: a coarser period than asked for, missing points, an unknown function.

mod client;
pub(crate) mod cost;
mod discover;
mod fetch;
mod gaps;
mod metrics;
mod read;
mod retention;
mod retries;
mod settle;
mod window;

pub(crate) use client::{client, explained};
pub use fetch::{Asked, fetch};
pub(crate) use gaps::was_answered;
pub use settle::{Patience, settle};
pub use window::Window;
