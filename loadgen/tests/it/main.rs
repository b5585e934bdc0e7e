//! End-to-end tests through the real binary: one program, so that it is linked once.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod auth;
mod capacity;
mod clockwork;
mod common;
mod doctor;
mod live;
mod lives;
mod models;
mod poll;
mod run;
mod tls;
mod trouble;
mod truth;
mod validity;
mod verdicts;
mod weather;
mod workers;
