//! What every JSON document has in common: it says by which version of the format it was written.

use std::ops::RangeInclusive;

use super::{OLDEST_SCHEMA_VERSION, SCHEMA_VERSION};

/// A JSON document with a `schema_version`.
pub(crate) trait Document {
    /// The versions that can be read. The last one is the one that is written.
    const VERSIONS: RangeInclusive<u32> = OLDEST_SCHEMA_VERSION..=SCHEMA_VERSION;

    /// Its `schema_version`. Once read, a document is one of the last version, whichever it was written by.
    fn version(&mut self) -> &mut u32;
}
