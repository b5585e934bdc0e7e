//! Reading received messages by a protocol file's rules: one pass over each, then the meanings in the protocol's order.

pub(crate) mod answer;
pub(crate) mod keep;
pub(crate) mod poll;
pub(crate) mod push;
pub(crate) mod rules;
pub(crate) mod stamps;
pub(crate) mod step;
