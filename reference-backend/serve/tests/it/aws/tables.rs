//! `aws-sdk-dynamodb` against the local stack's own DynamoDB endpoint, with the expressions that the adapter sends.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, KeysAndAttributes, PutRequest, WriteRequest};
use reference_backend_local::profile::Profile;
use reference_backend_local::stack::{LocalStack, StackConfig};

use super::config;

const CONNECTIONS: &str = "reference-Development-Connections";

type Attributes = HashMap<String, AttributeValue>;

async fn stack(profile: &str) -> (LocalStack, Client) {
    let profile = Profile::parse(profile, "test").unwrap();
    let stack = LocalStack::start(StackConfig { profile, ..StackConfig::default() }).await.unwrap();
    let client = Client::new(&config(Some(&stack.endpoints().dynamodb)).await);
    (stack, client)
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn connection(player: &str, id: &str, at: u32) -> Attributes {
    [
        ("playerId".to_owned(), text(player)),
        ("connectionId".to_owned(), text(id)),
        ("connectedAt".to_owned(), AttributeValue::N(at.to_string())),
    ]
    .into()
}

fn code<E: ProvideErrorMetadata, R, T>(outcome: Result<T, SdkError<E, R>>) -> Option<String> {
    outcome.err()?.as_service_error()?.code().map(str::to_owned)
}

#[tokio::test]
async fn the_newer_connection_stays() {
    let (_stack, client) = stack("").await;
    let put = async |id: &str, at: u32| {
        let request = client.put_item().table_name(CONNECTIONS).set_item(Some(connection("ann", id, at)));
        let request = request
            .condition_expression("attribute_not_exists(#k) OR #n <= :v")
            .expression_attribute_names("#k", "playerId")
            .expression_attribute_names("#n", "connectedAt")
            .expression_attribute_values(":v", AttributeValue::N(at.to_string()));
        code(request.send().await)
    };
    assert_eq!(put("c-2", 2).await, None);
    assert_eq!(put("c-1", 1).await.as_deref(), Some("ConditionalCheckFailedException"));
    assert_eq!(put("c-3", 3).await, None);

    let delete = async |id: &str| {
        let request = client.delete_item().table_name(CONNECTIONS).key("playerId", text("ann"));
        let request = request
            .condition_expression("#n = :v")
            .expression_attribute_names("#n", "connectionId")
            .expression_attribute_values(":v", text(id));
        code(request.send().await)
    };
    assert_eq!(delete("c-2").await.as_deref(), Some("ConditionalCheckFailedException"));
    let get = client.get_item().table_name(CONNECTIONS).key("playerId", text("ann")).consistent_read(true);
    assert_eq!(get.clone().send().await.unwrap().item, Some(connection("ann", "c-3", 3)));
    assert_eq!(delete("c-3").await, None);
    assert_eq!(get.send().await.unwrap().item, None);

    let absent = client.put_item().table_name(CONNECTIONS).set_item(Some(connection("bob", "c", 1)));
    let absent =
        absent.condition_expression("attribute_not_exists(#k)").expression_attribute_names("#k", "playerId");
    assert_eq!(code(absent.clone().send().await), None);
    assert_eq!(code(absent.send().await).as_deref(), Some("ConditionalCheckFailedException"));
}

#[tokio::test]
async fn batches_and_the_index() {
    let (_stack, client) = stack("").await;
    let players: Vec<String> = (0..25).map(|number| format!("p{number}")).collect();
    let put = |player: &String| {
        let put = PutRequest::builder().set_item(Some(connection(player, "shared", 1))).build().unwrap();
        WriteRequest::builder().put_request(put).build()
    };
    let writes = players.iter().map(put).collect();
    let written = client.batch_write_item().request_items(CONNECTIONS, writes).send().await.unwrap();
    assert!(written.unprocessed_items.unwrap_or_default().is_empty());

    let mut pages = client
        .query()
        .table_name(CONNECTIONS)
        .index_name("ConnectionIdIndex")
        .key_condition_expression("#key = :key")
        .expression_attribute_names("#key", "connectionId")
        .expression_attribute_values(":key", text("shared"))
        .into_paginator()
        .items()
        .send();
    let mut found = 0;
    while let Some(item) = pages.next().await {
        assert_eq!(item.unwrap()["connectionId"], text("shared"));
        found += 1;
    }
    assert_eq!(found, players.len());

    let key = |player: &String| Attributes::from([("playerId".to_owned(), text(player))]);
    let nobody = "nobody".to_owned();
    let wanted = KeysAndAttributes::builder()
        .set_keys(Some(players.iter().chain([&nobody]).map(key).collect()))
        .build()
        .unwrap();
    let read = client.batch_get_item().request_items(CONNECTIONS, wanted).send().await.unwrap();
    assert_eq!(read.responses.unwrap()[CONNECTIONS].len(), players.len());

    let delete = |player: &String| {
        let delete = DeleteRequest::builder().set_key(Some(key(player))).build().unwrap();
        WriteRequest::builder().delete_request(delete).build()
    };
    let deletes = players.iter().map(delete).collect();
    client.batch_write_item().request_items(CONNECTIONS, deletes).send().await.unwrap();
    let get = client.get_item().table_name(CONNECTIONS).key("playerId", text("p7"));
    assert_eq!(get.send().await.unwrap().item, None);
}

#[tokio::test]
async fn what_was_not_processed_comes_back_and_a_batch_of_nothing_else_is_throttled() {
    for (rate, all) in [(0.5, false), (1.0, true)] {
        let (_stack, client) = stack(&format!("[tables]\nunprocessed_rate = {rate:?}")).await;
        let key = |number: u32| Attributes::from([("playerId".to_owned(), text(&number.to_string()))]);
        let wanted = KeysAndAttributes::builder().set_keys(Some((0..60).map(key).collect())).build().unwrap();
        let read = client.batch_get_item().request_items(CONNECTIONS, wanted).send().await;
        if all {
            assert_eq!(code(read).as_deref(), Some("ThrottlingException"));
        } else {
            let left = read.unwrap().unprocessed_keys.unwrap()[CONNECTIONS].keys().len();
            assert!((1..60).contains(&left), "{left}");
        }
    }
}
