//! What a message costs the backend: reading tables and streams, choosing a route, writing answers and pushes.

use std::hint::black_box;

use aws_lambda_events::dynamodb::Event;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use reference_backend::store::{Connection, Message};
use reference_backend::wire::{Answer, Request, message_push};
use reference_backend_local::gateway::route;
use serde::Deserialize;
use serde_json::json;

const ITEMS: usize = 100;

/// `BatchGetItem`'s answer on the wire.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchGetItemOutput {
    responses: std::collections::HashMap<String, Vec<serde_dynamo::Item>>,
}

/// 100 connection records as `BatchGetItem` answers them.
fn batch_get_item() -> String {
    let item = |number: usize| {
        json!({
            "playerId": {"S": format!("player-{number:06}")},
            "connectionId": {"S": format!("TXzPWdnOjo{number:05}=")},
            "stage": {"S": "Development"},
            "domain": {"S": "abcdefghij.execute-api.eu-west-1.amazonaws.com"},
            "connectedAt": {"N": "1795338000123"},
            "expireAt": {"N": "1795424400"},
        })
    };
    let items: Vec<_> = (0..ITEMS).map(item).collect();
    json!({"Responses": {"Connections": items}, "UnprocessedKeys": {}}).to_string()
}

/// A batch of 100 INSERT records of the Messages table, as Lambda receives it.
fn stream_event() -> String {
    let record = |number: usize| {
        json!({
            "eventID": format!("e{number}"), "eventName": "INSERT", "eventVersion": "1.1",
            "eventSource": "aws:dynamodb", "awsRegion": "eu-west-1",
            "eventSourceARN": "arn:aws:dynamodb:eu-west-1:123456789012:table/Messages/stream/2026-11-22T00:00:00.000",
            "dynamodb": {
                "ApproximateCreationDateTime": 1_795_338_000.0,
                "Keys": {"messageId": {"S": format!("m-{number}")}},
                "NewImage": {
                    "messageId": {"S": format!("m-{number}")},
                    "recipientId": {"S": format!("player-{number:06}")},
                    "senderId": {"S": "player-000001"},
                    "message": {"S": "lg1:0000002a:0000000000000001:.................................."},
                    "createdAt": {"N": "1795338000123"},
                    "expireAt": {"N": "1795424400"},
                },
                "SequenceNumber": format!("{number:021}"), "SizeBytes": 300, "StreamViewType": "NEW_IMAGE",
            },
        })
    };
    json!({"Records": (0..ITEMS).map(record).collect::<Vec<_>>()}).to_string()
}

fn tables(c: &mut Criterion) {
    let mut group = c.benchmark_group("tables");
    group.throughput(Throughput::Elements(ITEMS as u64));
    let answer = batch_get_item();
    group.bench_function("batch_get_decode_100", |b| {
        b.iter(|| {
            let output: BatchGetItemOutput = serde_json::from_str(black_box(&answer)).expect("an answer");
            let items = output.responses.into_values().flatten();
            items.map(|item| serde_dynamo::from_item(item).expect("a record")).collect::<Vec<Connection>>()
        });
    });
    let event = stream_event();
    group.bench_function("stream_event_parse_100", |b| {
        b.iter(|| {
            let event: Event = serde_json::from_str(black_box(&event)).expect("an event");
            let images = event.records.into_iter().map(|record| record.change.new_image);
            images.map(|image| serde_dynamo::from_item(image).expect("a message")).collect::<Vec<Message>>()
        });
    });
    group.finish();
}

fn messages(c: &mut Criterion) {
    let mut group = c.benchmark_group("wire");
    let recipients: Vec<_> = (0..20).map(|number| format!("player-{number:06}")).collect();
    let frame = json!({
        "route": "sendMessage", "id": "m123",
        "body": {"playerIds": recipients, "message": "lg1:0000002a:0000000000000001:......"},
    })
    .to_string();
    group.bench_function("route_select", |b| b.iter(|| route::select(black_box(&frame))));
    let request = Request::parse(&frame);
    let answer = Answer::text(200, "Message(s) Sent");
    group.bench_function("ack_encode", |b| b.iter(|| black_box(&request).answer(black_box(&answer))));
    let message = Message {
        message_id: "0f8fad5b-d9cb-469f-a165-70867728950e".into(),
        recipient_id: "player-000002".into(),
        sender_id: Some("player-000001".into()),
        message: "lg1:0000002a:0000000000000001:..................................".into(),
        created_at: Some(1_795_338_000_123),
        expire_at: Some(1_795_424_400),
        trace: None,
    };
    group.bench_function("push_encode", |b| b.iter(|| message_push(black_box(&message))));
    group.finish();
}

criterion_group!(backend, tables, messages);
criterion_main!(backend);
