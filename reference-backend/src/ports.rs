//! The ports of the handlers, as traits.
//!
//! The local stack implements them in memory; the AWS adapters implement them over the SDKs. The
//! handlers do not depend on either. The traits use the services' terms (items, conditions, unprocessed keys), so that the
//! code that handles their limits is the same on AWS and in the local stack.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::Bytes;
use serde_dynamo::Item;

use crate::function::Table;

/// Most keys in one BatchGetItem.
pub const BATCH_GET_LIMIT: usize = 100;
/// Most items in one BatchWriteItem.
pub const BATCH_PUT_LIMIT: usize = 25;

/// The address of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionAddress {
    /// API Gateway connection id.
    pub connection_id: String,
    /// Domain of the API that owns the connection.
    pub domain: String,
    /// Stage of that API.
    pub stage: String,
}

/// Pushes a payload to a player's socket (API Gateway Management API, `PostToConnection`).
#[async_trait]
pub trait Pusher: Send + Sync {
    /// Sends `data` as one text message.
    ///
    /// # Errors
    /// As [`PushError`] tells; only [`PushError::Gone`] is final.
    async fn post(&self, to: &ConnectionAddress, data: Bytes) -> Result<(), PushError>;
}

/// Why a push did not go out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// 410: the connection has ended; its record is stale.
    #[error("the connection is gone (410)")]
    Gone,
    /// 429: rate limit, or the client's buffer is full.
    #[error("the push was throttled (429)")]
    Throttled,
    /// 413: more than 128 KiB.
    #[error("the payload is too large (413): {0} bytes, at most 131072")]
    TooLarge(usize),
    /// 403.
    #[error("the caller may not manage this connection (403)")]
    Forbidden,
    /// 5xx or no answer.
    #[error("the management API did not answer: {0}")]
    Unavailable(String),
}

/// Tables with DynamoDB's primitives and limits. Every key is one string attribute, see [`Table::key`].
#[async_trait]
pub trait TableStore: Send + Sync {
    /// Writes a whole item if `condition` holds for the current one (PutItem).
    ///
    /// # Errors
    /// As [`TableError`] tells.
    async fn put(&self, table: Table, item: Item, condition: Option<Condition>) -> Result<(), TableError>;

    /// Reads one item, strongly consistent (GetItem). Expired items that are not deleted yet are returned too.
    ///
    /// # Errors
    /// As [`TableError`] tells.
    async fn get(&self, table: Table, key: &str) -> Result<Option<Item>, TableError>;

    /// Deletes one item if `condition` holds for the current one (DeleteItem). A missing item is an error only if the
    /// condition requires one.
    ///
    /// # Errors
    /// As [`TableError`] tells.
    async fn delete(&self, table: Table, key: &str, condition: Option<Condition>) -> Result<(), TableError>;

    /// Every item whose index attribute ([`Table::index_key`]) is `value` (Query on the secondary index,
    /// eventually consistent on AWS).
    ///
    /// # Errors
    /// As [`TableError`] tells.
    async fn query_index(&self, table: Table, value: &str) -> Result<Vec<Item>, TableError>;

    /// Reads up to [`BATCH_GET_LIMIT`] different keys (BatchGetItem), in no order, missing items left out.
    /// Throttling is no error here: what was throttled, be it every key, comes back unprocessed.
    ///
    /// # Errors
    /// As [`TableError`] tells.
    async fn batch_get(&self, table: Table, keys: Vec<String>) -> Result<BatchGet, TableError>;

    /// Writes up to [`BATCH_PUT_LIMIT`] items with different keys (BatchWriteItem) and returns those that were
    /// not processed, be it all of them.
    ///
    /// # Errors
    /// As [`TableError`] tells.
    async fn batch_put(&self, table: Table, items: Vec<Item>) -> Result<Vec<Item>, TableError>;
}

/// Answer of [`TableStore::batch_get`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchGet {
    /// What was found.
    pub items: Vec<Item>,
    /// Keys to ask for again.
    pub unprocessed: Vec<String>,
}

/// A condition on the item that a write replaces or deletes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// There is no item with this key.
    Absent,
    /// There is an item and its string attribute has this value.
    Equals {
        /// Attribute name.
        attribute: &'static str,
        /// Expected value.
        value: String,
    },
    /// There is no item with this key, or its number attribute is at most `value`.
    AbsentOrAtMost {
        /// Attribute name.
        attribute: &'static str,
        /// Largest number for which the condition holds.
        value: i64,
    },
    /// There is no item with this key, or its attribute is not a number above `value`. The condition also holds for an item
    /// without the attribute, or with an attribute of another type.
    NotAbove {
        /// Attribute name.
        attribute: &'static str,
        /// Largest number for which the condition holds.
        value: i64,
    },
}

/// Why a table operation failed. The texts are those of DynamoDB.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// ConditionalCheckFailedException.
    #[error("The conditional request failed")]
    ConditionFailed,
    /// ThrottlingException, or ProvisionedThroughputExceededException of a provisioned table.
    #[error("Throughput exceeds the current capacity of your table or index: {0}")]
    Throttled(String),
    /// ValidationException: the request itself is wrong, repeating it is pointless.
    #[error("{0}")]
    Validation(String),
    /// 5xx or no answer.
    #[error("the table service did not answer: {0}")]
    Unavailable(String),
}

/// Starts session placements on the game's queue (GameLift, `StartGameSessionPlacement`).
#[async_trait]
pub trait PlacementQueue: Send + Sync {
    /// Starts a placement, which is then PENDING; its outcome arrives as an event.
    ///
    /// # Errors
    /// As [`PlacementError`] tells.
    async fn start_placement(&self, request: StartPlacement) -> Result<(), PlacementError>;
}

/// Parameters of `StartGameSessionPlacement`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StartPlacement {
    /// At most 48 characters of `[a-zA-Z0-9-]`, unique.
    pub placement_id: String,
    /// Name of the queue.
    pub queue_name: String,
    /// Player slots in the game session.
    pub maximum_player_session_count: u32,
    /// Players who get a player session as soon as the game session stands.
    pub desired_player_sessions: Vec<String>,
    /// Milliseconds to each region, per player.
    pub player_latencies: Vec<PlayerLatency>,
    /// Key-value pairs for the game session.
    pub game_properties: BTreeMap<String, String>,
}

/// One entry of `PlayerLatencies`.
#[derive(Debug, Clone, PartialEq)]
pub struct PlayerLatency {
    /// The player.
    pub player_id: String,
    /// Region, e.g. `eu-west-1`.
    pub region: String,
    /// Milliseconds.
    pub latency_ms: f32,
}

/// Why a placement did not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlacementError {
    /// More than the account's rate (75/s) of StartGameSessionPlacement.
    #[error("Rate exceeded")]
    Throttled,
    /// InvalidRequestException.
    #[error("invalid placement request: {0}")]
    Invalid(String),
    /// 5xx or no answer.
    #[error("the placement queue did not answer: {0}")]
    Unavailable(String),
}

/// The identity provider that verifies a player's token (Epic, Steam, Cognito, the local one, ...).
#[async_trait]
pub trait IdentityProvider: Send + Sync {
    /// Checks a token.
    ///
    /// # Errors
    /// As [`IdentityError`] tells.
    async fn verify(&self, token: &str) -> Result<PlayerIdentity, IdentityError>;
}

/// The owner of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlayerIdentity {
    /// The player's id.
    pub player_id: String,
}

/// Why a token was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The token is wrong: expired, forged, for somebody else. The reason never contains the token.
    #[error("the token is not valid: {0}")]
    Invalid(String),
    /// The provider is down, slow or its keys cannot be read; the token may well be good.
    #[error("the identity provider did not answer: {0}")]
    Unavailable(String),
}

/// The wall clock, a port so that tests can move it past a TTL.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> SystemTime;

    /// Now in epoch milliseconds.
    fn epoch_ms(&self) -> i64 {
        let since = self.now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    /// Now in epoch microseconds.
    fn epoch_us(&self) -> i64 {
        let since = self.now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    }

    /// Now in whole epoch seconds, the unit of every `expireAt`.
    fn epoch_seconds(&self) -> i64 {
        self.epoch_ms() / 1_000
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}
