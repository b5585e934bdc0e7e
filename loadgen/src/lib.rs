//! The generator: opens authenticated sockets, keeps a plan, and measures what players wait for.
//!
//! ```text
//! plan ─▶ pacer (own thread, own clock) ─▶ player (task with a socket) ─▶ send, intended and actual instant kept
//!      ─▶ answers and pushes ─▶ recorder (a shard per thread) ─▶ collector (merges once a second) ─▶ run folder
//! ```
//!
//! Several processes may do this, each its part ([`workers`]); the run then merges their seconds.
//!
//! [`run`] ties the parts together; each module below does one of them. Times inside a run are microseconds
//! since its start ([`clock::Clock`]).

mod attributed;
pub mod auth;
mod aws;
pub mod checked;
mod child;
pub mod cli;
pub mod clock;
pub mod cloudwatch;
pub mod commands;
mod cost;
pub mod delivery;
pub mod early;
pub mod embedded;
pub mod generate;
pub mod git;
pub mod health;
pub mod http_client;
mod inventory;
pub mod live;
mod logs;
pub mod player;
pub mod program;
pub mod record;
pub mod run;
mod run_log;
pub mod schedule;
pub mod tls;
pub mod verdict;
pub mod workers;
