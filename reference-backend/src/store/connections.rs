//! The connection of each player.

use std::collections::HashSet;
use std::sync::Arc;

use serde_dynamo::Item;

use super::records::{Expires, from_item, to_item};
use super::{Backoff, Connection, StoreError, condition_failed, is_key};
use crate::function::Table;
use crate::ports::{BATCH_GET_LIMIT, Clock, Condition, TableStore};

const TABLE: Table = Table::Connections;

/// The Connections table.
#[derive(Clone)]
pub struct Connections {
    tables: Arc<dyn TableStore>,
    clock: Arc<dyn Clock>,
    backoff: Backoff,
}

impl Connections {
    /// A view of the table.
    #[must_use]
    pub fn new(tables: Arc<dyn TableStore>, clock: Arc<dyn Clock>, backoff: Backoff) -> Self {
        Self { tables, clock, backoff }
    }

    /// Stores a connection, unless a newer one of the same player is already there. Returns whether it is the
    /// player's newest. A record without a time stamp counts as older.
    ///
    /// # Errors
    /// As [`StoreError`] tells.
    pub async fn register(&self, connection: &Connection) -> Result<bool, StoreError> {
        let item = to_item(TABLE, connection)?;
        let newest = Condition::NotAbove {
            attribute: "connectedAt",
            value: connection.connected_at.unwrap_or_default(),
        };
        let put =
            self.backoff.run(TABLE, || self.tables.put(TABLE, item.clone(), Some(newest.clone()))).await;
        match put {
            Ok(()) => Ok(true),
            Err(error) if condition_failed(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The record of a connection id, if it is still some player's newest.
    ///
    /// # Errors
    /// As [`StoreError`] tells.
    pub async fn by_connection_id(&self, connection_id: &str) -> Result<Option<Connection>, StoreError> {
        if !is_key(connection_id) {
            return Ok(None);
        }
        let items = self.backoff.run(TABLE, || self.tables.query_index(TABLE, connection_id)).await?;
        let now = self.clock.epoch_seconds();
        Ok(items.into_iter().filter_map(readable).find(|connection| !connection.expired(now)))
    }

    /// Deletes a player's record, provided that it is still the record of this connection: a player who has
    /// connected again keeps the newer one.
    ///
    /// # Errors
    /// As [`StoreError`] tells; a missing or newer record is no error.
    pub async fn remove(&self, player_id: &str, connection_id: &str) -> Result<(), StoreError> {
        let same = Condition::Equals { attribute: "connectionId", value: connection_id.to_owned() };
        match self.backoff.run(TABLE, || self.tables.delete(TABLE, player_id, Some(same.clone()))).await {
            Err(error) if !condition_failed(&error) => Err(error),
            _ => Ok(()),
        }
    }

    /// The live connections of any number of players, in no order; unknown and offline players are
    /// omitted, and there are no duplicates. A player whose record is malformed counts as offline.
    ///
    /// # Errors
    /// As [`StoreError`] tells; when part of the keys stays unprocessed it is an error, never a shorter answer.
    pub async fn of_players<'a>(
        &self,
        player_ids: impl IntoIterator<Item = &'a str>,
    ) -> Result<Vec<Connection>, StoreError> {
        let mut seen = HashSet::new();
        let keys: Vec<&str> = player_ids.into_iter().filter(|id| is_key(id) && seen.insert(*id)).collect();
        let now = self.clock.epoch_seconds();
        let mut found = Vec::with_capacity(keys.len());
        for chunk in keys.chunks(BATCH_GET_LIMIT) {
            let whole = || Ok(chunk.iter().map(|&key| key.to_owned()).collect());
            let items = self
                .backoff
                .drain(TABLE, whole, |keys| async {
                    let answer = self.tables.batch_get(TABLE, keys).await?;
                    Ok((answer.items, answer.unprocessed))
                })
                .await?;
            let connections = items.into_iter().filter_map(readable);
            found.extend(connections.filter(|connection| !connection.expired(now)));
        }
        Ok(found)
    }
}

/// Reads a connection from an item. A malformed one is logged and skipped.
fn readable(item: Item) -> Option<Connection> {
    from_item(TABLE, item)
        .inspect_err(|error| tracing::warn!(%error, "skipped a malformed connection record"))
        .ok()
}
