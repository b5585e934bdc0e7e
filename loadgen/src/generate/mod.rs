//! Generating the load in one process: its part of the players and arrivals, from preparation to end.

pub mod collector;
pub mod error;
pub(crate) mod generation;
pub mod goose_users;
pub mod pacer;
pub mod sample;
pub(crate) mod signals;
pub mod stage;
