//! The items of the three tables as types. Attribute names are the tables' own.
//!
//! Other functions than this backend's may write them, so that what a record can do without is read with
//! [`lenient`]: a time with a fraction, a number as a text, a null, an attribute that is missing or unknown.

use serde::{Deserialize, Serialize};
use serde_dynamo::Item;

use super::StoreError;
use crate::function::Table;
use crate::lenient;
use crate::ports::ConnectionAddress;
use crate::trace::Trace;

/// Longest time from the begin of a connection until it can be pushed to, in milliseconds: an authorizer and `$connect`
/// of 29 s each, which is what API Gateway waits for them, and something for clocks that differ.
const LONGEST_HANDSHAKE_MS: u64 = 60_000;

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
    /// When the socket was opened, epoch milliseconds: decides which of two connections is the newer. A record that
    /// does not tell is older than all that do.
    #[serde(default, deserialize_with = "lenient::whole", skip_serializing_if = "Option::is_none")]
    pub connected_at: Option<i64>,
    /// Time to live, whole epoch seconds; without one it stays until it is deleted.
    #[serde(default, deserialize_with = "lenient::whole", skip_serializing_if = "Option::is_none")]
    pub expire_at: Option<i64>,
}

impl Connection {
    /// Whether its `$connect` may still be running at `now_ms`: until the handshake is done the Management API answers
    /// 410 as for a connection that has ended.
    #[must_use]
    pub fn may_be_opening(&self, now_ms: i64) -> bool {
        // A time stamp far in the future is no time stamp of this API.
        self.connected_at.is_some_and(|at| now_ms.abs_diff(at) < LONGEST_HANDSHAKE_MS)
    }

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
    /// Who sent it; a message may be nobody's.
    #[serde(default, deserialize_with = "lenient::text", skip_serializing_if = "Option::is_none")]
    pub sender_id: Option<String>,
    /// The text.
    #[serde(deserialize_with = "lenient::needed_text")]
    pub message: String,
    /// When it was accepted, epoch milliseconds. The stream's own time stamp has whole seconds only.
    #[serde(default, deserialize_with = "lenient::whole", skip_serializing_if = "Option::is_none")]
    pub created_at: Option<i64>,
    /// Time to live, whole epoch seconds; without one it stays until it is deleted.
    #[serde(default, deserialize_with = "lenient::whole", skip_serializing_if = "Option::is_none")]
    pub expire_at: Option<i64>,
    /// When its stages began, where the request asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
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
    #[serde(default, deserialize_with = "lenient::text", skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// Name of the game server, once fulfilled: what the certificate of a fleet with TLS is made out to.
    #[serde(default, deserialize_with = "lenient::text", skip_serializing_if = "Option::is_none")]
    pub dns_name: Option<String>,
    /// Port of the game server; a string, as in GameLift's event.
    #[serde(default, deserialize_with = "lenient::text", skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// What the player shows to the game server.
    #[serde(default, deserialize_with = "lenient::text", skip_serializing_if = "Option::is_none")]
    pub player_session_id: Option<String>,
    /// The game session.
    #[serde(default, deserialize_with = "lenient::text", skip_serializing_if = "Option::is_none")]
    pub game_session_arn: Option<String>,
    /// Time to live, whole epoch seconds; without one it stays until it is deleted.
    #[serde(default, deserialize_with = "lenient::whole", skip_serializing_if = "Option::is_none")]
    pub expire_at: Option<i64>,
    /// When its stages began, where the request asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Trace>,
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
            dns_name: None,
            port: None,
            player_session_id: None,
            game_session_arn: None,
            expire_at: Some(expire_at),
            trace: None,
        }
    }
}

/// Time to live of a record.
pub(super) trait Expires {
    /// When it is gone, epoch seconds, if ever.
    fn expire_at(&self) -> Option<i64>;

    /// Whether it is gone at `now`, deleted or not. DynamoDB deletes what is *older* than now, so an item lives
    /// through the second that it names.
    fn expired(&self, now: i64) -> bool {
        self.expire_at().is_some_and(|expire_at| expire_at < now)
    }
}

impl Expires for Connection {
    fn expire_at(&self) -> Option<i64> {
        self.expire_at
    }
}

impl Expires for Placement {
    fn expire_at(&self) -> Option<i64> {
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
