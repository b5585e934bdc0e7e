//! Placements that a former process left without an outcome.
//!
//! On AWS the queue outlives the backend; here it has ended with the process, so that what it worked on has to be given
//! to the next one.

use reference_backend::function::Table;

use super::EmbeddedTables;
use super::data::text;

/// A placement without an outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsettled {
    /// Which.
    pub placement_id: String,
    /// Who waits for it.
    pub player_id: String,
}

impl EmbeddedTables {
    /// Placements without an outcome.
    #[must_use]
    pub fn unsettled(&self) -> Vec<Unsettled> {
        self.table(Table::Placements).data.scan(|item| {
            let pending = text(item, "status") == Some("PENDING");
            let of = |attribute| text(item, attribute).map(ToOwned::to_owned);
            let placement_id = of(Table::Placements.key()).filter(|_| pending)?;
            Some(Unsettled { placement_id, player_id: of(Table::Placements.index_key())? })
        })
    }
}
