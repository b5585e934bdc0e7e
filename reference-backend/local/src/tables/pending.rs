//! Placements that an earlier process left without an outcome.
//!
//! On AWS the queue outlives the backend. Here it ends with the process, so its pending placements are passed to the
//! queue of the next process.

use reference_backend::function::Table;

use super::EmbeddedTables;
use super::data::text;

/// A placement without an outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingPlacement {
    /// Its id.
    pub placement_id: String,
    /// The player who waits for it.
    pub player_id: String,
}

impl EmbeddedTables {
    /// Placements without an outcome.
    #[must_use]
    pub fn pending_placements(&self) -> Vec<PendingPlacement> {
        self.scan(Table::Placements, |item| {
            let pending = text(item, "status") == Some("PENDING");
            let of = |attribute| text(item, attribute).map(ToOwned::to_owned);
            let placement_id = of(Table::Placements.key()).filter(|_| pending)?;
            Some(PendingPlacement { placement_id, player_id: of(Table::Placements.index_key())? })
        })
    }
}
