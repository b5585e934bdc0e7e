//! The tables as the handlers see them: typed records over [`TableStore`](crate::ports::TableStore).
//!
//! What DynamoDB leaves to its caller is settled here, once: batches are split at their limits, what comes back
//! unprocessed or throttled is tried again with backoff and jitter up to a bound and is then an explicit error,
//! and an item whose time to live is over is treated as gone although it can still be read.

mod backoff;
mod connections;
mod messages;
mod placements;
mod records;

pub use backoff::Backoff;
pub use connections::Connections;
pub use messages::Messages;
pub use placements::Placements;
pub use records::{Connection, Message, Placement, PlacementStatus};

use crate::function::Table;
use crate::ports::TableError;

/// Why a record could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The table refused or did not answer, also after retries.
    #[error("{}: {source}", table.short_name())]
    Table {
        /// Which table.
        table: Table,
        /// Its last answer.
        source: TableError,
    },
    /// Some of a batch was still unprocessed after the last attempt.
    #[error(
        "{}: {left} of a batch still unprocessed after {attempts} attempts; the table is throttled, try again later",
        table.short_name()
    )]
    Unprocessed {
        /// Which table.
        table: Table,
        /// Keys or items left.
        left: usize,
        /// Requests made.
        attempts: u32,
    },
    /// An item does not have the attributes of its record.
    #[error("{}: an item is not as written by this backend: {source}", table.short_name())]
    Malformed {
        /// Which table.
        table: Table,
        /// What is wrong.
        source: serde_dynamo::Error,
    },
}

/// Longest partition key of DynamoDB in bytes, a table's or an index's.
const LONGEST_KEY: usize = 2_048;

/// Whether there can be a record under this key. Ids come from clients: one that DynamoDB would refuse belongs to nobody,
/// and is no failure of the table.
const fn is_key(id: &str) -> bool {
    !id.is_empty() && id.len() <= LONGEST_KEY
}

/// Whether an error of `TableStore` was the condition's.
fn condition_failed(error: &StoreError) -> bool {
    matches!(error, StoreError::Table { source: TableError::ConditionFailed, .. })
}
