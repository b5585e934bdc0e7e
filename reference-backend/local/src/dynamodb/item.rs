//! Operations on one item, and `Query`.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_dynamo::Item;
use serde_json::{Value, json};

use super::expression::{Names, Values, condition, key_condition};
use super::{DynamoDb, DynamoDbError, json, key_of, parameters};
use crate::rpc::Call;

/// Values of the return parameters that need no answer.
#[derive(Debug, Default, Deserialize)]
enum Nothing {
    #[default]
    #[serde(rename = "NONE")]
    None,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Put {
    table_name: String,
    item: Item,
    condition_expression: Option<String>,
    #[serde(default)]
    expression_attribute_names: Names,
    #[serde(default)]
    expression_attribute_values: Values,
    #[serde(default, rename = "ReturnValues")]
    _values: Nothing,
    #[serde(default, rename = "ReturnValuesOnConditionCheckFailure")]
    _failed: Nothing,
    #[serde(rename = "ReturnConsumedCapacity")]
    _capacity: Option<IgnoredAny>,
    #[serde(rename = "ReturnItemCollectionMetrics")]
    _collections: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Delete {
    table_name: String,
    key: Item,
    condition_expression: Option<String>,
    #[serde(default)]
    expression_attribute_names: Names,
    #[serde(default)]
    expression_attribute_values: Values,
    #[serde(default, rename = "ReturnValues")]
    _values: Nothing,
    #[serde(default, rename = "ReturnValuesOnConditionCheckFailure")]
    _failed: Nothing,
    #[serde(rename = "ReturnConsumedCapacity")]
    _capacity: Option<IgnoredAny>,
    #[serde(rename = "ReturnItemCollectionMetrics")]
    _collections: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Get {
    table_name: String,
    key: Item,
    /// Every read is consistent.
    #[serde(rename = "ConsistentRead")]
    _consistent: Option<IgnoredAny>,
    #[serde(rename = "ReturnConsumedCapacity")]
    _capacity: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct QueryInput {
    table_name: String,
    index_name: Option<String>,
    key_condition_expression: String,
    #[serde(default)]
    expression_attribute_names: Names,
    #[serde(default)]
    expression_attribute_values: Values,
    #[serde(default)]
    consistent_read: bool,
    #[serde(rename = "ReturnConsumedCapacity")]
    _capacity: Option<IgnoredAny>,
}

impl DynamoDb {
    pub(super) async fn put_item(&self, call: &Call) -> Result<Value, DynamoDbError> {
        let request: Put = parameters(call)?;
        let table = self.table(&request.table_name)?;
        let (names, values) = (request.expression_attribute_names, request.expression_attribute_values);
        let condition = condition(table, request.condition_expression.as_deref(), &names, &values)?;
        self.tables.put(table, request.item, condition).await?;
        Ok(json!({}))
    }

    pub(super) async fn get_item(&self, call: &Call) -> Result<Value, DynamoDbError> {
        let request: Get = parameters(call)?;
        let table = self.table(&request.table_name)?;
        let found = self.tables.get(table, key_of(table, &request.key)?).await?;
        Ok(match found {
            Some(item) => json!({ "Item": json(&item)? }),
            None => json!({}),
        })
    }

    pub(super) async fn delete_item(&self, call: &Call) -> Result<Value, DynamoDbError> {
        let request: Delete = parameters(call)?;
        let table = self.table(&request.table_name)?;
        let (names, values) = (request.expression_attribute_names, request.expression_attribute_values);
        let condition = condition(table, request.condition_expression.as_deref(), &names, &values)?;
        self.tables.delete(table, key_of(table, &request.key)?, condition).await?;
        Ok(json!({}))
    }

    pub(super) async fn query(&self, call: &Call) -> Result<Value, DynamoDbError> {
        let request: QueryInput = parameters(call)?;
        let table = self.table(&request.table_name)?;
        let attribute = match request.index_name.as_deref() {
            None => table.key(),
            Some(index) if index != table.index_name() => {
                return Err(DynamoDbError::invalid(format!(
                    "The table does not have the specified index: {index}"
                )));
            }
            Some(_) if request.consistent_read => {
                return Err(DynamoDbError::invalid(
                    "Consistent reads are not supported on global secondary indexes",
                ));
            }
            Some(_) => table.index_key(),
        };
        let (names, values) = (request.expression_attribute_names, request.expression_attribute_values);
        let value = key_condition(attribute, &request.key_condition_expression, &names, &values)?;
        let found = match request.index_name {
            Some(_) => self.tables.query_index(table, &value).await?,
            None => self.tables.get(table, &value).await?.into_iter().collect(),
        };
        Ok(json!({ "Items": json(&found)?, "Count": found.len(), "ScannedCount": found.len() }))
    }
}
