//! Stamps of traced requests, stage by stage; and that a request which does not ask for them leaves no trace.

use std::time::Duration;

use reference_backend::function::{Function, Table};
use reference_backend::handlers::AuthMode;
use reference_backend::ports::{Clock as _, PushError, TableStore as _};
use serde_json::{Value, json};

use super::handlers::outcome;
use super::{World, world};

/// When API Gateway took the frame, by the test's events.
const GATEWAY_MS: i64 = 1_700_000_000_000;

const SEND: &str = r#"{"route":"sendMessage","trace":true,"body":{"playerIds":["bob"],"message":"hi"}}"#;
const PLACE: &str = r#"{"route":"sessionPlacementRequest","id":1,"trace":true,"body":{}}"#;

/// The clock's epoch microseconds, after it has gone on.
fn later(world: &World, by_ms: u64) -> i64 {
    world.clock.advance(Duration::from_millis(by_ms));
    world.clock.epoch_us()
}

/// The one item of a player, as a stream has it.
async fn record(world: &World, table: Table, player: &str, event_name: &str) -> Value {
    let items = world.tables.query_index(table, player).await.unwrap();
    assert_eq!(items.len(), 1);
    let image = serde_json::to_value(&items[0]).unwrap();
    json!({ "Records": [{
        "eventID": "e", "eventName": event_name, "eventVersion": "1.1", "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_700_000_000, "SizeBytes": 100, "StreamViewType": "NEW_IMAGE",
            "SequenceNumber": "1", "Keys": {}, "NewImage": image,
        },
    }] })
}

#[tokio::test]
async fn a_traced_message_is_stamped_at_every_stage() {
    let world = world(AuthMode::Header);
    world.connect("ann").await;
    world.connect("bob").await;
    let route = later(&world, 7);
    assert_eq!(world.frame(Function::SendMessage, "ann", SEND).await.0, 200);
    let batch = record(&world, Table::Messages, "bob", "INSERT").await;
    let stream = later(&world, 250);
    world.call(Function::OnMessageInserted, &batch).await.unwrap();
    let push = world.pusher.to("c-bob").remove(0);
    assert_eq!(push["message"], "hi");
    assert_eq!(
        push["trace"],
        json!({ "gateway": GATEWAY_MS, "route": route, "table": route, "stream": stream, "posted": stream })
    );
    assert_eq!(stream - route, 250_000, "microseconds");
}

#[tokio::test]
async fn a_batch_that_is_retried_is_stamped_again() {
    let world = world(AuthMode::Header);
    world.connect("ann").await;
    world.connect("bob").await;
    world.frame(Function::SendMessage, "ann", SEND).await;
    let batch = record(&world, Table::Messages, "bob", "INSERT").await;
    world.pusher.fail("c-bob", [PushError::Forbidden]);
    later(&world, 10);
    world.call(Function::OnMessageInserted, &batch).await.unwrap();
    assert!(world.pusher.to("c-bob").is_empty());
    let again = later(&world, 1_000);
    world.call(Function::OnMessageInserted, &batch).await.unwrap();
    let push = world.pusher.to("c-bob").remove(0);
    assert_eq!((&push["trace"]["stream"], &push["trace"]["posted"]), (&json!(again), &json!(again)));
}

#[tokio::test]
async fn a_traced_placement_is_stamped_until_its_outcome_is_pushed() {
    let world = world(AuthMode::Header);
    world.connect("ann").await;
    let route = later(&world, 3);
    let (_, answer) = world.frame(Function::SessionPlacementRequest, "ann", PLACE).await;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let id = answer["body"]["placementId"].as_str().unwrap();
    assert!(answer.get("trace").is_none(), "stamps are in pushes alone");
    let event = later(&world, 2_000);
    world.call(Function::OnPlacementEvent, &outcome(id, "PlacementFulfilled", "ann")).await.unwrap();
    let batch = record(&world, Table::Placements, "ann", "MODIFY").await;
    let stream = later(&world, 100);
    world.call(Function::OnPlacementUpdated, &batch).await.unwrap();
    let push = world.pusher.to("c-ann").remove(0);
    assert_eq!(push["status"], "FULFILLED");
    assert_eq!(
        push["trace"],
        json!({ "gateway": GATEWAY_MS, "route": route, "table": route, "event": event, "outcome": event,
            "stream": stream, "posted": stream })
    );
}

#[tokio::test]
async fn what_does_not_ask_leaves_no_trace() {
    let world = world(AuthMode::Header);
    world.connect("ann").await;
    world.connect("bob").await;
    let plain = SEND.replace("true", "false");
    world.frame(Function::SendMessage, "ann", &plain).await;
    let items = world.tables.query_index(Table::Messages, "bob").await.unwrap();
    assert!(items[0].get("trace").is_none(), "{:?}", items[0]);
    let batch = record(&world, Table::Messages, "bob", "INSERT").await;
    world.call(Function::OnMessageInserted, &batch).await.unwrap();
    let push = world.pusher.to("c-bob").remove(0);
    let members: Vec<_> = push.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["createdAt", "message", "messageId", "senderId", "type"]);
}
