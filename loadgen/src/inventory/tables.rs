//! DynamoDB: throughput of tables and indexes, and the shards of streams.

use futures_util::StreamExt as _;
use reports::format::LimitKind;
use serde::Deserialize;
use serde_json::json;

use super::{Inventory, Scope};
use crate::aws::{Api, Call, Page, Service};

/// Calls at the same time.
const AT_ONCE: usize = 4;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tables {
    #[serde(default)]
    table_names: Vec<String>,
    last_evaluated_table_name: Option<String>,
}

impl Page for Tables {
    type Item = String;

    fn split(self) -> (Vec<String>, Option<String>) {
        (self.table_names, self.last_evaluated_table_name)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    table: Table,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Table {
    #[serde(flatten)]
    throughput: Throughput,
    #[serde(default)]
    global_secondary_indexes: Vec<Index>,
    latest_stream_arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Index {
    index_name: String,
    #[serde(flatten)]
    throughput: Throughput,
}

/// What a table or an index may use.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Throughput {
    provisioned_throughput: Provisioned,
    on_demand_throughput: OnDemand,
    warm_throughput: Warm,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Provisioned {
    read_capacity_units: f64,
    write_capacity_units: f64,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct OnDemand {
    max_read_request_units: Option<f64>,
    max_write_request_units: Option<f64>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Warm {
    read_units_per_second: Option<f64>,
    write_units_per_second: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stream {
    stream_description: StreamDescription,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StreamDescription {
    #[serde(default)]
    shards: Vec<Shard>,
    last_evaluated_shard_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Shard {
    #[serde(default)]
    sequence_number_range: SequenceNumbers,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct SequenceNumbers {
    ending_sequence_number: Option<String>,
}

impl Page for Stream {
    type Item = Shard;

    fn split(self) -> (Vec<Shard>, Option<String>) {
        (self.stream_description.shards, self.stream_description.last_evaluated_shard_id)
    }
}

impl Throughput {
    /// Read and write units per second, and how they are known: a limit that somebody set counts before what the table is
    /// warm for, which DynamoDB raises as it is used.
    fn units(&self) -> [(LimitKind, Option<f64>, &'static str); 2] {
        let Self { provisioned_throughput, on_demand_throughput, warm_throughput } = self;
        let of = |kind, provisioned: f64, most: Option<f64>, warm: Option<f64>| {
            // -1: no maximum.
            let most = most.filter(|most| *most >= 0.0);
            if provisioned > 0.0 {
                (kind, Some(provisioned), "dynamodb:DescribeTable ProvisionedThroughput")
            } else if most.is_some() {
                (kind, most, "dynamodb:DescribeTable OnDemandThroughput")
            } else {
                (kind, warm, "dynamodb:DescribeTable WarmThroughput")
            }
        };
        [
            of(
                LimitKind::ReadUnits,
                provisioned_throughput.read_capacity_units,
                on_demand_throughput.max_read_request_units,
                warm_throughput.read_units_per_second,
            ),
            of(
                LimitKind::WriteUnits,
                provisioned_throughput.write_capacity_units,
                on_demand_throughput.max_write_request_units,
                warm_throughput.write_units_per_second,
            ),
        ]
    }
}

/// The tables of the backend.
pub(super) async fn tables(api: &Api, scope: &Scope, inventory: &mut Inventory) {
    let call = |start: Option<&str>| {
        let parameters = start.map_or_else(|| json!({}), |start| json!({ "ExclusiveStartTableName": start }));
        Call::json(Service::DynamoDb, "ListTables", &parameters)
    };
    let listed = api.list::<Tables>(call).await;
    inventory.tables.extend(listed.into_iter().filter(|name| scope.owns(name)));
    let names: Vec<String> = inventory.tables.iter().cloned().collect();
    let asked = futures_util::stream::iter(names).map(|name| async {
        let call = Call::json(Service::DynamoDb, "DescribeTable", &json!({ "TableName": name }));
        let table = api.ask::<Described>(&call).await.map(|described| described.table);
        let stream = table.as_ref().and_then(|table| table.latest_stream_arn.as_deref());
        let shards = match stream {
            Some(stream) => open_shards(api, stream).await,
            None => None,
        };
        (name, table, shards)
    });
    for (name, table, shards) in asked.buffered(AT_ONCE).collect::<Vec<_>>().await {
        let Some(table) = table else { continue };
        let mut add = |resource: &str, throughput: &Throughput| {
            for (kind, value, source) in throughput.units() {
                if let Some(value) = value {
                    inventory.limit(kind, resource, value, source);
                }
            }
        };
        add(&name, &table.throughput);
        for index in &table.global_secondary_indexes {
            add(&format!("{name}/{}", index.index_name), &index.throughput);
        }
        let indexes =
            table.global_secondary_indexes.iter().map(|index| format!("{name}/{}", index.index_name));
        inventory.indexes.extend(indexes);
        if let Some(shards) = shards {
            inventory.limit(LimitKind::OpenShards, &name, shards, "dynamodb:DescribeStream");
        }
    }
}

/// Shards of a stream that still take records; `None`: not known.
async fn open_shards(api: &Api, stream: &str) -> Option<f64> {
    let call = |start: Option<&str>| {
        let mut parameters = json!({ "StreamArn": stream });
        if let Some(start) = start {
            parameters["ExclusiveStartShardId"] = start.into();
        }
        Call::json(Service::Streams, "DescribeStream", &parameters)
    };
    let shards = api.list::<Stream>(call).await;
    let open = shards.iter().filter(|shard| shard.sequence_number_range.ending_sequence_number.is_none());
    (!shards.is_empty()).then(|| open.count() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(table: serde_json::Value) -> Vec<(LimitKind, Option<f64>, &'static str)> {
        serde_json::from_value::<Throughput>(table).unwrap().units().to_vec()
    }

    #[test]
    fn what_somebody_set_counts_before_what_the_table_is_warm_for() {
        let warm = json!({ "ReadUnitsPerSecond": 12_000, "WriteUnitsPerSecond": 4_000, "Status": "ACTIVE" });
        let zero = json!({ "ReadCapacityUnits": 0, "WriteCapacityUnits": 0 });
        let on_demand = units(json!({ "ProvisionedThroughput": zero, "WarmThroughput": warm }));
        assert_eq!(
            on_demand,
            [
                (LimitKind::ReadUnits, Some(12_000.0), "dynamodb:DescribeTable WarmThroughput"),
                (LimitKind::WriteUnits, Some(4_000.0), "dynamodb:DescribeTable WarmThroughput"),
            ]
        );
        let most = json!({ "MaxReadRequestUnits": -1, "MaxWriteRequestUnits": 100 });
        let limited = units(json!({ "OnDemandThroughput": most, "WarmThroughput": warm }));
        assert_eq!((limited[0].1, limited[1].1), (Some(12_000.0), Some(100.0)));
        let provisioned = json!({ "ReadCapacityUnits": 5, "WriteCapacityUnits": 7 });
        let provisioned = units(json!({ "ProvisionedThroughput": provisioned, "WarmThroughput": warm }));
        assert_eq!((provisioned[0].1, provisioned[1].1), (Some(5.0), Some(7.0)));
        assert!(units(json!({})).iter().all(|(_, value, _)| value.is_none()), "nothing is known");
    }
}
