//! Items that somebody else has written, and pushes to somebody who is not quite there.

use std::time::Duration;

use reference_backend::function::{Function, Table};
use reference_backend::handlers::AuthMode;
use reference_backend::ports::{PushError, TableStore};
use reference_backend_testing::connection_event;
use serde_json::{Value, json};

use super::{World, world};

/// Puts an item, as DynamoDB JSON, into a table.
async fn put(world: &World, table: Table, item: Value) {
    world.tables.put(table, serde_json::from_value(item).expect("an item"), None).await.expect("put");
}

/// A connection record of `player` as a tutorial's `$connect` writes it, with other values for some attributes; null
/// leaves one out.
fn record(player: &str, others: &Value) -> Value {
    let mut item = json!({
        "playerId": { "S": player }, "connectionId": { "S": format!("c-{player}") },
        "stage": { "S": "Development" }, "domain": { "S": "localhost" }, "expireAt": { "N": "1700003600.123" },
    });
    let attributes = item.as_object_mut().expect("an object");
    for (name, value) in others.as_object().expect("an object") {
        match value {
            Value::Null => drop(attributes.remove(name)),
            value => drop(attributes.insert(name.clone(), value.clone())),
        }
    }
    item
}

async fn say(world: &World, to: &[&str]) -> (i64, String) {
    let frame = json!({ "body": { "playerIds": to, "message": "hi" } }).to_string();
    world.frame(Function::SendMessage, "ann", &frame).await
}

#[tokio::test]
async fn whoever_wrote_a_connection_it_is_read_and_never_fails_others() {
    let sent = (200, "Message(s) Sent".to_owned());
    // What differs from the tutorial's record, and whether its player is then reached.
    for (others, reached) in [
        (json!({}), true),
        (json!({ "expireAt": { "N": "1700000000.001" } }), true),
        (json!({ "expireAt": { "N": "1699999999.999" } }), false),
        (json!({ "expireAt": { "S": "1700003600" } }), true),
        (json!({ "expireAt": { "S": "1699999999" } }), false),
        (json!({ "expireAt": { "NULL": true } }), true),
        (json!({ "expireAt": null }), true),
        (json!({ "connectedAt": { "N": "1699999999123.5" } }), true),
        (json!({ "connectedAt": { "S": "2023-11-14T22:13:20Z" } }), true),
        (
            json!({ "rank": { "NS": ["1", "2.5"] }, "avatar": { "B": "AAEC" }, "tags": { "L": [{ "M": {} }] } }),
            true,
        ),
        (json!({ "connectionId": null }), false),
        (json!({ "domain": null }), false),
        (json!({ "stage": { "M": {} } }), false),
    ] {
        let world = world(AuthMode::Header);
        world.connect("bob").await;
        put(&world, Table::Connections, record("eve", &others)).await;
        assert_eq!(say(&world, &["eve", "bob"]).await, sent, "{others}");
        assert_eq!(world.indexed(Table::Messages, "bob").await, 1, "{others}");
        assert_eq!(world.indexed(Table::Messages, "eve").await, usize::from(reached), "{others}");
    }
}

#[tokio::test]
async fn a_connection_of_unknown_age_gives_way_to_a_new_one() {
    for others in [
        json!({}),
        json!({ "connectedAt": { "S": "2023-11-14T22:13:20Z" } }),
        json!({ "connectedAt": { "N": "1699999999999.9" } }),
        json!({ "connectionId": null }),
    ] {
        let world = world(AuthMode::Header);
        put(&world, Table::Connections, record("eve", &others)).await;
        let event = connection_event("eve", "new", 1_700_000_000_000, "CONNECT", None);
        world.call(Function::Connect, &event).await.expect("connects");
        assert_eq!(world.indexed(Table::Connections, "new").await, 1, "{others}");
        // And goes with its end.
        let event = connection_event("eve", "new", 1_700_000_000_000, "DISCONNECT", None);
        world.call(Function::Disconnect, &event).await.expect("disconnects");
        assert_eq!(world.indexed(Table::Connections, "new").await, 0, "{others}");
    }
}

#[tokio::test]
async fn an_item_with_a_fraction_in_its_time_expires_as_any_other() {
    let world = world(AuthMode::Header);
    for (player, at, left) in [
        ("whole", "1699999999", 0),
        ("fraction", "1699999999.999", 0),
        ("now", "1700000000.5", 1),
        ("long ago", "-1.5", 0),
        ("milliseconds", "1700000000000", 1),
    ] {
        put(&world, Table::Connections, record(player, &json!({ "expireAt": { "N": at } }))).await;
        world.tables.sweep().await;
        assert_eq!(world.indexed(Table::Connections, &format!("c-{player}")).await, left, "{player}");
    }
    world.clock.advance(Duration::from_secs(1));
    world.tables.sweep().await;
    assert_eq!(world.indexed(Table::Connections, "c-now").await, 0);
}

/// A stream event of one new image, written at 1,700,000,000.
fn inserted(images: &[Value]) -> Value {
    let record = |(position, image): (usize, &Value)| {
        json!({
            "eventID": format!("e{position}"), "eventName": "INSERT", "awsRegion": "us-east-1",
            "dynamodb": {
                "ApproximateCreationDateTime": 1_700_000_000, "SizeBytes": 100, "StreamViewType": "NEW_IMAGE",
                "SequenceNumber": position.to_string(), "Keys": { "id": { "S": "k" } }, "NewImage": image,
            },
        })
    };
    json!({ "Records": images.iter().enumerate().map(record).collect::<Vec<_>>() })
}

#[tokio::test]
async fn whoever_wrote_a_message_it_is_pushed_and_one_that_cannot_be_read_stops_nobody() {
    let world = world(AuthMode::Header);
    world.connect("bob").await;
    let tutorial = json!({
        "messageId": { "S": "m1" }, "recipientId": { "S": "bob" }, "senderId": { "S": "ann" },
        "message": { "S": "one" }, "expireAt": { "N": "1700000060.25" }, "extra": { "BS": ["AAEC"] },
    });
    let terse = json!({ "messageId": { "S": "m2" }, "recipientId": { "S": "bob" }, "message": { "N": "2" } });
    let unreadable = [
        json!({ "messageId": { "S": "m3" }, "message": { "S": "to nobody" } }),
        json!({ "messageId": { "S": "m4" }, "recipientId": { "S": "bob" }, "message": { "M": {} } }),
        json!({}),
    ];
    let images = [&unreadable[..], &[tutorial, terse]].concat();
    let answer = world.call(Function::OnMessageInserted, &inserted(&images)).await.expect("answers");
    assert_eq!(answer["batchItemFailures"], json!([]));
    assert_eq!(
        world.pusher.to("c-bob"),
        [
            json!({ "type": "message", "messageId": "m1", "senderId": "ann", "message": "one",
                "createdAt": 1_700_000_000_000_i64 }),
            json!({ "type": "message", "messageId": "m2", "message": "2", "createdAt": 1_700_000_000_000_i64 }),
        ]
    );
}

#[tokio::test]
async fn whoever_wrote_a_placement_it_is_pushed_and_one_that_cannot_be_read_stops_nobody() {
    let world = world(AuthMode::Header);
    world.connect("bob").await;
    let image = |status: &str| {
        json!({
            "placementId": { "S": "p" }, "playerId": { "S": "bob" }, "status": { "S": status },
            "ipAddress": { "S": "192.0.2.1" }, "dnsName": { "NULL": true }, "port": { "N": "7777" },
        })
    };
    let images = [image("PlacementFulfilled"), json!({ "placementId": { "S": "q" } }), image("FULFILLED")];
    let answer = world.call(Function::OnPlacementUpdated, &inserted(&images)).await.expect("answers");
    assert_eq!(answer["batchItemFailures"], json!([]));
    assert_eq!(
        world.pusher.to("c-bob"),
        [json!({ "type": "placement", "placementId": "p", "status": "FULFILLED", "ipAddress": "192.0.2.1",
            "port": "7777" })]
    );
}

/// An event of the topic with these messages.
fn reported(messages: &[String]) -> Value {
    let record = |message: &String| {
        json!({
            "EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": "arn",
            "Sns": {
                "Type": "Notification", "MessageId": "m", "TopicArn": "arn", "Timestamp": "2026-01-01T00:00:00.000Z",
                "SignatureVersion": "1", "Signature": "s", "SigningCertUrl": "u", "UnsubscribeUrl": "u",
                "Message": message,
            },
        })
    };
    json!({ "Records": messages.iter().map(record).collect::<Vec<_>>() })
}

#[tokio::test]
async fn an_outcome_is_written_although_others_of_its_event_cannot_be_read() {
    let world = world(AuthMode::Header);
    put(
        &world,
        Table::Placements,
        json!({ "placementId": { "S": "p" }, "playerId": { "S": "bob" }, "status": { "S": "PENDING" } }),
    )
    .await;
    put(&world, Table::Placements, json!({ "placementId": { "S": "strange" }, "status": { "S": "?" } }))
        .await;
    let fulfilled = |id: &str| {
        json!({ "detail": { "type": "PlacementFulfilled", "placementId": id, "port": 7777, "ipAddress": "192.0.2.1",
            "dnsName": "host.example", "placedPlayerSessions": null } })
        .to_string()
    };
    let messages = ["no JSON".into(), fulfilled("strange"), fulfilled("p")];
    let error = world.call(Function::OnPlacementEvent, &reported(&messages)).await;
    assert_eq!(error.expect_err("the first is told").error_type(), "InvalidEvent");
    let item = world.tables.get(Table::Placements, "p").await.expect("get").expect("an item");
    let expected = json!({
        "placementId": { "S": "p" }, "playerId": { "S": "bob" }, "status": { "S": "FULFILLED" },
        "ipAddress": { "S": "192.0.2.1" }, "dnsName": { "S": "host.example" }, "port": { "S": "7777" },
    });
    assert_eq!(serde_json::to_value(item).expect("JSON"), expected, "and no time to live is made up");
}

#[tokio::test]
async fn a_push_during_the_handshake_leaves_the_record_and_one_to_a_dead_socket_takes_it() {
    let message = json!({
        "messageId": { "S": "m" }, "recipientId": { "S": "bob" }, "message": { "S": "hi" },
    });
    // Seconds since the connection began, and how many records are left.
    for (age, left) in [(0, 1), (59, 1), (60, 0), (3_600, 0)] {
        let world = world(AuthMode::Header);
        world.connect("bob").await;
        world.clock.advance(Duration::from_secs(age));
        world.pusher.fail("c-bob", [PushError::Gone]);
        let event = inserted(std::slice::from_ref(&message));
        let answer = world.call(Function::OnMessageInserted, &event).await.expect("answers");
        assert_eq!(answer["batchItemFailures"], json!([]), "410 is never retried");
        assert_eq!(world.indexed(Table::Connections, "c-bob").await, left, "{age} s");
    }
    // A time stamp that is none, or none of this century, protects nobody.
    for at in [json!({ "N": "1700000000000000" }), json!({ "S": "now" })] {
        let world = world(AuthMode::Header);
        put(&world, Table::Connections, record("bob", &json!({ "connectedAt": at }))).await;
        world.pusher.fail("c-bob", [PushError::Gone]);
        let event = inserted(std::slice::from_ref(&message));
        world.call(Function::OnMessageInserted, &event).await.expect("answers");
        assert_eq!(world.indexed(Table::Connections, "c-bob").await, 0, "{at}");
    }
}
