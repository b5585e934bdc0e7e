//! From scenario to plan: everything that the schema cannot say (one key against another, URLs, files) is checked
//! here, all at once.

mod asked;
mod auth;
pub(crate) mod checked;
pub(crate) mod cloudwatch;
pub(crate) mod context;
mod disruptions;
mod feeders;
pub(crate) mod inputs;
mod journeys;
mod messages;
mod nothing;
mod operations;
mod pace;
mod phases;
mod plan;
mod prices;
mod protocol;
mod recording;
mod rooms;
mod target;
mod thresholds;
mod topology;
mod way;
