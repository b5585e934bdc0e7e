//! `BatchGetItem` and `BatchWriteItem`, over one table or several.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use reference_backend::function::Table;
use reference_backend::ports::{BATCH_GET_LIMIT, BATCH_PUT_LIMIT, BatchGet, TableError};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_dynamo::{AttributeValue, Item};
use serde_json::{Value, json};

use super::{DynamoDb, DynamoDbError, json, key, key_of, parameters};
use crate::rpc::Call;
use crate::tables::{check_batch, check_different};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct BatchGetItem {
    request_items: BTreeMap<String, Wanted>,
    #[serde(rename = "ReturnConsumedCapacity")]
    _capacity: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Wanted {
    keys: Vec<Item>,
    /// Every read is consistent.
    #[serde(rename = "ConsistentRead")]
    _consistent: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct BatchWriteItem {
    request_items: BTreeMap<String, Vec<BatchWrite>>,
    #[serde(rename = "ReturnConsumedCapacity")]
    _capacity: Option<IgnoredAny>,
    #[serde(rename = "ReturnItemCollectionMetrics")]
    _collections: Option<IgnoredAny>,
}

/// `{"PutRequest": ..}` or `{"DeleteRequest": ..}`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
enum BatchWrite {
    PutRequest {
        #[serde(rename = "Item")]
        item: Item,
    },
    DeleteRequest {
        #[serde(rename = "Key")]
        key: Item,
    },
}

impl DynamoDb {
    pub(super) async fn batch_get_item(&self, call: &Call) -> Result<Value, DynamoDbError> {
        let request: BatchGetItem = parameters(call)?;
        let asked = request.request_items.values().map(|wanted| wanted.keys.len()).sum();
        check_batch(asked, BATCH_GET_LIMIT, "BatchGetItem")?;
        let (mut responses, mut unprocessed, mut left) = (BTreeMap::new(), BTreeMap::new(), 0);
        for (name, wanted) in request.request_items {
            let table = self.table(&name)?;
            let keys: Result<Vec<_>, _> =
                wanted.keys.iter().map(|key| key_of(table, key).map(str::to_owned)).collect();
            let BatchGet { items, unprocessed: again } = self.tables.batch_get(table, keys?).await?;
            left += again.len();
            if !again.is_empty() {
                let keys: Vec<Item> = again.into_iter().map(|value| key(table, value)).collect();
                unprocessed.insert(name.clone(), json!({ "Keys": json(&keys)? }));
            }
            responses.insert(name, json(&items)?);
        }
        processed(asked, left)?;
        Ok(json!({ "Responses": responses, "UnprocessedKeys": unprocessed }))
    }

    pub(super) async fn batch_write_item(&self, call: &Call) -> Result<Value, DynamoDbError> {
        let request: BatchWriteItem = parameters(call)?;
        let asked = request.request_items.values().map(Vec::len).sum();
        check_batch(asked, BATCH_PUT_LIMIT, "BatchWriteItem")?;
        let (mut unprocessed, mut left) = (BTreeMap::new(), 0);
        for (name, writes) in request.request_items {
            let again = self.write(self.table(&name)?, writes).await?;
            left += again.len();
            if !again.is_empty() {
                unprocessed.insert(name, json(&again)?);
            }
        }
        processed(asked, left)?;
        Ok(json!({ "UnprocessedItems": unprocessed }))
    }

    /// Writes and deletes in one table; returns the unprocessed ones.
    async fn write(&self, table: Table, writes: Vec<BatchWrite>) -> Result<Vec<BatchWrite>, DynamoDbError> {
        let (mut puts, mut deletes) = (Vec::new(), Vec::new());
        for write in writes {
            match write {
                BatchWrite::PutRequest { item } => puts.push(item),
                BatchWrite::DeleteRequest { key } => deletes.push((key_of(table, &key)?.to_owned(), key)),
            }
        }
        // An item without a key is the table's to refuse.
        let put = puts.iter().filter_map(|item| match item.get(table.key()) {
            Some(AttributeValue::S(key)) => Some(key.as_str()),
            _ => None,
        });
        check_different(put.chain(deletes.iter().map(|(key, _)| key.as_str())))?;
        let mut again = Vec::new();
        if !puts.is_empty() {
            let left = self.tables.batch_put(table, puts).await?;
            again.extend(left.into_iter().map(|item| BatchWrite::PutRequest { item }));
        }
        let deleting = deletes.into_iter().map(async |(text, key)| {
            let outcome = self.tables.delete(table, &text, None).await;
            (key, outcome)
        });
        for deleted in join_all(deleting).await {
            match deleted {
                (_, Ok(())) => {}
                (key, Err(TableError::Throttled(_))) => again.push(BatchWrite::DeleteRequest { key }),
                (_, Err(error)) => return Err(error.into()),
            }
        }
        Ok(again)
    }
}

/// A batch without any processed item fails as a whole.
fn processed(asked: usize, left: usize) -> Result<(), DynamoDbError> {
    if left < asked { Ok(()) } else { Err(TableError::Throttled("every item of the batch".into()).into()) }
}
