//! A scenario's text: where it comes from, what `--set` and the environment change in it, and what of it may be kept.

pub(crate) mod beside;
pub mod command_line;
pub(crate) mod overrides;
pub(crate) mod read;
pub(crate) mod secrets;
pub(crate) mod sheet;
pub mod shipped;
pub mod source;
pub(crate) mod table;
pub(crate) mod variables;
