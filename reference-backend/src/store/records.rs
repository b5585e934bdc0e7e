//! The items of the three tables as types. Attribute names are the tables' own.

use serde::{Deserialize, Serialize};
use serde_dynamo::Item;

use super::StoreError;
use crate::function::Table;
use crate::ports::ConnectionAddress;

/// A player's live connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// Key: whose connection.
    pub player_id: String,
    /// Indexed: API Gateway's id.
    pub connection_id: String,
    /// Stage of the API.
    pub stage: String,
    /// Domain of the API.
    pub domain: String,
    /// When the socket was opened, epoch milliseconds: decides which of two connections is the newer.
    pub connected_at: i64,
    /// Time to live, whole epoch seconds.
    pub expire_at: i64,
}

impl Connection {
    /// Where to push.
    #[must_use]
    pub fn address(&self) -> ConnectionAddress {
        ConnectionAddress {
            connection_id: self.connection_id.clone(),
            domain: self.domain.clone(),
            stage: self.stage.clone(),
        }
    }
}

/// A message to one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Key.
    pub message_id: String,
    /// Indexed: who gets it.
    pub recipient_id: String,
    /// Who sent it.
    pub sender_id: String,
    /// The text.
    pub message: String,
    /// When it was accepted, epoch milliseconds. The stream's own time stamp has whole seconds only.
    pub created_at: i64,
    /// Time to live, whole epoch seconds.
    pub expire_at: i64,
}

/// Where a placement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PlacementStatus {
    /// Asked for, no outcome yet.
    Pending,
    /// The player has a place.
    Fulfilled,
    /// Called off.
    Cancelled,
    /// No place was found in time.
    TimedOut,
    /// GameLift failed.
    Failed,
}

/// A session placement of one player.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Placement {
    /// Key.
    pub placement_id: String,
    /// Indexed: who asked for it.
    pub player_id: String,
    /// Where it stands.
    pub status: PlacementStatus,
    /// Address of the game server, once fulfilled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// Port of the game server; a string, as in GameLift's event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// What the player shows to the game server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub player_session_id: Option<String>,
    /// The game session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub game_session_arn: Option<String>,
    /// Time to live, whole epoch seconds.
    pub expire_at: i64,
}

impl Placement {
    /// A placement that was just asked for.
    #[must_use]
    pub fn pending(placement_id: String, player_id: String, expire_at: i64) -> Self {
        Self {
            placement_id,
            player_id,
            status: PlacementStatus::Pending,
            ip_address: None,
            port: None,
            player_session_id: None,
            game_session_arn: None,
            expire_at,
        }
    }
}

/// Time to live of a record.
pub(super) trait Expires {
    /// When it is gone, epoch seconds.
    fn expire_at(&self) -> i64;

    /// Whether it is gone at `now`, deleted or not. DynamoDB deletes what is *older* than now, so an item lives
    /// through the second that it names.
    fn expired(&self, now: i64) -> bool {
        self.expire_at() < now
    }
}

impl Expires for Connection {
    fn expire_at(&self) -> i64 {
        self.expire_at
    }
}

impl Expires for Placement {
    fn expire_at(&self) -> i64 {
        self.expire_at
    }
}

/// Reads a record out of an item.
pub(super) fn from_item<T: serde::de::DeserializeOwned>(table: Table, item: Item) -> Result<T, StoreError> {
    serde_dynamo::from_item(item).map_err(|source| StoreError::Malformed { table, source })
}

/// Writes a record as an item.
pub(super) fn to_item<T: Serialize>(table: Table, record: &T) -> Result<Item, StoreError> {
    serde_dynamo::to_item(record).map_err(|source| StoreError::Malformed { table, source })
}
