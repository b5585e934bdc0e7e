//! How front doors are started.

use std::num::NonZeroUsize;
use std::path::PathBuf;

/// The hidden command under which a program is a front door. Whoever has `serve` has this one, too.
pub const COMMAND: &str = "front-door";

/// How many, and what runs them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrontDoorsConfig {
    /// How many processes hold sockets.
    pub count: NonZeroUsize,
    /// The program with the subcommand [`COMMAND`].
    pub program: PathBuf,
}
