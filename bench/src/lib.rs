//! Criterion benches of the hot paths, in `benches/`: `backend` is what every message costs the backend,
//! `generator` what every sample costs the generator. `cargo bench` measures them all.
//!
//! [`pages`] says what a report costs by the length of its run.
//! [`planted`] is no bench: it holds attribution against faults that it planted itself.

pub mod pages;
pub mod planted;
