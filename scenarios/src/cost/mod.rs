//! What a plan asks of AWS, before it runs and after: from counts to the usage that is billed.
//!
//! [`Counts`] are what happens, planned or recorded. Connection minutes, messages and REST requests follow from them alone; what
//! the backend does for them ([`Work`]) is what the protocol says of it, and the rest are [assumptions].

pub mod assumptions;
mod counts;
mod usage;
mod work;

pub use counts::{Achieved, Counts};
pub use usage::{bill, usage};
pub use work::Work;
pub(crate) use work::id_bytes;
