//! `manifest.json`, `topology`: which functions and tables do the work of an operation, as protocol and scenario declare it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is declared of the backend; empty where nothing is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Topology {
    /// By operation, `connect` among them.
    pub operations: BTreeMap<String, Work>,
    /// By delivery: the operation that it comes of.
    pub deliveries: BTreeMap<String, String>,
}

impl Topology {
    /// Whether nothing is declared.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.values().all(|work| work.functions.is_empty() && work.tables.is_empty())
    }
}

/// What does the work of an operation and of the delivery that comes of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Work {
    /// Lambda functions in the order in which the work passes them, as their names end.
    pub functions: Vec<String>,
    /// DynamoDB tables that they read or write, as their names end.
    pub tables: Vec<String>,
    /// GameLift queues, as their names end.
    pub queues: Vec<String>,
}
