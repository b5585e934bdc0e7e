//! How players prove who they are: the keys of `[auth]`, their check, and what the checked plan says.
//!
//! Everything that can be told before a byte is sent is told here: a key that does not fit its algorithm, a feeder's
//! line without a token, a command that does not exist. A plan holds no player's token, only where tokens come from;
//! the one secret in it, a signing key, has a `Debug` that hides it.

mod check;
pub mod expiry;
pub mod feeder;
pub mod keys;
pub mod mint;
pub mod planned;
