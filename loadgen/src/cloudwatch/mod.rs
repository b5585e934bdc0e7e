//! CloudWatch: fetches what the Lambda functions did during the run's window and puts it on the run's axis.
//!
//! CloudWatch stamps a datapoint with the start of its period and a Lambda metric with the invocation's start,
//! so the window is widened to whole periods. With periods of a second it ends at the last whole one instead: nothing
//! happens in the run's last second, and the players' leaving right after it is not part of the run. On AWS the data
//! lags by minutes: `loadgen correlate` fetches again later. Every gap is reported: a coarser period than asked for, missing
//! points, an unknown function.

mod client;
mod fetch;
mod gaps;
mod metrics;
mod retention;
mod retries;
mod window;

pub(crate) use client::{client, explained};
pub use fetch::fetch;
pub(crate) use gaps::was_answered;
pub use window::Window;
