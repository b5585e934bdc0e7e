//! What the backend is made of, and the path of each operation and delivery through it.

use std::collections::BTreeMap;

use reports::format::{Manifest, Topology};

use super::server::Server;

/// One part of the backend, by its full name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Stage {
    /// The gateway in front.
    Gateway,
    /// A Lambda function.
    Function(String),
    /// A table, or `TABLE/INDEX`.
    Table(String),
    /// A table's stream.
    Stream(String),
    /// A topic.
    Topic(String),
    /// A placement queue.
    Queue(String),
    /// Lambda of the whole account.
    Account,
    /// Between the players and the gateway.
    Network,
    /// The load generator.
    Generator,
}

/// What makes a function run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// A route of the gateway.
    Route,
    /// The gateway, to authorise a connection.
    Authorizer,
    /// A table's stream, by the table's full name and the mapping's UUID.
    Stream {
        /// The table.
        table: String,
        /// The mapping.
        uuid: String,
    },
    /// A topic.
    Topic(String),
    /// Not known.
    Unknown,
}

/// A Lambda function of the backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Function {
    /// Its name in CloudWatch.
    pub(crate) full: String,
    /// Its name as people and protocols say it.
    pub(crate) short: String,
    /// What makes it run.
    pub(crate) trigger: Trigger,
}

/// The backend.
pub(crate) struct Backend {
    /// Its functions.
    pub(crate) functions: Vec<Function>,
    /// The path of each operation: its stages in order.
    pub(crate) operations: BTreeMap<String, Vec<Stage>>,
    /// The path of each delivery, from the send of its operation on.
    pub(crate) deliveries: BTreeMap<String, Vec<Stage>>,
    /// Whether the paths are declared; else they were found by invocations that follow arrivals, or are empty.
    pub(crate) declared: bool,
}

impl Backend {
    pub(crate) fn of(manifest: &Manifest, _server: &Server<'_>) -> Self {
        let Topology { .. } = &manifest.topology;
        Self {
            functions: Vec::new(),
            operations: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            declared: false,
        }
    }
}
