//! What the program `reference-backend` adds to the local stack: tables that are persisted in a directory, and those of a DynamoDB.
//!
//! The stack itself, `serve` as a command included, is `reference-backend/local`: the load generator embeds it
//! without the AWS SDKs and the store. The integration tests of all backend crates are here, because this one sees everything.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may fail where it stands"))]

pub mod cli;
pub mod dynamodb;
pub mod persistent;
