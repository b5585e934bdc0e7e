//! Messages: written once, delivered by the table's stream, never read back.

use std::sync::Arc;

use super::records::to_item;
use super::{Backoff, Message, StoreError};
use crate::function::Table;
use crate::ports::{BATCH_PUT_LIMIT, TableStore};

const TABLE: Table = Table::Messages;

/// The Messages table.
#[derive(Clone)]
pub struct Messages {
    tables: Arc<dyn TableStore>,
    backoff: Backoff,
}

impl Messages {
    /// A view of the table.
    #[must_use]
    pub fn new(tables: Arc<dyn TableStore>, backoff: Backoff) -> Self {
        Self { tables, backoff }
    }

    /// Writes any number of messages with different ids.
    ///
    /// # Errors
    /// As [`StoreError`] tells; some messages may be written nevertheless.
    pub async fn put_all(&self, messages: &[Message]) -> Result<(), StoreError> {
        for chunk in messages.chunks(BATCH_PUT_LIMIT) {
            let whole = || chunk.iter().map(|message| to_item(TABLE, message)).collect();
            self.backoff
                .drain(TABLE, whole, |items| async {
                    Ok((Vec::<()>::new(), self.tables.batch_put(TABLE, items).await?))
                })
                .await?;
        }
        Ok(())
    }
}
