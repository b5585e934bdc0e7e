//! What the tables are: `DescribeTable` and `ListTables`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{DynamoDb, DynamoDbError, Warm, parameters};
use crate::account::arn;
use crate::rpc::Call;
use crate::streams::{LABEL, stream_arn};

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

impl Warm {
    /// Throughput that a table holds without warming up; absent where nothing limits it.
    fn shown(self) -> Option<Value> {
        let Self { read_units, write_units } = self;
        (read_units.is_some() || write_units.is_some()).then(|| {
            let mut shown = json!({ "Status": "ACTIVE" });
            if let Some(units) = read_units {
                shown["ReadUnitsPerSecond"] = units.into();
            }
            if let Some(units) = write_units {
                shown["WriteUnitsPerSecond"] = units.into();
            }
            shown
        })
    }
}

impl DynamoDb {
    pub(super) fn describe_table(&self, call: &Call) -> Result<Value, DynamoDbError> {
        let DescribeTable { table_name: name } = parameters(call)?;
        let table = self.table(&name)?;
        let name = self.name(table);
        let arn = arn("dynamodb", &format!("table/{name}"));
        let warm = self.warm[table as usize].shown();
        let hash = |attribute| json!([{ "AttributeName": attribute, "KeyType": "HASH" }]);
        let text = |attribute| json!({ "AttributeName": attribute, "AttributeType": "S" });
        let unprovisioned =
            json!({ "ReadCapacityUnits": 0, "WriteCapacityUnits": 0, "NumberOfDecreasesToday": 0 });
        let mut description = json!({
            "TableName": name,
            "TableArn": arn,
            "TableStatus": "ACTIVE",
            "KeySchema": hash(table.key()),
            "AttributeDefinitions": [text(table.key()), text(table.index_key())],
            "BillingModeSummary": { "BillingMode": "PAY_PER_REQUEST" },
            // What is provisioned, in a table that is not.
            "ProvisionedThroughput": unprovisioned,
            "GlobalSecondaryIndexes": [{
                "IndexName": table.index_name(),
                "IndexArn": format!("{arn}/index/{}", table.index_name()),
                "IndexStatus": "ACTIVE",
                "KeySchema": hash(table.index_key()),
                "Projection": { "ProjectionType": "ALL" },
                "ProvisionedThroughput": unprovisioned,
            }],
        });
        if let Some(warm) = warm {
            description["GlobalSecondaryIndexes"][0]["WarmThroughput"] = warm.clone();
            description["WarmThroughput"] = warm;
        }
        if table.streamed() {
            description["StreamSpecification"] =
                json!({ "StreamEnabled": true, "StreamViewType": "NEW_IMAGE" });
            description["LatestStreamLabel"] = LABEL.into();
            description["LatestStreamArn"] = stream_arn(name).into();
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
