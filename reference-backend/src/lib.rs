//! The system under test: a game backend on serverless WebSockets.
//!
//! One code, several homes. [`handlers`] hold what each Lambda does, as plain async functions over the
//! [`ports`] and the [`store`] that stands on them; they know neither an SDK nor the local stack. What every home needs is
//! this crate; each home is a crate of its own beside it:
//!
//! - `reference-backend/local`: the stack that runs them on one machine, a WebSocket front door, Lambda pools, tables
//!   with streams, a placement queue, SNS and a CloudWatch endpoint, each an emulation whose differences from AWS are
//!   documented in `docs/local-stack.md`;
//! - `reference-backend/serve`: the program that starts that stack;
//! - `reference-backend/aws`: the ports over the real services;
//! - `reference-backend/lambda`: the executable that SAM ships, made of the latter.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may fail where it stands"))]

pub mod function;
pub mod handlers;
pub mod json;
mod lenient;
pub mod ports;
pub mod steam;
pub mod store;
pub mod token;
pub mod trace;
pub mod variables;
pub mod wire;
