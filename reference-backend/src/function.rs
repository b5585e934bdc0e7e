//! The backend's resources by name: Lambda functions, their layout, tables.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

/// One Lambda of the backend, in the order of a message's way through the system.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    clap::ValueEnum,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
pub enum Function {
    /// REQUEST authorizer of `$connect`.
    Authorizer,
    /// `$connect`.
    Connect,
    /// `$disconnect`.
    Disconnect,
    /// `$default`.
    Default,
    /// `sendMessage`.
    SendMessage,
    /// `sessionPlacementRequest`.
    SessionPlacementRequest,
    /// Stream of the Messages table.
    OnMessageInserted,
    /// SNS topic of the placement queue.
    OnPlacementEvent,
    /// Stream of the Placements table.
    OnPlacementUpdated,
    /// Polling: `POST /placements` and `GET /placements/{id}`.
    PlacementsRest,
}

impl Function {
    /// Every function.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The name without game and stage, e.g. `SendMessage`.
    #[must_use]
    pub fn short_name(self) -> &'static str {
        self.into()
    }
}

/// A plain list of names, so that the schema of a map with these keys lists them.
impl JsonSchema for Function {
    fn schema_name() -> Cow<'static, str> {
        "Function".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": Self::ALL })
    }
}

/// The name of a deployment. Resources are named `{game}-{stage}-{resource}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// Name of the game; default `reference`.
    pub game: String,
    /// `Development`, `Staging` or `Production`.
    pub stage: String,
}

impl Default for Deployment {
    fn default() -> Self {
        Self { game: "reference".into(), stage: "Development".into() }
    }
}

impl Deployment {
    /// Full name of a function, as CloudWatch's `FunctionName` dimension has it.
    #[must_use]
    pub fn function_name(&self, function: Function) -> String {
        self.resource(function.short_name())
    }

    /// Full name of the Lambda that runs `function` in a layout: its own, or the one for all.
    #[must_use]
    pub fn lambda_name(&self, layout: Layout, function: Function) -> String {
        match layout {
            Layout::PerOperation => self.function_name(function),
            Layout::Single => self.resource("Backend"),
        }
    }

    /// Full name of a table, as CloudWatch's `TableName` dimension has it.
    #[must_use]
    pub fn table_name(&self, table: Table) -> String {
        self.resource(table.short_name())
    }

    /// Full name of any other resource.
    #[must_use]
    pub fn resource(&self, short_name: &str) -> String {
        format!("{}-{}-{short_name}", self.game, self.stage)
    }
}

/// The layout of the functions on Lambdas.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// One Lambda per operation: a slow one does not use the concurrency of the others.
    #[default]
    PerOperation,
    /// One Lambda that runs every operation.
    Single,
}

/// One table of the backend.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    EnumString,
    IntoStaticStr,
)]
pub enum Table {
    /// The connection of each player.
    Connections,
    /// Messages to a recipient.
    Messages,
    /// Placements and their outcomes.
    Placements,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 3] = [Self::Connections, Self::Messages, Self::Placements];

    /// Attribute that holds the time to live of an item, in whole epoch seconds.
    pub const EXPIRE_AT: &'static str = "expireAt";

    /// The name without game and stage.
    #[must_use]
    pub fn short_name(self) -> &'static str {
        self.into()
    }

    /// Attribute that is the partition key (a string).
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Connections => "playerId",
            Self::Messages => "messageId",
            Self::Placements => "placementId",
        }
    }

    /// Attribute that is the secondary index's partition key (a string).
    #[must_use]
    pub const fn index_key(self) -> &'static str {
        match self {
            Self::Connections => "connectionId",
            Self::Messages => "recipientId",
            Self::Placements => "playerId",
        }
    }

    /// Name of the secondary index.
    #[must_use]
    pub const fn index_name(self) -> &'static str {
        match self {
            Self::Connections => "ConnectionIdIndex",
            Self::Messages => "RecipientIdIndex",
            Self::Placements => "PlayerIdIndex",
        }
    }

    /// Whether its changes go to a stream (NEW_IMAGE).
    #[must_use]
    pub const fn streamed(self) -> bool {
        !matches!(self, Self::Connections)
    }
}

/// As that of [`Function`].
impl JsonSchema for Table {
    fn schema_name() -> Cow<'static, str> {
        "Table".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": Self::ALL })
    }
}
