//! [`TableStore`] over DynamoDB.
//!
//! Requests are validated by DynamoDB only. The embedded tables of the local stack have the same texts, and
//! `serve/tests/it/aws/contract` tests both with the same contract. The SDK does not retry, because the stores do, and
//! they know the remaining time of the invocation.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::error::{BuildError, DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, PutRequest, WriteRequest};
use reference_backend::function::Table;
use reference_backend::ports::{BatchGet, Condition, TableError, TableStore};
use serde_dynamo::Item;

use super::attributes::{attributes, item};

/// Connect time-out.
const CONNECT: Duration = Duration::from_secs(1);
/// Time-out of one request. The stores retry it, which must fit into an invocation's 10 s.
const REQUEST: Duration = Duration::from_secs(2);

type Attributes = HashMap<String, AttributeValue>;

/// The tables of one deployment.
#[derive(Debug, Clone)]
pub struct DynamoTables {
    client: Client,
    /// In the order of [`Table::ALL`].
    names: [String; Table::ALL.len()],
}

impl DynamoTables {
    /// Tables with the names of `name_of`, and the region, credentials and endpoint of `client`.
    #[must_use]
    pub fn new(client: Client, name_of: impl Fn(Table) -> String) -> Self {
        Self::with_patience(client, name_of, REQUEST)
    }

    /// The same with another time-out of a request.
    #[must_use]
    pub fn with_patience(client: Client, name_of: impl Fn(Table) -> String, request: Duration) -> Self {
        let patience = TimeoutConfig::builder().connect_timeout(CONNECT).operation_timeout(request).build();
        let config =
            client.config().to_builder().retry_config(RetryConfig::disabled()).timeout_config(patience);
        Self { client: Client::from_conf(config.build()), names: Table::ALL.map(name_of) }
    }

    /// Full name of a table.
    #[must_use]
    pub fn name(&self, table: Table) -> &str {
        &self.names[table as usize]
    }

    /// Maps an error of a request to the port's error.
    fn refusal<E>(&self, table: Table, error: SdkError<E>) -> TableError
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let refused = error.as_service_error();
        let message =
            || refused.and_then(|refused| refused.message()).unwrap_or("no reason given").to_owned();
        match refused.and_then(|refused| refused.code()) {
            Some("ConditionalCheckFailedException") => TableError::ConditionFailed,
            Some(
                "ThrottlingException" | "ProvisionedThroughputExceededException" | "RequestLimitExceeded",
            ) => {
                tracing::debug!(table = self.name(table), reason = message(), "throttled");
                TableError::Throttled(self.name(table).to_owned())
            }
            Some("ValidationException") => TableError::Validation(message()),
            _ => TableError::Unavailable(DisplayErrorContext(error).to_string()),
        }
    }
}

#[async_trait]
impl TableStore for DynamoTables {
    async fn put(&self, table: Table, item: Item, condition: Option<Condition>) -> Result<(), TableError> {
        let Expression { text, names, values } = Expression::of(table, condition);
        let request = self.client.put_item().table_name(self.name(table)).set_item(Some(attributes(item)));
        let request = request.set_condition_expression(text).set_expression_attribute_names(names);
        let request = request.set_expression_attribute_values(values);
        request.send().await.map_err(|error| self.refusal(table, error))?;
        Ok(())
    }

    async fn get(&self, table: Table, key: &str) -> Result<Option<Item>, TableError> {
        let request = self.client.get_item().table_name(self.name(table)).key(table.key(), text(key));
        let answer =
            request.consistent_read(true).send().await.map_err(|error| self.refusal(table, error))?;
        Ok(answer.item.map(item))
    }

    async fn delete(&self, table: Table, key: &str, condition: Option<Condition>) -> Result<(), TableError> {
        let Expression { text: expression, names, values } = Expression::of(table, condition);
        let request = self.client.delete_item().table_name(self.name(table)).key(table.key(), text(key));
        let request = request.set_condition_expression(expression).set_expression_attribute_names(names);
        let request = request.set_expression_attribute_values(values);
        request.send().await.map_err(|error| self.refusal(table, error))?;
        Ok(())
    }

    async fn query_index(&self, table: Table, value: &str) -> Result<Vec<Item>, TableError> {
        let mut pages = self
            .client
            .query()
            .table_name(self.name(table))
            .index_name(table.index_name())
            .key_condition_expression("#key = :key")
            .expression_attribute_names("#key", table.index_key())
            .expression_attribute_values(":key", text(value))
            .into_paginator()
            .send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let items = page.map_err(|error| self.refusal(table, error))?.items.unwrap_or_default();
            found.extend(items.into_iter().map(item));
        }
        Ok(found)
    }

    async fn batch_get(&self, table: Table, keys: Vec<String>) -> Result<BatchGet, TableError> {
        let name = self.name(table);
        let wanted = keys.iter().map(|key| Attributes::from([(table.key().to_owned(), text(key))]));
        let wanted =
            KeysAndAttributes::builder().set_keys(Some(wanted.collect())).build().map_err(invalid)?;
        let answer = self.client.batch_get_item().request_items(name, wanted).send().await;
        match answer.map_err(|error| self.refusal(table, error)) {
            Ok(answer) => {
                let found = answer.responses.unwrap_or_default().remove(name).unwrap_or_default();
                let left = answer.unprocessed_keys.unwrap_or_default().remove(name);
                let left = left.map(|left| left.keys).unwrap_or_default();
                let key = |found: Attributes| found.get(table.key())?.as_s().ok().cloned();
                Ok(BatchGet {
                    items: found.into_iter().map(item).collect(),
                    unprocessed: left.into_iter().filter_map(key).collect(),
                })
            }
            Err(TableError::Throttled(_)) => Ok(BatchGet { items: Vec::new(), unprocessed: keys }),
            Err(error) => Err(error),
        }
    }

    async fn batch_put(&self, table: Table, items: Vec<Item>) -> Result<Vec<Item>, TableError> {
        let name = self.name(table);
        let write = |item: &Item| {
            let put =
                PutRequest::builder().set_item(Some(attributes(item.clone()))).build().map_err(invalid)?;
            Ok(WriteRequest::builder().put_request(put).build())
        };
        let writes = items.iter().map(write).collect::<Result<Vec<_>, _>>()?;
        let answer = self.client.batch_write_item().request_items(name, writes).send().await;
        match answer.map_err(|error| self.refusal(table, error)) {
            Ok(answer) => {
                let left = answer.unprocessed_items.unwrap_or_default().remove(name).unwrap_or_default();
                Ok(left.into_iter().filter_map(|write| Some(item(write.put_request?.item))).collect())
            }
            Err(TableError::Throttled(_)) => Ok(items),
            Err(error) => Err(error),
        }
    }
}

/// A condition expression. Names are placeholders, because `status` is a reserved word.
#[derive(Default)]
struct Expression {
    text: Option<String>,
    names: Option<HashMap<String, String>>,
    values: Option<Attributes>,
}

impl Expression {
    fn of(table: Table, condition: Option<Condition>) -> Self {
        let Some(condition) = condition else { return Self::default() };
        let key = ("#k", table.key());
        match condition {
            Condition::Absent => Self::new("attribute_not_exists(#k)", &[key], None),
            Condition::Equals { attribute, value } => {
                Self::new("#n = :v", &[("#n", attribute)], Some(AttributeValue::S(value)))
            }
            Condition::AbsentOrAtMost { attribute, value } => Self::new(
                "attribute_not_exists(#k) OR #n <= :v",
                &[key, ("#n", attribute)],
                Some(AttributeValue::N(value.to_string())),
            ),
            // A comparison with a missing attribute, or one that is not a number, is false; its negation is true.
            Condition::NotAbove { attribute, value } => {
                Self::new("NOT #n > :v", &[("#n", attribute)], Some(AttributeValue::N(value.to_string())))
            }
        }
    }

    /// DynamoDB refuses names and values that the text does not use.
    fn new(text: &str, names: &[(&str, &str)], value: Option<AttributeValue>) -> Self {
        let names = names.iter().map(|&(placeholder, name)| (placeholder.to_owned(), name.to_owned()));
        Self {
            text: Some(text.to_owned()),
            names: Some(names.collect()),
            values: value.map(|value| Attributes::from([(":v".to_owned(), value)])),
        }
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn invalid(error: BuildError) -> TableError {
    TableError::Validation(error.to_string())
}
