//! Every function through the one entry, with events as AWS sends them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use async_trait::async_trait;
use reference_backend::function::{Function, Table};
use reference_backend::handlers::{AuthMode, HandlerError};
use reference_backend::ports::{BatchGet, Condition, PlacementError, PushError, TableError, TableStore};
use reference_backend_local::tables::EmbeddedTables;
use reference_backend_testing::{connection_event, event};
use serde_dynamo::Item;
use serde_json::{Value, json};

use super::{World, world};

const ARN: &str = "arn:aws:execute-api:us-east-1:000000000000:local/Development/$connect";

async fn authorize(auth: AuthMode, headers: Value, query: Value) -> Result<(String, Value), HandlerError> {
    let world = world(auth);
    let event = json!({
        "type": "REQUEST", "methodArn": ARN, "headers": headers, "queryStringParameters": query,
        "requestContext": { "routeKey": "$connect", "connectionId": "c", "stage": "Development" },
    });
    let answer = world.call(Function::Authorizer, &event).await?;
    let statement = &answer["policyDocument"]["Statement"][0];
    assert_eq!(statement["Action"], json!(["execute-api:Invoke"]));
    assert_eq!(statement["Resource"], json!([ARN]));
    Ok((statement["Effect"].as_str().expect("an effect").to_owned(), answer["context"]["playerId"].clone()))
}

#[tokio::test]
async fn the_authorizer_trusts_the_header_in_its_mode() {
    let allowed =
        authorize(AuthMode::Header, json!({ "x-player-id": "ann" }), json!({})).await.expect("decides");
    assert_eq!(allowed, ("Allow".into(), json!("ann")));
    for headers in [json!({}), json!({ "X-Player-Id": "" })] {
        let error = authorize(AuthMode::Header, headers, json!({})).await.expect_err("nothing shown");
        assert_eq!((error.to_string(), error.error_type()), ("Unauthorized".into(), "Unauthorized"));
    }
    let long = json!({ "X-Player-Id": "x".repeat(3_000) });
    assert_eq!(authorize(AuthMode::Header, long, json!({})).await.expect("decides").0, "Deny");
}

#[tokio::test]
async fn the_authorizer_has_tokens_vouched_for() {
    let cases = [
        (json!({ "Authorization": "Bearer good:ann" }), json!({}), "Allow"),
        (json!({ "authorization": "bearer good:ann", "X-Player-Id": "ann" }), json!({}), "Allow"),
        (json!({}), json!({ "token": "good:ann" }), "Allow"),
        (json!({ "Authorization": "Bearer good:ann", "X-Player-Id": "bob" }), json!({}), "Deny"),
        (json!({ "Authorization": "Bearer forged" }), json!({}), "Deny"),
        (json!({ "Authorization": "Basic YTpi" }), json!({}), "Deny"),
        (json!({ "Authorization": "Bearer good:" }), json!({}), "Deny"),
    ];
    for (headers, query, expected) in cases {
        let (effect, player) = authorize(AuthMode::Token, headers.clone(), query).await.expect("decides");
        assert_eq!(effect, expected, "{headers}");
        assert_eq!(player, if expected == "Allow" { json!("ann") } else { Value::Null });
    }
    // The header alone proves nothing.
    let error =
        authorize(AuthMode::Token, json!({ "X-Player-Id": "ann" }), json!({})).await.expect_err("no token");
    assert_eq!(error.to_string(), "Unauthorized");
    let error = authorize(AuthMode::Token, json!({ "Authorization": "Bearer down" }), json!({}))
        .await
        .expect_err("500");
    assert_eq!(error.error_type(), "IdentityProviderError");
}

#[tokio::test]
async fn the_authorizer_has_tickets_vouched_for_in_either_scheme() {
    for (header, expected) in [
        ("Steam good:ann", "Allow"),
        ("Bearer good:ann", "Allow"),
        ("Steam forged", "Deny"),
        ("Basic good:ann", "Deny"),
    ] {
        let headers = json!({ "Authorization": header });
        assert_eq!(
            authorize(AuthMode::Steam, headers, json!({})).await.expect("decides").0,
            expected,
            "{header}"
        );
    }
    assert_eq!(
        authorize(AuthMode::Token, json!({ "Authorization": "Steam good:ann" }), json!({}))
            .await
            .expect("decides")
            .0,
        "Deny"
    );
    let error = authorize(AuthMode::Steam, json!({ "Authorization": "Steam down" }), json!({})).await;
    assert_eq!(error.expect_err("500").error_type(), "IdentityProviderError");
}

#[tokio::test]
async fn with_iam_the_signed_name_connects_and_nobody_is_authorized_otherwise() {
    let world = world(AuthMode::Iam);
    let mut signed = connection_event("-", "c-ann", 1_000, "CONNECT", None);
    signed["requestContext"]["authorizer"] = Value::Null;
    assert_eq!(world.call(Function::Connect, &signed).await.expect("answers")["statusCode"], 403);
    signed["headers"] = json!({ "X-Player-Id": "ann" });
    assert_eq!(world.call(Function::Connect, &signed).await.expect("answers")["statusCode"], 200);
    assert_eq!(world.indexed(Table::Connections, "c-ann").await, 1);
    let error = authorize(AuthMode::Iam, json!({ "X-Player-Id": "ann" }), json!({})).await.expect_err("401");
    assert_eq!(error.to_string(), "Unauthorized");
}

#[tokio::test]
async fn the_newest_connection_wins_and_survives_the_older_ones_end() {
    let world = world(AuthMode::Header);
    let connected = |id: &str, at: i64| connection_event("ann", id, at, "CONNECT", None);
    world.call(Function::Connect, &connected("new", 2_000)).await.expect("connects");
    world.call(Function::Connect, &connected("old", 1_000)).await.expect("connects, late");
    assert_eq!(world.indexed(Table::Connections, "new").await, 1);
    assert_eq!(world.indexed(Table::Connections, "old").await, 0);
    for id in ["old", "unknown"] {
        let ended = connection_event("ann", id, 1_000, "DISCONNECT", None);
        assert_eq!(world.call(Function::Disconnect, &ended).await.expect("disconnects")["statusCode"], 200);
    }
    assert_eq!(world.indexed(Table::Connections, "new").await, 1);
    let ended = connection_event("ann", "new", 2_000, "DISCONNECT", None);
    world.call(Function::Disconnect, &ended).await.expect("disconnects");
    assert_eq!(world.indexed(Table::Connections, "new").await, 0);
}

#[tokio::test]
async fn an_unknown_route_is_named() {
    let world = world(AuthMode::Header);
    for (frame, expected) in [
        (r#"{"route":"dance"}"#, "Route [dance] Not Found"),
        ("no json", "Route [] Not Found"),
        (
            r#"{"route":"x","id":"7"}"#,
            r#"{"type":"ack","id":"7","statusCode":404,"body":"Route [x] Not Found"}"#,
        ),
    ] {
        assert_eq!(world.frame(Function::Default, "ann", frame).await, (404, expected.into()));
    }
}

#[tokio::test]
async fn a_message_without_its_parameters_is_refused() {
    let world = world(AuthMode::Header);
    world.connect("ann").await;
    let ids = "Missing Params [playerIds(array)]";
    let text = "Missing Params [message(string)]";
    for (frame, expected) in [
        ("{}", ids),
        (r#"{"body":null}"#, ids),
        (r#"{"body":[["ann"],"hi"]}"#, ids),
        (r#"{"body":{"message":"hi"}}"#, ids),
        (r#"{"body":{"playerIds":"ann","message":"hi"}}"#, ids),
        (r#"{"body":{"playerIds":["ann",1],"message":"hi"}}"#, ids),
        (r#"{"body":{"playerIds":["ann"]}}"#, text),
        (r#"{"body":{"playerIds":["ann"],"message":5}}"#, text),
    ] {
        assert_eq!(world.frame(Function::SendMessage, "ann", frame).await, (400, expected.into()), "{frame}");
    }
    let empty = r#"{"body":{"playerIds":[],"message":""}}"#;
    assert_eq!(world.frame(Function::SendMessage, "ann", empty).await, (200, "Message(s) Sent".into()));
}

#[tokio::test]
async fn a_message_is_written_once_for_each_connected_recipient() {
    let world = world(AuthMode::Header);
    world.connect("ann").await;
    let players: Vec<String> = (0..230).map(|number| format!("p{number}")).collect();
    for player in players.iter().take(220) {
        world.connect(player).await;
    }
    let mut ids = players.clone();
    ids.extend(["p1".into(), "p1".into(), String::new(), "nobody".into()]);
    let frame =
        json!({ "route": "sendMessage", "id": 1, "body": { "playerIds": ids, "message": "hi" } }).to_string();
    let (status, answer) = world.frame(Function::SendMessage, "ann", &frame).await;
    assert_eq!(
        (status, answer.as_str()),
        (200, r#"{"type":"ack","id":1,"statusCode":200,"body":"Message(s) Sent"}"#)
    );
    for (number, player) in players.iter().enumerate() {
        assert_eq!(world.indexed(Table::Messages, player).await, usize::from(number < 220), "{player}");
    }
    // Who has been away for a day is offline, deleted or not.
    world.clock.advance(Duration::from_secs(25 * 3_600));
    world.frame(Function::SendMessage, "ann", &frame).await;
    assert_eq!(world.indexed(Table::Messages, "p1").await, 1);
}

/// A stream event of messages to these recipients; the text is the position.
fn inserted(recipients: &[&str]) -> Value {
    let records: Vec<Value> = recipients
        .iter()
        .enumerate()
        .map(|(position, recipient)| {
            json!({
                "eventID": format!("e{position}"), "eventName": "INSERT", "eventVersion": "1.1",
                "eventSource": "aws:dynamodb", "awsRegion": "us-east-1",
                "dynamodb": {
                    "ApproximateCreationDateTime": 1_700_000_000, "SizeBytes": 100, "StreamViewType": "NEW_IMAGE",
                    "SequenceNumber": format!("{position}"),
                    "Keys": { "messageId": { "S": format!("m{position}") } },
                    "NewImage": {
                        "messageId": { "S": format!("m{position}") }, "recipientId": { "S": recipient },
                        "senderId": { "S": "ann" }, "message": { "S": position.to_string() },
                        "createdAt": { "N": "1700000000123" }, "expireAt": { "N": "1700000060" },
                    },
                },
            })
        })
        .collect();
    json!({ "Records": records })
}

fn failed(answer: &Value) -> Vec<String> {
    let failures = answer["batchItemFailures"].as_array().expect("failures");
    failures.iter().map(|failure| failure["itemIdentifier"].as_str().expect("a number").to_owned()).collect()
}

fn texts(world: &World, connection: &str) -> Vec<String> {
    world
        .pusher
        .to(connection)
        .iter()
        .map(|frame| frame["message"].as_str().expect("text").to_owned())
        .collect()
}

#[tokio::test]
async fn only_what_failed_is_reported_and_nothing_is_pushed_twice() {
    let world = world(AuthMode::Header);
    for player in ["a", "b", "c"] {
        world.connect(player).await;
    }
    let batch = inserted(&["a", "b", "c", "b", "offline", "a", "b"]);
    // Longer than the handler's own patience of four.
    world.pusher.fail("c-b", vec![PushError::Unavailable("503".into()); 4]);
    let answer = world.call(Function::OnMessageInserted, &batch).await.expect("answers");
    assert_eq!(failed(&answer), ["1", "3", "6"], "what follows for the same recipient waits");
    assert_eq!(texts(&world, "c-a"), ["0", "5"]);
    // Lambda comes again with everything from the first failure on.
    let mut rest = batch.clone();
    rest["Records"].as_array_mut().expect("records").drain(..1);
    let answer = world.call(Function::OnMessageInserted, &rest).await.expect("answers");
    assert!(failed(&answer).is_empty());
    assert_eq!(texts(&world, "c-a"), ["0", "5"], "not again");
    assert_eq!(texts(&world, "c-b"), ["1", "3", "6"]);
    assert_eq!(texts(&world, "c-c"), ["2"]);
}

/// A player who does not read misses pushes; everybody else gets theirs, once, and the batch is done.
#[tokio::test]
async fn a_socket_that_refuses_everything_is_given_up_alone() {
    let world = world(AuthMode::Header);
    for player in ["a", "mute", "c"] {
        world.connect(player).await;
    }
    world.pusher.fail("c-mute", vec![PushError::Throttled; 8 + 1]);
    let batch = inserted(&["mute", "a", "mute", "c"]);
    let answer = world.call(Function::OnMessageInserted, &batch).await.expect("answers");
    assert!(failed(&answer).is_empty(), "{answer}");
    assert_eq!((texts(&world, "c-a"), texts(&world, "c-c")), (vec!["1".into()], vec!["3".into()]));
    assert!(texts(&world, "c-mute").is_empty());
    // Known by now: tried once, also where nobody else is in the batch.
    let answer = world.call(Function::OnMessageInserted, &inserted(&["mute"])).await.expect("answers");
    assert!(failed(&answer).is_empty(), "{answer}");
    assert!(texts(&world, "c-mute").is_empty());
    // And served again as soon as it takes something.
    let answer =
        world.call(Function::OnMessageInserted, &inserted(&["mute", "mute"])).await.expect("answers");
    assert!(failed(&answer).is_empty(), "{answer}");
    assert_eq!(texts(&world, "c-mute"), ["0", "1"]);
}

/// A rate that is used up is nobody's own fault: nothing is given up.
#[tokio::test]
async fn a_throttled_account_goes_back_to_the_stream() {
    let world = world(AuthMode::Header);
    for player in ["a", "b", "c"] {
        world.connect(player).await;
        world.pusher.fail(&format!("c-{player}"), vec![PushError::Throttled; 4]);
    }
    let batch = inserted(&["a", "b", "c", "a"]);
    let answer = world.call(Function::OnMessageInserted, &batch).await.expect("answers");
    assert_eq!(failed(&answer), ["0", "1", "2", "3"]);
    let answer = world.call(Function::OnMessageInserted, &batch).await.expect("answers");
    assert!(failed(&answer).is_empty());
    assert_eq!(texts(&world, "c-a"), ["0", "3"]);
}

/// Tables that fail the second batch of a request, once.
struct FailsHalfway(Arc<EmbeddedTables>, AtomicUsize);

#[async_trait]
impl TableStore for FailsHalfway {
    async fn put(&self, table: Table, item: Item, condition: Option<Condition>) -> Result<(), TableError> {
        self.0.put(table, item, condition).await
    }
    async fn get(&self, table: Table, key: &str) -> Result<Option<Item>, TableError> {
        self.0.get(table, key).await
    }
    async fn delete(&self, table: Table, key: &str, condition: Option<Condition>) -> Result<(), TableError> {
        self.0.delete(table, key, condition).await
    }
    async fn query_index(&self, table: Table, value: &str) -> Result<Vec<Item>, TableError> {
        self.0.query_index(table, value).await
    }
    async fn batch_get(&self, table: Table, keys: Vec<String>) -> Result<BatchGet, TableError> {
        self.0.batch_get(table, keys).await
    }
    async fn batch_put(&self, table: Table, items: Vec<Item>) -> Result<Vec<Item>, TableError> {
        if self.1.fetch_add(1, Relaxed) == 1 {
            return Err(TableError::Validation("as told".into()));
        }
        self.0.batch_put(table, items).await
    }
}

/// What was written before a request failed is not written again when the client repeats it, and nobody gets it twice.
/// The same frame after a success is another request.
#[tokio::test]
async fn a_request_that_failed_and_is_sent_again_doubles_nothing() {
    let mut world = world(AuthMode::Header);
    world.with_tables(Arc::new(FailsHalfway(world.tables.clone(), AtomicUsize::new(0))));
    let players: Vec<String> = (0..40).map(|player| format!("p{player}")).collect();
    for player in &players {
        world.connect(player).await;
    }
    let frame = json!({ "route": "sendMessage", "id": 1, "body": { "playerIds": players, "message": "hi" } })
        .to_string();
    let mut event = event("p0", "MESSAGE", Some(&frame));
    for (request, status, each) in [("r1", 500, None), ("r2", 200, Some(1)), ("r3", 200, Some(2))] {
        event["requestContext"]["requestId"] = json!(request);
        let answer = world.call(Function::SendMessage, &event).await.expect("answers");
        assert_eq!(answer["statusCode"], status, "{answer}");
        let mut written = Vec::new();
        for player in &players {
            written.push(world.indexed(Table::Messages, player).await);
        }
        match each {
            None => assert_eq!(written.iter().sum::<usize>(), 25, "a part"),
            Some(each) => assert!(written.iter().all(|messages| *messages == each), "{request}: {written:?}"),
        }
    }
}

#[tokio::test]
async fn what_one_request_makes_is_bounded() {
    let world = world(AuthMode::Header);
    world.connect("ann").await;
    let frame = |recipients: usize, bytes: usize| {
        let ids: Vec<_> = (0..recipients).map(|player| format!("p{player}")).chain(["ann".into()]).collect();
        json!({ "route": "sendMessage", "body": { "playerIds": ids, "message": "x".repeat(bytes) } })
            .to_string()
    };
    let answer = world.frame(Function::SendMessage, "ann", &frame(399, 100_000)).await;
    assert_eq!(
        answer,
        (413, "Message Too Large [400 recipients x 100000 bytes, at most 9973 bytes for so many]".into())
    );
    assert_eq!(world.indexed(Table::Messages, "ann").await, 0);
    let answer = world.frame(Function::SendMessage, "ann", &frame(399, 9_973)).await;
    assert_eq!(answer.0, 200, "{answer:?}");
    let answer = world.frame(Function::SendMessage, "ann", &frame(0, 120_000)).await;
    assert_eq!(answer.0, 200, "{answer:?}");
    assert_eq!(world.indexed(Table::Messages, "ann").await, 2);
}

#[tokio::test]
async fn an_id_that_cannot_be_a_key_is_nobodys() {
    let world = world(AuthMode::Header);
    let answer =
        world.call(Function::PlacementsRest, &poll(Some("ann"), "GET", Some(&"x".repeat(2_049)))).await;
    assert_eq!(answer.expect("answers")["statusCode"], 404);
    let event = outcome(&"x".repeat(2_049), "PlacementFailed", "ann");
    world.call(Function::OnPlacementEvent, &event).await.expect("an unknown placement is no failure");
}

#[tokio::test]
async fn a_gone_connection_is_forgotten_and_not_retried() {
    let world = world(AuthMode::Header);
    world.connect("a").await;
    world.clock.advance(Duration::from_secs(60));
    world.pusher.fail("c-a", [PushError::Gone]);
    let answer = world.call(Function::OnMessageInserted, &inserted(&["a", "a"])).await.expect("answers");
    assert!(failed(&answer).is_empty());
    assert!(world.pusher.to("c-a").is_empty());
    assert_eq!(world.indexed(Table::Connections, "c-a").await, 0);
}

#[tokio::test]
async fn short_trouble_is_sat_out_and_permanent_trouble_told_apart() {
    let world = world(AuthMode::Header);
    for player in ["a", "b", "c"] {
        world.connect(player).await;
    }
    world.pusher.fail("c-a", [PushError::Throttled, PushError::Unavailable("503".into())]);
    world.pusher.fail("c-b", [PushError::TooLarge(200_000)]);
    world.pusher.fail("c-c", [PushError::Forbidden]);
    let answer = world.call(Function::OnMessageInserted, &inserted(&["a", "b", "c"])).await.expect("answers");
    assert_eq!(failed(&answer), ["2"]);
    assert_eq!(texts(&world, "c-a"), ["0"]);
}

#[tokio::test]
async fn records_other_than_readable_inserts_are_passed_over() {
    let world = world(AuthMode::Header);
    world.connect("a").await;
    let mut batch = inserted(&["a", "a", "a"]);
    batch["Records"][0]["eventName"] = json!("MODIFY");
    batch["Records"][1]["dynamodb"]["NewImage"] = json!({ "messageId": { "S": "m" } });
    let answer = world.call(Function::OnMessageInserted, &batch).await.expect("answers");
    assert!(failed(&answer).is_empty(), "a retry would not help, and would hold up the rest");
    assert_eq!(texts(&world, "c-a"), ["2"]);
}

#[tokio::test]
async fn a_placement_is_recorded_started_and_acknowledged() {
    let world = world(AuthMode::Header);
    world.connect("ann").await;
    let frame = r#"{"route":"sessionPlacementRequest","body":{"maxPlayers":4,"latencies":{"eu-west-1":20.5},"gameProperties":{"mode":"duel"}}}"#;
    let (status, answer) = world.frame(Function::SessionPlacementRequest, "ann", frame).await;
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!((status, &answer["status"]), (200, &json!("PENDING")));
    let request = world.queue.started.lock()[0].clone();
    assert_eq!(answer["placementId"], json!(request.placement_id));
    assert_eq!(request.maximum_player_session_count, 4);
    assert_eq!(request.desired_player_sessions, ["ann"]);
    assert_eq!(request.player_latencies[0].latency_ms, 20.5);
    assert_eq!(request.game_properties["mode"], "duel");
    assert_eq!(world.indexed(Table::Placements, "ann").await, 1);

    for (frame, expected) in [
        ("{}", 200),
        (r#"{"body":{}}"#, 200),
        (r#"{"body":{"maxPlayers":"4"}}"#, 400),
        (r#"{"body":7}"#, 400),
    ] {
        assert_eq!(world.frame(Function::SessionPlacementRequest, "ann", frame).await.0, expected, "{frame}");
    }
    // An unauthenticated frame of a connection that nobody knows.
    let stranger = json!({ "requestContext": { "connectionId": "c-x", "connectedAt": 1, "requestTimeEpoch": 1 }, "body": "{}" });
    let answer = world.call(Function::SessionPlacementRequest, &stranger).await.expect("answers");
    assert_eq!(answer["statusCode"], 403);
}

#[tokio::test]
async fn a_refused_placement_leaves_no_record() {
    let world = world(AuthMode::Header);
    world.connect("ann").await;
    for (refusal, status, text) in [
        (PlacementError::Throttled, 429, "Too Many Placement Requests"),
        (PlacementError::Invalid("x".into()), 400, "Invalid Params [x]"),
        (PlacementError::Unavailable("x".into()), 500, "Failed To Start Placement"),
    ] {
        *world.queue.refusal.lock() = Some(refusal);
        let answer = world.frame(Function::SessionPlacementRequest, "ann", "{}").await;
        assert_eq!(answer, (status, text.into()));
    }
    assert_eq!(world.indexed(Table::Placements, "ann").await, 0);
}

#[tokio::test]
async fn a_frame_without_authorizer_context_belongs_to_the_recorded_player() {
    let world = world(AuthMode::Header);
    world.connect("ann").await;
    let mut frame = event("ann", "MESSAGE", Some("{}"));
    frame["requestContext"].as_object_mut().expect("a context").remove("authorizer");
    let answer = world.call(Function::SessionPlacementRequest, &frame).await.expect("answers");
    assert_eq!(answer["statusCode"], 200);
    assert_eq!(world.queue.started.lock()[0].desired_player_sessions, ["ann"]);
}

pub(super) fn outcome(placement_id: &str, kind: &str, player: &str) -> Value {
    let mut detail = json!({ "type": kind, "placementId": placement_id, "startTime": "t", "endTime": "t" });
    if kind == "PlacementFulfilled" {
        detail["port"] = json!("7777");
        detail["ipAddress"] = json!("192.0.2.7");
        detail["dnsName"] = json!("ec2-192-0-2-7.example");
        detail["gameSessionArn"] = json!("arn:session");
        detail["placedPlayerSessions"] = json!([{ "playerId": player, "playerSessionId": "psess-1" }]);
    }
    let message = json!({ "detail-type": "GameLift Queue Placement Event", "detail": detail }).to_string();
    json!({ "Records": [{
        "EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": "arn",
        "Sns": {
            "Type": "Notification", "MessageId": "m", "TopicArn": "arn", "Timestamp": "2026-01-01T00:00:00.000Z",
            "SignatureVersion": "1", "Signature": "s", "SigningCertUrl": "u", "UnsubscribeUrl": "u", "Message": message,
        },
    }]})
}

fn poll(player: Option<&str>, method: &str, id: Option<&str>) -> Value {
    json!({
        "resource": "/placements", "path": "/placements", "httpMethod": method, "headers": {}, "multiValueHeaders": {},
        "pathParameters": id.map(|id| json!({ "id": id })),
        "requestContext": { "httpMethod": method, "authorizer": player.map(|player| json!({ "playerId": player })) },
    })
}

#[tokio::test]
async fn the_first_outcome_stands_and_can_be_polled_by_its_player_only() {
    let world = world(AuthMode::Header);
    let read = |answer: &Value| {
        serde_json::from_str::<Value>(answer["body"].as_str().expect("a body")).expect("JSON")
    };
    let started =
        world.call(Function::PlacementsRest, &poll(Some("ann"), "POST", None)).await.expect("answers");
    assert_eq!(started["statusCode"], 202);
    assert_eq!(started["headers"]["content-type"], "application/json");
    let id = read(&started)["placementId"].as_str().expect("an id").to_owned();
    let get = async |player| {
        world.call(Function::PlacementsRest, &poll(player, "GET", Some(&id))).await.expect("answers")
    };
    assert_eq!(read(&get(Some("ann")).await), json!({ "placementId": id, "status": "PENDING" }));

    world
        .call(Function::OnPlacementEvent, &outcome(&id, "PlacementFulfilled", "ann"))
        .await
        .expect("settles");
    world.call(Function::OnPlacementEvent, &outcome(&id, "PlacementFailed", "ann")).await.expect("ignored");
    world
        .call(Function::OnPlacementEvent, &outcome("unknown", "PlacementFailed", "ann"))
        .await
        .expect("ignored");
    let fulfilled = json!({
        "placementId": id, "status": "FULFILLED", "ipAddress": "192.0.2.7",
        "dnsName": "ec2-192-0-2-7.example", "port": "7777",
        "playerSessionId": "psess-1", "gameSessionArn": "arn:session",
    });
    assert_eq!(read(&get(Some("ann")).await), fulfilled);
    assert_eq!(get(Some("bob")).await["statusCode"], 404);
    assert_eq!(get(None).await["statusCode"], 401);
}

#[tokio::test]
async fn every_kind_of_outcome_is_written() {
    for (kind, status) in [
        ("PlacementTimedOut", "TIMED_OUT"),
        ("PlacementCancelled", "CANCELLED"),
        ("PlacementFailed", "FAILED"),
    ] {
        let world = world(AuthMode::Header);
        world.connect("ann").await;
        world.frame(Function::SessionPlacementRequest, "ann", "{}").await;
        let id = world.queue.started.lock()[0].placement_id.clone();
        world.call(Function::OnPlacementEvent, &outcome(&id, kind, "ann")).await.expect("settles");
        let item = world.tables.get(Table::Placements, &id).await.expect("get").expect("an item");
        assert_eq!(item["status"], serde_dynamo::AttributeValue::S(status.into()));
    }
}

#[tokio::test]
async fn an_event_of_another_service_is_an_error_that_says_so() {
    let world = world(AuthMode::Header);
    let error =
        world.call(Function::OnMessageInserted, &json!({ "hello": 1 })).await.expect_err("unreadable");
    assert_eq!(error.error_type(), "InvalidEvent");
    assert!(error.to_string().contains("OnMessageInserted"), "{error}");
}
