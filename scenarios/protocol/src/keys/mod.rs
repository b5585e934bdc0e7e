//! The keys of a protocol file: the types that are deserialised, and the JSON Schema that is generated from them.

pub mod operation;
pub mod protocol;
pub mod rule;
pub mod schema;
pub mod socket;
pub mod stamp;
