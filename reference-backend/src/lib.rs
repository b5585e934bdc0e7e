//! The system under test: a game backend on serverless WebSockets.
//!
//! One code, several homes. [`handlers`] hold what each Lambda does, as plain async functions over the
//! [`ports`] and the [`store`] that stands on them; they know neither an SDK nor the local stack. [`local`] is the
//! stack that runs them on one machine: a WebSocket front door, Lambda pools, tables with streams, a placement
//! queue, SNS and a CloudWatch endpoint, each an emulation whose differences from AWS are documented in
//! `docs/local-stack.md`. `aws` (a feature of the same name) puts the ports on the real services; the Lambda binary
//! that SAM ships, `reference-backend/lambda`, is made of it.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may fail where it stands"))]

#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "local")]
pub mod cli;
pub mod function;
pub mod handlers;
mod json;
mod lenient;
#[cfg(feature = "local")]
pub mod local;
#[cfg(feature = "sdk-http")]
pub mod loopback;
pub mod ports;
#[cfg(feature = "sdk-http")]
pub mod sdk_http;
pub mod steam;
pub mod store;
pub mod token;
pub mod variables;
pub mod wire;

#[cfg(all(test, feature = "local"))]
mod testing;
