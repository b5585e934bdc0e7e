//! Churn and disruptions: players that leave and come back, reconnect by a policy, are cut, read slowly, fall silent
//! or send what no client should.
//!
//! [`keys`] is what a scenario says, [`planned`] what the checked plan holds: who is concerned and how long things
//! last are pure functions of seed and player number, so that the same file gives the same disruptions.

mod check;
mod crowd;
pub mod keys;
pub mod planned;
mod sentences;

pub use crowd::Crowd;
