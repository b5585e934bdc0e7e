//! Others write into the tables, too: what a tutorial's functions leave there, and a player who comes twice.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::StreamExt as _;
use reference_backend::function::{Deployment, Table};
use serde_json::{Value, json};

use crate::common::Backend;
use crate::common::players::{Socket, connect, dynamodb, in_time, push, say};

/// A time to live as `Date.now() / 1000 + seconds` makes it.
fn with_fraction(seconds: f64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    format!("{:.3}", now.floor() + seconds)
}

async fn put(backend: &Backend, table: Table, item: Value) {
    let name = Deployment::default().table_name(table);
    assert_eq!(dynamodb(backend, "PutItem", json!({ "TableName": name, "Item": item })).await, json!({}));
}

/// Somebody else's record of a connection that is long gone.
fn record(player: &str, expire_at: &str) -> Value {
    json!({
        "playerId": { "S": player }, "connectionId": { "S": "eHrdFcnvvHcCE-w=" }, "stage": { "S": "Development" },
        "domain": { "S": "127.0.0.1" }, "expireAt": { "N": expire_at },
    })
}

async fn ask(socket: &mut Socket, id: &str, to: &[&str]) -> Value {
    say(socket, &json!({ "route": "sendMessage", "id": id, "body": { "playerIds": to, "message": id } }))
        .await;
    push(socket, "ack").await["statusCode"].clone()
}

#[tokio::test]
async fn records_with_fractions_fail_nobody_and_expire() {
    let backend = Backend::start(&[], "");
    let mut ann = connect(&backend, "ann").await.unwrap();
    let mut bob = connect(&backend, "bob").await.unwrap();
    put(&backend, Table::Connections, record("eve", &with_fraction(3_600.25))).await;
    assert_eq!(ask(&mut ann, "with eve", &["eve", "bob"]).await, 200);
    assert_eq!(push(&mut bob, "message").await["message"], "with eve");

    // The one record that nobody can read comes first, and nobody behind it waits.
    put(&backend, Table::Messages, json!({ "messageId": { "S": "m" }, "message": { "S": "to nobody" } }))
        .await;
    for id in ["1", "2", "3"] {
        assert_eq!(ask(&mut ann, id, &["bob"]).await, 200);
        assert_eq!(push(&mut bob, "message").await["message"], id);
    }

    put(&backend, Table::Connections, record("old", &with_fraction(-10.75))).await;
    let name = Deployment::default().table_name(Table::Connections);
    let key = json!({ "TableName": name, "Key": { "playerId": { "S": "old" } } });
    let gone = async {
        while dynamodb(&backend, "GetItem", key.clone()).await.get("Item").is_some() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    in_time("an item of the past", gone).await;
}

#[tokio::test]
async fn the_name_of_the_game_server_reaches_the_player_either_way() {
    let backend = Backend::start(&[], "");
    let mut ann = connect(&backend, "ann").await.unwrap();
    say(&mut ann, &json!({ "route": "sessionPlacementRequest", "body": {} })).await;
    let pushed = push(&mut ann, "placement").await;
    let name = pushed["dnsName"].as_str().unwrap();
    let host = pushed["ipAddress"].as_str().unwrap().replace('.', "-");
    assert_eq!(name, format!("ec2-{host}.compute-1.amazonaws.com"));

    let place = format!("{}/placements/{}", backend.endpoints.rest, pushed["placementId"].as_str().unwrap());
    let request = reqwest::Client::new().get(place).header("x-player-id", "ann");
    let polled: Value =
        serde_json::from_slice(&request.send().await.unwrap().bytes().await.unwrap()).unwrap();
    assert_eq!((&polled["dnsName"], &polled["status"]), (&json!(name), &json!("FULFILLED")));
}

#[tokio::test]
async fn of_two_sockets_of_a_player_the_newer_gets_the_pushes_and_both_their_answers() {
    let backend = Backend::start(&[], "");
    let mut older = connect(&backend, "ann").await.unwrap();
    // Which is newer is told by milliseconds.
    tokio::time::sleep(Duration::from_millis(5)).await;
    let mut newer = connect(&backend, "ann").await.unwrap();
    for id in ["1", "2"] {
        assert_eq!(ask(&mut older, id, &["ann"]).await, 200);
        assert_eq!(push(&mut newer, "message").await["message"], id);
    }
    assert_eq!(ask(&mut newer, "3", &["nobody"]).await, 200);
    let silent = tokio::time::timeout(Duration::from_millis(200), older.next()).await;
    assert!(silent.is_err(), "{silent:?}");
}
