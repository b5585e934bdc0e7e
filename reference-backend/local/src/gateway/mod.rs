//! API Gateway's WebSocket front door.
//!
//! A connection is a request that the authorizer and `$connect` let through, then a socket whose messages each run a
//! Lambda, then a `$disconnect`. [`Connections`] is the other way in: pushes to a socket by its id.
//!
//! It has two halves. The [`door`] has the sockets, and decides nothing; the [`Gateway`] decides, and has none. They
//! share a process, or each [front door](front) is a process of its own with a descriptor limit of its own.

mod admission;
mod authorizer;
mod connections;
mod door;
mod edge;
pub(crate) mod endpoint;
mod event;
mod faults;
pub mod front;
mod guard;
mod handler;
mod handshake;
pub mod iam;
mod id;
mod integration;
mod limits;
mod mailbox;
mod meters;
mod profile;
mod rest;
pub mod route;
mod server;
mod session;

pub use authorizer::{Authorizer, Denial, IdentitySource};
pub use connections::{ConnectionIdentity, ConnectionInfo, Connections};
pub use event::Api;
pub use faults::FaultCounts;
pub use guard::Guard;
pub use id::Id;
pub(crate) use profile::limit;
pub use profile::{GatewayProfile, GatewayProfileError};
pub use rest::RestMethod;
pub use server::Gateway;
