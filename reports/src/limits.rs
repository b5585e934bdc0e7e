//! What the generator promises: the limits beyond which a run is not valid, and those beyond which it deserves a word.
//!
//! `loadgen` judges by them, and the report shows what was observed against them.

/// A run whose p99 of the dispatch delay lies above this did not send on schedule: 50 ms.
pub const DISPATCH_DELAY_P99_US: u64 = 50_000;
/// A run whose p99 of the event loop's lag lies above this stamped its receipts too late: 50 ms.
pub const LOOP_LAG_P99_US: u64 = 50_000;
/// Threads that wait for a core longer than this share of a second lack cores, in percent.
pub const RUN_DELAY_PERCENT: f64 = 20.0;
/// Cores that the hypervisor gives away beyond this share are missed, in percent.
pub const STEAL_PERCENT: f64 = 10.0;
/// A thread that runs longer than this share of a second is full, in percent.
pub const FULL_THREAD_PERCENT: f64 = 95.0;
/// Steps of the system's clock beyond this shift CloudWatch's series visibly, in milliseconds.
pub const CLOCK_STEP_MS: f64 = 250.0;
/// Unread bytes beyond this are more than a moment's.
pub const QUEUE_BYTES: u64 = 1 << 20;
/// Share of the descriptors that leaves hardly any.
pub const DESCRIPTORS: f64 = 0.95;
