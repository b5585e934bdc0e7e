//! How a backend talks: what players send, and what each received message means.
//!
//! A protocol is data, a TOML file ([`keys`]), or Rust code: both stand behind the trait [`Protocol`]. The generator
//! knows no message by itself; what it measures (pacing, deliveries, validity) is the same whatever the protocol.
//!
//! ```text
//! file ─▶ keys ─▶ check (every mistake, with its line) ─▶ FileProtocol: templates out, rules in
//! ```

mod check;
mod class;
pub mod explain;
mod file;
pub mod frames;
pub mod keys;
pub mod marker;
pub mod matching;
pub mod outline;
mod places;
pub mod protocol;
mod reading;
pub mod shape;
pub mod shipped;
mod source;
pub mod template;
mod values;

pub use check::check;
pub use file::FileProtocol;
pub use outline::Outline;
pub use protocol::{Meaning, Protocol, Values};
pub use source::{Source, all, load_named, named_or_path, register};
