//! The tables as the handlers see them: typed records over [`TableStore`](crate::ports::TableStore).
//!
//! This layer does what DynamoDB leaves to its callers: batches are split at their limits; unprocessed and throttled
//! parts are retried with backoff and jitter, and are an error when the attempts are exhausted; an expired item counts as
//! deleted although it can still be read.

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
    /// The table refused or did not answer, after all retries.
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
    /// An item is malformed.
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

/// Whether the key is valid. Ids come from clients: an invalid one has no record, which is not an error of the table.
const fn is_key(id: &str) -> bool {
    !id.is_empty() && id.len() <= LONGEST_KEY
}

/// Whether an error of `TableStore` was the condition's.
fn condition_failed(error: &StoreError) -> bool {
    matches!(error, StoreError::Table { source: TableError::ConditionFailed, .. })
}
