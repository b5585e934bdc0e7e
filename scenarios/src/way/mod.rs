//! The way to the target: what handshakes carry beside credentials, through which proxy they go, whose certificates are
//! trusted, and what keeps an idle socket open.

mod check;
pub mod idle;
pub mod keys;
pub mod planned;

pub(crate) use check::is_word;
