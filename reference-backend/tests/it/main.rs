//! Handlers and stores over test doubles, and over the tables of the local stack.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod foreign;
mod handlers;
mod store;
mod trace;

use reference_backend::function::Deployment;
use reference_backend::handlers::AuthMode;
use reference_backend_local::metrics::Metrics;
use reference_backend_local::tables::{EmbeddedTables, TablesProfile};

/// Test doubles around the local stack's tables.
type World = reference_backend_testing::World<EmbeddedTables>;

fn world(auth: AuthMode) -> World {
    World::new(auth, |clock| {
        EmbeddedTables::new(&TablesProfile::default(), &Deployment::default(), &Metrics::default(), clock)
    })
}
