//! From scenario to plan: everything that the schema cannot say (one key against another, URLs, files) is checked
//! here, all at once.

pub(crate) mod auth;
pub(crate) mod checked;
pub(crate) mod cloudwatch;
pub(crate) mod context;
mod disruptions;
pub(crate) mod inputs;
mod phases;
mod recording;
mod thresholds;
pub(crate) mod way;
