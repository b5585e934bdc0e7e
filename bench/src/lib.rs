//! Criterion benches of the hot paths, in `benches/`: `backend` is what every message costs the backend,
//! `generator` what every sample costs the generator. `cargo bench` measures them all.
//!
//! [`changes`] and [`planted`] are no benches: the one holds change points against series with known changes, the other attribution against faults that it planted itself.

pub mod changes;
pub mod planted;
