//! DynamoDB Streams: which streams there are and how many shards they have. Their records are for the stack's own
//! mappings.

use reference_backend::function::Table;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{DynamoDb, DynamoDbError, parameters};
use crate::rpc::Call;
use crate::streams::{LABEL, stream_arn};

/// AWS's page sizes.
const PAGE: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DescribeStream {
    stream_arn: String,
    limit: Option<usize>,
    exclusive_start_shard_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ListStreams {
    table_name: Option<String>,
    limit: Option<usize>,
    exclusive_start_stream_arn: Option<String>,
}

impl DynamoDb {
    /// As on AWS, where a shard is replaced after some hours, each open shard has a parent that is closed. Both are listed.
    pub(super) fn describe_stream(&self, call: &Call) -> Result<Value, DynamoDbError> {
        let request: DescribeStream = parameters(call)?;
        let table = Table::ALL
            .into_iter()
            .find(|table| table.streamed() && stream_arn(self.name(*table)) == request.stream_arn)
            .ok_or_else(|| DynamoDbError::NoStream(request.stream_arn.clone()))?;
        let (shards, last) = part(self.shards(), request.limit, |shard| {
            request.exclusive_start_shard_id.as_deref().is_none_or(|start| id(shard, "ShardId") > start)
        })?;
        let mut description = json!({
            "StreamArn": request.stream_arn,
            "StreamLabel": LABEL,
            "StreamStatus": "ENABLED",
            "StreamViewType": "NEW_IMAGE",
            "TableName": self.name(table),
            "KeySchema": [{ "AttributeName": table.key(), "KeyType": "HASH" }],
        });
        if let Some(last) = last.then(|| shards.last()).flatten() {
            description["LastEvaluatedShardId"] = last["ShardId"].clone();
        }
        description["Shards"] = shards.into();
        Ok(json!({ "StreamDescription": description }))
    }

    pub(super) fn list_streams(&self, call: &Call) -> Result<Value, DynamoDbError> {
        let request: ListStreams = parameters(call)?;
        if let Some(name) = &request.table_name {
            self.table(name)?;
        }
        let stream = |table: Table| {
            let name = self.name(table);
            json!({ "StreamArn": stream_arn(name), "StreamLabel": LABEL, "TableName": name })
        };
        let is_wanted = |table: &Table| {
            table.streamed() && request.table_name.as_deref().is_none_or(|name| self.name(*table) == name)
        };
        let all = Table::ALL.into_iter().filter(is_wanted).map(stream).collect();
        let (streams, last) = part(all, request.limit, |stream| {
            request.exclusive_start_stream_arn.as_deref().is_none_or(|start| id(stream, "StreamArn") > start)
        })?;
        let mut answer = json!({});
        if let Some(last) = last.then(|| streams.last()).flatten() {
            answer["LastEvaluatedStreamArn"] = last["StreamArn"].clone();
        }
        answer["Streams"] = streams.into();
        Ok(answer)
    }

    /// The shards of a stream, sorted by their ids.
    fn shards(&self) -> Vec<Value> {
        let number = |generation: u64, shard: usize| format!("shardId-{generation:020}-{shard:08x}");
        let range = |generation: u64| format!("{generation:021}");
        let closed = (0..self.stream_shards).map(|shard| {
            json!({
                "ShardId": number(1, shard),
                "SequenceNumberRange": { "StartingSequenceNumber": range(1), "EndingSequenceNumber": range(2) },
            })
        });
        let open = (0..self.stream_shards).map(|shard| {
            json!({
                "ShardId": number(2, shard),
                "ParentShardId": number(1, shard),
                "SequenceNumberRange": { "StartingSequenceNumber": range(3) },
            })
        });
        closed.chain(open).collect()
    }
}

fn id<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// The first of `all` that are wanted, and whether there are more.
fn part(
    mut all: Vec<Value>,
    limit: Option<usize>,
    is_wanted: impl Fn(&Value) -> bool,
) -> Result<(Vec<Value>, bool), DynamoDbError> {
    let limit = limit.unwrap_or(PAGE);
    if !(1..=PAGE).contains(&limit) {
        return Err(DynamoDbError::invalid("Limit must lie between 1 and 100"));
    }
    all.retain(is_wanted);
    let more = all.len() > limit;
    all.truncate(limit);
    Ok((all, more))
}
