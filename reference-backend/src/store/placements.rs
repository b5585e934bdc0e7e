//! Placements: pending at first, then exactly one outcome.

use std::sync::Arc;

use super::records::{Expires, from_item, to_item};
use super::{Backoff, Placement, StoreError, condition_failed, is_key};
use crate::function::Table;
use crate::ports::{Clock, Condition, TableStore};

const TABLE: Table = Table::Placements;

/// The Placements table.
#[derive(Clone)]
pub struct Placements {
    tables: Arc<dyn TableStore>,
    clock: Arc<dyn Clock>,
    backoff: Backoff,
}

impl Placements {
    /// A view of the table.
    #[must_use]
    pub fn new(tables: Arc<dyn TableStore>, clock: Arc<dyn Clock>, backoff: Backoff) -> Self {
        Self { tables, clock, backoff }
    }

    /// Stores a new placement.
    ///
    /// # Errors
    /// As [`StoreError`] tells.
    pub async fn create(&self, placement: &Placement) -> Result<(), StoreError> {
        let item = to_item(TABLE, placement)?;
        self.backoff.run(TABLE, || self.tables.put(TABLE, item.clone(), Some(Condition::Absent))).await
    }

    /// Reads a placement; an id that is not a valid key has none.
    ///
    /// # Errors
    /// As [`StoreError`] tells.
    pub async fn get(&self, placement_id: &str) -> Result<Option<Placement>, StoreError> {
        if !is_key(placement_id) {
            return Ok(None);
        }
        let item = self.backoff.run(TABLE, || self.tables.get(TABLE, placement_id)).await?;
        let placement: Option<Placement> = item.map(|item| from_item(TABLE, item)).transpose()?;
        Ok(placement.filter(|placement| !placement.expired(self.clock.epoch_seconds())))
    }

    /// Stores the outcome of a pending placement. Returns false if it already has one: events may come twice,
    /// and the first outcome stands.
    ///
    /// # Errors
    /// As [`StoreError`] tells.
    pub async fn complete(&self, outcome: &Placement) -> Result<bool, StoreError> {
        let item = to_item(TABLE, outcome)?;
        let result = self.backoff.run(TABLE, || self.tables.put(TABLE, item.clone(), Some(pending()))).await;
        match result {
            Ok(()) => Ok(true),
            Err(error) if condition_failed(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Deletes a placement that never started.
    ///
    /// # Errors
    /// As [`StoreError`] tells; a placement that has an outcome is not deleted.
    pub async fn withdraw(&self, placement_id: &str) -> Result<(), StoreError> {
        match self.backoff.run(TABLE, || self.tables.delete(TABLE, placement_id, Some(pending()))).await {
            Err(error) if !condition_failed(&error) => Err(error),
            _ => Ok(()),
        }
    }
}

fn pending() -> Condition {
    Condition::Equals { attribute: "status", value: "PENDING".into() }
}
