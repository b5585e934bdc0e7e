//! What the program `reference-backend` adds to the local stack: the tables of a DynamoDB that somebody else runs.
//!
//! The stack itself, `serve` as a command included, is `reference-backend/local`: the load generator runs it in itself
//! and needs no AWS SDK for it. The integration tests of all backend crates are here, because this one sees everything.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may fail where it stands"))]

pub mod cli;
pub mod dynamodb;
