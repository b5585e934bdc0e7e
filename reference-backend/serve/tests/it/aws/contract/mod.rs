//! The contract of the tables: one suite, run against the embedded ones and against DynamoDB Local with its streams.
//!
//! Each case says what it expects, and notes besides what it sees; the notes of both must be the same, word for word.
//! The tables are opened, and their streams read, exactly as `serve` does it.

mod batches;
mod reads;
mod stores;
mod streams;
mod writes;

use std::fmt::{Debug, Display};
use std::sync::Arc;
use std::time::Duration;

use reference_backend::function::{Deployment, Layout, Table};
use reference_backend::ports::{Clock, SystemClock, TableError, TableStore};
use reference_backend_aws::dynamodb::DynamoTables;
use reference_backend_local::background::Background;
use reference_backend_local::lambda::Invoke;
use reference_backend_local::metrics::Metrics;
use reference_backend_local::profile::Profile;
use reference_backend_local::storage::{Memory, OpenStorage, Opening, Storage};
use reference_backend_local::streams::{StreamsProfile, Targets};
use reference_backend_serve::dynamodb::DynamoDb;
use serde_dynamo::Item;
use serde_json::{Value, json};
use url::Url;

use super::config;
use super::dynamodb_local::{DynamoDbLocal, dynamodb_local};

/// Marks a note of a refusal.
const REFUSAL: &str = " is a ValidationException";
/// Patience with what comes by itself.
const SOON: Duration = Duration::from_secs(60);

/// One of the two that must not differ.
pub(crate) struct Subject {
    pub(crate) tables: Arc<dyn TableStore>,
    storage: Box<dyn Storage>,
    deployment: Deployment,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
}

/// Where DynamoDB Local refuses the same in other words than AWS does: a part of AWS's text, which the embedded tables
/// have, and a part of its own.
const OTHER_WORDS: [(&str, &str); 10] = [
    ("Missing the key ", "One of the required keys was not given a value"),
    ("Type mismatch for key playerId expected: S actual: N\"", "Type mismatch for key\""),
    ("Type mismatch for key playerId expected: S actual: NULL", "Invalid attribute value type"),
    ("Type mismatch for key connectionId expected: S actual: N", "Type mismatch for Index Key"),
    ("Size of hashkey has exceeded the maximum", "Hash primary key values must be under 2048 bytes"),
    ("Size of hashkey has exceeded the maximum", "Size limit exceeded"),
    ("cannot be converted to a numeric value", "A value provided cannot be converted into a number"),
    ("more than 38 significant digits", "DynamoDB only supports precision up to 38 digits"),
    ("'requestItems' of BatchGetItem", "The list of keys in RequestItems for BatchGetItem is required"),
    ("'requestItems' of BatchWriteItem", "The batch write request list for a table cannot be null or empty"),
];

/// Whether two notes say the same.
fn same(embedded: &str, real: &str) -> bool {
    let refusals = embedded.contains(REFUSAL) && real.contains(REFUSAL);
    let words = |(ours, local): &(&str, &str)| embedded.contains(ours) && real.contains(local);
    embedded == real || (refusals && OTHER_WORDS.iter().any(words))
}

/// What a case saw.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Notes(Vec<String>);

/// Runs a case against both, each with tables of its own.
async fn both(case: &str, check: impl AsyncFn(&Subject, &mut Notes)) {
    both_with(&dynamodb_local(), case, check).await;
}

/// The same with a DynamoDB Local of its own.
async fn both_with(local: &DynamoDbLocal, case: &str, check: impl AsyncFn(&Subject, &mut Notes)) {
    let mut seen = Vec::new();
    for (name, url) in [("embedded", None), ("DynamoDB Local", Some(local.url.parse().unwrap()))] {
        eprintln!("{case}: {name}");
        let subject = Subject::open(case, url.as_ref()).await;
        let mut notes = Notes::default();
        check(&subject, &mut notes).await;
        seen.push(notes.0);
    }
    let [embedded, real] = seen.as_slice() else { unreachable!("two of them") };
    assert!(!embedded.is_empty(), "a case that notes nothing compares nothing");
    let pairs = embedded.iter().zip(real).filter(|(embedded, real)| !same(embedded, real));
    let different: Vec<_> = pairs.map(|(embedded, real)| format!("\n  {embedded}\n  {real}\n")).collect();
    assert!(different.is_empty(), "embedded and DynamoDB Local differ:\n{}", different.concat());
    assert_eq!(embedded.len(), real.len());
}

impl Subject {
    async fn open(case: &str, url: Option<&Url>) -> Self {
        let deployment = Deployment { game: case.into(), stage: "Contract".into() };
        let (metrics, clock): (_, Arc<dyn Clock>) = (Metrics::default(), Arc::new(SystemClock));
        let profile = Profile::parse("[tables]\nttl_sweep_s = 0.1", "contract").unwrap().tables;
        let place: &dyn OpenStorage = match url {
            None => &Memory,
            Some(url) => &DynamoDb(url.clone()),
        };
        let opening =
            Opening { profile: &profile, deployment: &deployment, metrics: &metrics, clock: &clock };
        let storage = place.open(&opening).await.unwrap();
        let tables = match url {
            None => storage.store(),
            // The same tables, with more patience than a Lambda has: the machine may be busy.
            Some(url) => {
                let client = aws_sdk_dynamodb::Client::new(&config(Some(url.as_str())).await);
                let name_of = |table| deployment.table_name(table);
                Arc::new(DynamoTables::with_patience(client, name_of, SOON))
            }
        };
        Self { tables, storage, deployment, clock, metrics }
    }

    /// Starts the mappings of both streams, which lead to `invoke`.
    fn start(&self, profile: &StreamsProfile, invoke: Arc<dyn Invoke>) -> (Background, Vec<Background>) {
        self.storage.start(&Targets {
            profile,
            invoke,
            deployment: &self.deployment,
            layout: Layout::PerOperation,
            metrics: &self.metrics,
            clock: Arc::clone(&self.clock),
        })
    }

    /// Writes an item of the table without conditions.
    async fn put(&self, table: Table, item: Value) -> Result<(), TableError> {
        self.tables.put(table, items([item]).remove(0), None).await
    }
}

impl Notes {
    /// Notes an outcome that has only one way to be written.
    fn note(&mut self, what: impl Display, outcome: impl Debug) {
        self.0.push(format!("{what}: {outcome:?}"));
    }

    /// Notes an answer with items in it.
    fn items(&mut self, what: impl Display, outcome: Result<Vec<Item>, TableError>) {
        self.note(what, outcome.map(|items| sorted(&items)));
    }

    /// Notes a refusal of the request; that it is none is noted, too.
    fn refusal<T: Debug>(&mut self, what: impl Display, outcome: Result<T, TableError>) {
        match outcome {
            Err(TableError::Validation(text)) => self.note(format!("{what}{REFUSAL}"), text),
            other => self.note(what, other.map(|_| "accepted")),
        }
    }
}

/// Items out of plain JSON.
fn items(values: impl IntoIterator<Item = Value>) -> Vec<Item> {
    values.into_iter().map(|value| serde_dynamo::to_item(value).unwrap()).collect()
}

/// An item of a table: key, index key, and a number.
fn item(table: Table, key: impl Display, index: impl Display, n: impl Into<Value>) -> Value {
    json!({ table.key(): key.to_string(), table.index_key(): index.to_string(), "n": n.into() })
}

/// Items in DynamoDB's JSON and in one order; so are the members of sets, which have none.
fn sorted(items: &[Item]) -> Vec<String> {
    let mut texts: Vec<String> = items.iter().map(|item| canonical(item).to_string()).collect();
    texts.sort();
    texts
}

fn canonical(item: &Item) -> Value {
    let mut value = serde_json::to_value(item).unwrap();
    order_sets(&mut value);
    value
}

fn order_sets(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if let ("SS" | "NS" | "BS", Value::Array(members)) = (name.as_str(), &mut *value) {
                    members.sort_by_key(Value::to_string);
                }
                order_sets(value);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(order_sets),
        _ => {}
    }
}

/// Waits until something holds.
async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    let begin = tokio::time::Instant::now();
    while !holds().await {
        assert!(begin.elapsed() < SOON, "still not so: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
