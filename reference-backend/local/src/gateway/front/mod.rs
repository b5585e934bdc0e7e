//! Front doors: processes that hold the sockets, so that there can be more of them than one process may open.
//!
//! Each front door is a child that takes connections on the same port (SO_REUSEPORT: the kernel spreads clients over
//! them by their address) and runs the [`door`](super::door) half of the gateway. Everything that decides stays in the
//! process of the stack: authorizer, `$connect` and `$disconnect`, routes, throttles, faults, metrics, `@connections`.
//! The two talk over one stream socket each ([`link`]), by which all of a door's connections are reached; the stack
//! itself has no descriptor per connection.
//!
//! The cut is at the socket because that is where nothing is lost by it: what crosses is a request head and its answer,
//! a message, a frame, how much a socket has taken, how it ended. There is still one registry, one bucket per throttle,
//! one tally of faults, and a push still learns at once whether it is accepted (200, 410, 413, 429), because what
//! waits for a slow client is reckoned on the side of the stack.
//!
//! A door gets its listener as standard input and the stream as standard output. It ends when the stream does, which
//! happens however the stack dies. A door that dies is logged and replaced; its connections are lost and have their
//! `$disconnect`, new ones wait in the listener, which the stack keeps, and the other doors go on.

mod away;
mod config;
mod doors;
mod link;
mod socket;

pub use away::{FrontDoorError, open};
pub use config::{COMMAND, FrontDoorsConfig};
pub(crate) use doors::{FrontDoors, NoFrontDoor};
pub(super) use socket::RemoteSocket;
