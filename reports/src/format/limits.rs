//! `cloudwatch.json`, `limits` and `wiring`: what the backend may use, and what calls what, as its APIs say.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A limit of the backend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Limit {
    /// Which.
    pub kind: LimitKind,
    /// Full name of what has it: function, table, `TABLE/INDEX`, queue, mapping's UUID; empty: the account or the API.
    pub resource: String,
    /// Its value, in the unit of its kind.
    pub value: f64,
    /// How it is known, e.g. `lambda:GetFunctionConcurrency`, or `documented` where no API tells it.
    pub source: String,
}

/// The kinds of limits, each with its unit.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum LimitKind {
    /// Concurrent executions of the account.
    AccountConcurrency,
    /// Concurrent executions that no function has reserved.
    UnreservedConcurrency,
    /// Reserved concurrent executions of a function, which are also its most.
    ReservedConcurrency,
    /// Invocations per second for each unit of concurrency: 10.
    RequestsPerConcurrency,
    /// Environments that a function may start in ten seconds.
    ScalingEnvironments,
    /// A function's time-out in seconds.
    TimeoutS,
    /// A function's memory in MB.
    MemoryMb,
    /// Records of a mapping's batch at most.
    BatchSize,
    /// Batches of a shard at once.
    ParallelizationFactor,
    /// Retries of a failed batch; -1: until the record expires.
    MaxRetries,
    /// Open shards of a table's stream.
    OpenShards,
    /// Write units per second of a table or an index.
    WriteUnits,
    /// Read units per second of a table or an index.
    ReadUnits,
    /// Write units per second of one partition: 1,000.
    PartitionWriteUnits,
    /// Read units per second of one partition: 3,000.
    PartitionReadUnits,
    /// New connections per second of the gateway.
    ConnectionsPerSecond,
    /// Requests per second of the account at the gateway, or of a stage.
    RequestsPerSecond,
    /// Requests at once beyond that.
    RequestBurst,
    /// How long an integration may take, in milliseconds.
    IntegrationTimeoutMs,
    /// Calls per second of GameLift.
    GameliftRequestsPerSecond,
    /// Seconds after which a queue gives a placement up.
    QueueTimeoutS,
    /// A limit that this version does not know.
    #[serde(other)]
    Unknown,
}

/// What calls what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Wiring {
    /// Streams that call functions.
    pub mappings: Vec<Mapping>,
    /// Routes of the WebSocket API that call functions.
    pub routes: Vec<Route>,
    /// Topics that call functions.
    pub subscriptions: Vec<Subscription>,
}

impl Wiring {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.mappings.is_empty() && self.routes.is_empty() && self.subscriptions.is_empty()
    }
}

/// A stream that calls a function.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mapping {
    /// Its UUID.
    pub uuid: String,
    /// Full name of the table.
    pub table: String,
    /// Full name of the function.
    pub function: String,
}

/// A route that calls a function.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Route {
    /// Its key, e.g. `$connect`.
    pub route: String,
    /// Full name of the function.
    pub function: String,
    /// Full name of the function that authorises it; empty: none.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub authorizer: String,
}

/// A topic that calls a function.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Subscription {
    /// Name of the topic.
    pub topic: String,
    /// Full name of the function.
    pub function: String,
}
