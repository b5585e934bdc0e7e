//! The DynamoDB endpoint: the stack's tables for the SDKs, used by functions in processes of their own and by scripts
//! with boto3.
//!
//! It supports what [`TableStore`] supports and refuses everything else with a message. Parameters that only ask for more
//! information (`ReturnConsumedCapacity`, ...) are ignored.

mod batch;
mod describe;
mod expression;
mod item;
mod streams;

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use reference_backend::function::{Deployment, Table};
use reference_backend::ports::{TableError, TableStore};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_dynamo::{AttributeValue, Item};
use serde_json::Value;

use super::rpc::Call;
use super::tables::TablesProfile;

/// Name of the service on the wire.
pub(super) const SERVICE: &str = "DynamoDB_20120810";
/// The same of DynamoDB Streams, whose API is a second service.
pub(super) const STREAMS: &str = "DynamoDBStreams_20120810";

/// The tables of a deployment, behind DynamoDB's API.
pub struct DynamoDb {
    tables: Arc<dyn TableStore>,
    /// Names of the tables, in the order of [`Table::ALL`].
    names: [String; Table::ALL.len()],
    /// Their throughput, in the same order.
    warm: [Warm; Table::ALL.len()],
    /// Open shards of each stream.
    stream_shards: usize,
}

/// What all partitions of a table hold in a second; none without a limit.
#[derive(Debug, Clone, Copy)]
struct Warm {
    read_units: Option<u64>,
    write_units: Option<u64>,
}

/// Why a call fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum DynamoDbError {
    #[error(transparent)]
    Table(#[from] TableError),
    #[error("Requested resource not found: Table: {0} not found")]
    NoTable(String),
    #[error("Requested resource not found: Stream: {0} not found")]
    NoStream(String),
    #[error("the request body is no JSON: {0}")]
    Serialization(String),
    #[error(
        "the operation {0} is not emulated; the local stack answers PutItem, GetItem, DeleteItem, Query, BatchGetItem, \
         BatchWriteItem, DescribeTable, ListTables, DescribeStream and ListStreams"
    )]
    UnknownOperation(String),
}

impl DynamoDb {
    /// An endpoint for `tables`, with the names of `deployment` and the limits of `profile`.
    #[must_use]
    pub fn new(tables: Arc<dyn TableStore>, deployment: &Deployment, profile: &TablesProfile) -> Self {
        let names = Table::ALL.map(|table| deployment.table_name(table));
        let warm = Table::ALL.map(|table| Warm::of(&profile.of(table)));
        Self { tables, names, warm, stream_shards: profile.stream_shards }
    }

    /// Answers one call of the API.
    pub(super) async fn answer(&self, call: &Call) -> Response {
        let answer = match call.operation.as_str() {
            "PutItem" => self.put_item(call).await,
            "GetItem" => self.get_item(call).await,
            "DeleteItem" => self.delete_item(call).await,
            "Query" => self.query(call).await,
            "BatchGetItem" => self.batch_get_item(call).await,
            "BatchWriteItem" => self.batch_write_item(call).await,
            "DescribeTable" => self.describe_table(call),
            "ListTables" => self.list_tables(call),
            "DescribeStream" => self.describe_stream(call),
            "ListStreams" => self.list_streams(call),
            unknown => Err(DynamoDbError::UnknownOperation(unknown.into())),
        };
        match answer {
            Ok(answer) => call.codec.answer(&answer),
            Err(error) => {
                let code = format!("com.amazonaws.dynamodb.v20120810#{}", error.code());
                call.codec.refusal(error.status(), &code, &error.to_string())
            }
        }
    }

    /// Name of a table.
    fn name(&self, table: Table) -> &str {
        &self.names[table as usize]
    }

    /// The table of that name or ARN.
    fn table(&self, name: &str) -> Result<Table, DynamoDbError> {
        let name = name.rsplit_once(":table/").map_or(name, |(_, name)| name);
        Table::ALL
            .into_iter()
            .find(|table| self.names[*table as usize] == name)
            .ok_or_else(|| DynamoDbError::NoTable(name.into()))
    }
}

impl Warm {
    fn of(profile: &TablesProfile) -> Self {
        let all = |units: u32| (units > 0).then(|| u64::from(units) * u64::from(profile.partitions));
        Self {
            read_units: all(profile.partition_read_units),
            write_units: all(profile.partition_write_units),
        }
    }
}

impl DynamoDbError {
    fn invalid(reason: impl Into<String>) -> Self {
        Self::Table(TableError::Validation(reason.into()))
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::Table(TableError::Unavailable(_)) => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    const fn code(&self) -> &'static str {
        match self {
            Self::Table(TableError::ConditionFailed) => "ConditionalCheckFailedException",
            Self::Table(TableError::Throttled(_)) => "ThrottlingException",
            Self::Table(TableError::Validation(_)) => "ValidationException",
            Self::Table(TableError::Unavailable(_)) => "InternalServerError",
            Self::NoTable(_) | Self::NoStream(_) => "ResourceNotFoundException",
            Self::Serialization(_) => "SerializationException",
            Self::UnknownOperation(_) => "UnknownOperationException",
        }
    }
}

/// Reads a request. The refusal of an unknown parameter names it and the known ones.
fn parameters<T: DeserializeOwned>(call: &Call) -> Result<T, DynamoDbError> {
    serde_json::from_slice(&call.body).map_err(|error| {
        if error.is_data() {
            DynamoDbError::invalid(format!(
                "the local stack does not understand this {}: {error}",
                call.operation
            ))
        } else {
            DynamoDbError::Serialization(error.to_string())
        }
    })
}

fn json<T: Serialize>(answer: &T) -> Result<Value, DynamoDbError> {
    serde_json::to_value(answer).map_err(|error| DynamoDbError::Serialization(error.to_string()))
}

/// The value of a key that consists of the table's one key attribute.
fn key_of(table: Table, key: &Item) -> Result<&str, DynamoDbError> {
    match key.get(table.key()) {
        Some(AttributeValue::S(value)) if key.len() == 1 => Ok(value),
        _ => Err(DynamoDbError::invalid("The provided key element does not match the schema")),
    }
}

/// A key as DynamoDB writes it.
fn key(table: Table, value: String) -> Item {
    Item::from(std::collections::HashMap::from([(table.key().to_owned(), AttributeValue::S(value))]))
}

#[cfg(test)]
mod tests;
