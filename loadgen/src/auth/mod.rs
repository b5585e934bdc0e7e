//! Credentials: how each player proves who it is, prepared before its handshake is due.
//!
//! ```text
//! source (issuer, key, file, command) ─▶ vault: a token per player, renewed before it expires, dropped once it is used
//! AWS chain ─▶ signer: a signature per request                             ─▶ what a handshake or REST request presents
//!                                              vault alone                 ─▶ `${token}` of the protocol's templates
//! ```
//!
//! Tokens and signatures are secrets: they are put into the request and never written anywhere, not even when the
//! target sends them back, in the answer to the request ([`Secrets::hide_in`]) or at any time later
//! ([`Credentials::keepable`]), nor where the protocol's own templates have put them.

pub mod aws;
mod command;
mod credentials;
mod error;
mod excerpt;
mod issuer;
mod marks;
mod presented;
mod sigv4;
mod source;
mod vault;

pub use credentials::Credentials;
pub use error::AuthError;
pub(crate) use excerpt::head;
pub use presented::{Presented, Secrets};
