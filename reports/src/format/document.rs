//! What all JSON documents have in common: the version of the format by which they were written.

use std::ops::RangeInclusive;

/// Version of every JSON document in a run folder, as written.
///
/// Version 2 renamed `weather` to `disruptions` and `lives` to `churn`, in the summary and in the series.
pub const SCHEMA_VERSION: u32 = 2;

/// The oldest version that is still read.
pub const OLDEST_SCHEMA_VERSION: u32 = 1;

/// A JSON document with a `schema_version`.
pub(crate) trait Document {
    /// The versions that can be read. The last one is the one that is written.
    const VERSIONS: RangeInclusive<u32> = OLDEST_SCHEMA_VERSION..=SCHEMA_VERSION;

    /// Its `schema_version`. Once read, a document is one of the last version, whichever it was written by.
    fn version(&mut self) -> &mut u32;
}
