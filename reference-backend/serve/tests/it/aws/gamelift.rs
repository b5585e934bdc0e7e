//! GameLift's adapter against a stub that speaks the SDK's protocol (Smithy RPC v2 CBOR).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse as _;
use axum::routing::post;
use ciborium::Value;
use ciborium::value::Value::Text;
use parking_lot::Mutex;
use reference_backend::ports::{PlacementError, PlacementQueue as _, PlayerLatency, StartPlacement};
use reference_backend_aws::gamelift::GameLiftQueue;

use super::{config, serve};

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.into_iter().map(|(key, value)| (Text(key.into()), value)).collect())
}

/// Starts a placement at a service that answers so; returns the outcome and the requests that it saw.
async fn start(
    request: StartPlacement,
    status: u16,
    answer: Value,
) -> (Result<(), PlacementError>, Vec<Value>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let requests = Arc::clone(&seen);
    let mut body = Vec::new();
    ciborium::into_writer(&answer, &mut body).unwrap();
    let handler = async move |bytes: Bytes| {
        requests.lock().push(ciborium::from_reader::<Value, _>(&bytes[..]).unwrap());
        let headers = [(header::CONTENT_TYPE, "application/cbor")];
        let protocol = [("smithy-protocol", "rpc-v2-cbor")];
        (StatusCode::from_u16(status).unwrap(), headers, protocol, body).into_response()
    };
    let path = "/service/GameLift/operation/StartGameSessionPlacement";
    let url = serve(Router::new().route(path, post(handler))).await;
    let outcome = GameLiftQueue::new(&config(Some(&url)).await).start_placement(request).await;
    let requests = std::mem::take(&mut *seen.lock());
    (outcome, requests)
}

fn request() -> StartPlacement {
    StartPlacement {
        placement_id: "p-1".into(),
        queue_name: "pong-Staging-Queue".into(),
        maximum_player_session_count: 8,
        desired_player_sessions: vec!["ann".into()],
        player_latencies: vec![PlayerLatency {
            player_id: "ann".into(),
            region: "eu-west-1".into(),
            latency_ms: 20.5,
        }],
        game_properties: BTreeMap::from([("mode".into(), "duel".into())]),
    }
}

fn error(kind: &str, message: &str) -> Value {
    map([("__type", Text(format!("com.amazonaws.gamelift#{kind}"))), ("message", Text(message.into()))])
}

/// A member of a CBOR map.
fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.as_map()?.iter().find(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value)
}

#[tokio::test]
async fn a_placement_is_asked_for_in_full() {
    let accepted = map([("GameSessionPlacement", map([("Status", Text("PENDING".into()))]))]);
    let (outcome, requests) = start(request(), 200, accepted).await;
    assert_eq!(outcome, Ok(()));
    let [seen] = &requests[..] else { panic!("{requests:?}") };
    let text = |name| member(seen, name).and_then(Value::as_text);
    assert_eq!(text("PlacementId"), Some("p-1"));
    assert_eq!(text("GameSessionQueueName"), Some("pong-Staging-Queue"));
    let places = member(seen, "MaximumPlayerSessionCount").unwrap().as_integer().unwrap();
    assert_eq!(i128::from(places), 8);
    let first = |name| member(seen, name).and_then(|list| list.as_array()?.first());
    assert_eq!(first("DesiredPlayerSessions").and_then(|it| member(it, "PlayerId")?.as_text()), Some("ann"));
    let latency = first("PlayerLatencies").unwrap();
    assert_eq!(member(latency, "RegionIdentifier").and_then(Value::as_text), Some("eu-west-1"));
    assert_eq!(member(latency, "LatencyInMilliseconds").and_then(Value::as_float), Some(20.5));
    assert_eq!(
        first("GameProperties"),
        Some(&map([("Key", Text("mode".into())), ("Value", Text("duel".into()))]))
    );
}

#[tokio::test]
async fn refusals_keep_their_meaning_and_are_not_repeated() {
    for (status, answer, expected) in [
        (400, error("InvalidRequestException", "bad id"), PlacementError::Invalid("bad id".into())),
        (400, error("ThrottlingException", "Rate exceeded"), PlacementError::Throttled),
        (429, error("TooManyRequestsException", "Rate exceeded"), PlacementError::Throttled),
    ] {
        let (outcome, requests) = start(request(), status, answer).await;
        assert_eq!((outcome, requests.len()), (Err(expected), 1));
    }
    for (status, kind) in [(500, "InternalServiceException"), (400, "NotFoundException")] {
        let (outcome, requests) = start(request(), status, error(kind, "no such queue")).await;
        let Err(PlacementError::Unavailable(reason)) = outcome else { panic!("{outcome:?}") };
        assert!(reason.contains("no such queue"), "{reason}");
        assert_eq!(requests.len(), 1);
    }
}

#[tokio::test]
async fn more_places_than_gamelift_can_count_never_leave_the_house() {
    let wish = StartPlacement { maximum_player_session_count: u32::MAX, ..request() };
    let (outcome, requests) = start(wish, 200, map([])).await;
    assert!(matches!(outcome, Err(PlacementError::Invalid(_))), "{outcome:?}");
    assert!(requests.is_empty());
}
