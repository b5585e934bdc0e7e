//! Criterion benches of the hot paths, in `benches/`: `backend` is what every message costs the backend,
//! `generator` what every sample costs the generator. `cargo bench` measures them all.
