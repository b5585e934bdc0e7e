//! The keys of a scenario file: the types that are deserialised, the values in them as people write them, and the JSON
//! Schema that is generated from both.

pub(crate) mod auth;
pub(crate) mod disruptions;
pub mod draw;
pub(crate) mod feeders;
pub(crate) mod journeys;
pub(crate) mod operations;
pub(crate) mod rooms;
pub mod scenario;
pub mod schema;
pub(crate) mod thresholds;
pub mod times;
pub(crate) mod way;

pub(crate) use documents::duration;
pub use documents::units;
