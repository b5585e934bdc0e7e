//! Collects the facts: each module measures or asks, and judges nothing.

pub(super) mod access;
pub(super) mod machine;
pub(super) mod target;
