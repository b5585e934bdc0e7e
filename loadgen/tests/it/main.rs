//! End-to-end tests through the real binary: one program, so that it is linked once.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may fail where it stands")]

mod auth;
mod capacity;
mod certificates;
mod churn;
mod client_faults;
mod clockwork;
mod common;
mod compare;
mod connecting;
mod correlate;
mod cost;
mod doctor;
mod formats;
mod habits;
mod history;
mod hops;
mod hostile;
mod journeys;
mod live;
mod mistakes;
mod models;
mod one_clock;
mod outages;
mod poll;
mod protocol_command;
mod protocols;
mod proxies;
mod reader;
mod run;
mod tls;
mod truth;
mod validity;
mod verdicts;
mod workers;
