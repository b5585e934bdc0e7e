//! What the tables are: `DescribeTable` and `ListTables`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{DynamoDb, DynamoDbError, parameters};
use crate::account::{ACCOUNT_ID, REGION};
use crate::rpc::Call;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DescribeTable {
    table_name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ListTables {
    exclusive_start_table_name: Option<String>,
    limit: Option<usize>,
}

impl DynamoDb {
    pub(super) fn describe_table(&self, call: &Call) -> Result<Value, DynamoDbError> {
        let DescribeTable { table_name: name } = parameters(call)?;
        let table = self.table(&name)?;
        let arn = format!("arn:aws:dynamodb:{REGION}:{ACCOUNT_ID}:table/{name}");
        let hash = |attribute| json!([{ "AttributeName": attribute, "KeyType": "HASH" }]);
        let text = |attribute| json!({ "AttributeName": attribute, "AttributeType": "S" });
        let mut description = json!({
            "TableName": name,
            "TableArn": arn,
            "TableStatus": "ACTIVE",
            "KeySchema": hash(table.key()),
            "AttributeDefinitions": [text(table.key()), text(table.index_key())],
            "BillingModeSummary": { "BillingMode": "PAY_PER_REQUEST" },
            "GlobalSecondaryIndexes": [{
                "IndexName": table.index_name(),
                "IndexArn": format!("{arn}/index/{}", table.index_name()),
                "IndexStatus": "ACTIVE",
                "KeySchema": hash(table.index_key()),
                "Projection": { "ProjectionType": "ALL" },
            }],
        });
        if table.streamed() {
            description["StreamSpecification"] =
                json!({ "StreamEnabled": true, "StreamViewType": "NEW_IMAGE" });
        }
        Ok(json!({ "Table": description }))
    }

    pub(super) fn list_tables(&self, call: &Call) -> Result<Value, DynamoDbError> {
        let ListTables { exclusive_start_table_name: start, limit } = parameters(call)?;
        let limit = limit.unwrap_or(100);
        if !(1..=100).contains(&limit) {
            return Err(DynamoDbError::invalid("Limit must lie between 1 and 100"));
        }
        let mut names = self.names.to_vec();
        names.sort();
        names.retain(|name| start.as_ref().is_none_or(|start| name > start));
        let more = names.len() > limit;
        names.truncate(limit);
        let mut answer = json!({ "TableNames": names });
        if more {
            answer["LastEvaluatedTableName"] = json!(names.last());
        }
        Ok(answer)
    }
}
