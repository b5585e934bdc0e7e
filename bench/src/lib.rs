//! Criterion benches of the hot paths, in `benches/`: `backend` is what every message costs the backend,
//! `generator` what every sample costs the generator. `cargo bench` measures them all.
//!
//! [`pages`] says what a report costs by the length of its run.
//! [`planted`] is no bench: it holds attribution against faults that it planted itself. Nor is [`experiments`], which compares ways of
//! building such a backend, nor [`compared`]: it holds comparison against runs of which it is known whether they differ; nor [`changes`]: it
//! holds change points against series of which it is known where they change.

pub mod changes;
pub mod compared;
pub mod docs;
pub mod experiments;
pub mod pages;
pub mod planted;
pub mod program;
