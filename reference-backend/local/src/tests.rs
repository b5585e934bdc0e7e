//! The core of the stack in one piece: request → GameLift → SNS → table → stream → push, without a socket.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reference_backend::function::{Deployment, Function};
use reference_backend::handlers::AuthMode;
use reference_backend::ports::Clock;
use serde_json::{Value, json};

use super::background::Background;
use super::gamelift::GameLift;
use super::lambda::{Invoke, LambdaPools};
use super::metrics::{MetricId, Metrics, Statistic};
use super::profile::Profile;
use super::streams::Targets;
use super::tables::{EmbeddedTables, TablesProfile};
use super::{sns, streams};
use reference_backend_testing::event;

/// Test doubles around the stack's own tables.
pub(crate) type World = reference_backend_testing::World<EmbeddedTables>;

/// Such tables, without faults.
pub(crate) fn tables(clock: Arc<dyn Clock>) -> Arc<EmbeddedTables> {
    EmbeddedTables::new(&TablesProfile::default(), &Deployment::default(), &Metrics::default(), clock)
}

struct Core {
    world: World,
    lambda: Arc<LambdaPools>,
    metrics: Metrics,
    _background: [Background; 3],
}

fn core(profile: &str) -> Core {
    let profile = Profile::parse(profile, "test").expect("a profile");
    let (deployment, metrics) = (Deployment::default(), Metrics::default());
    let (topic, published) = sns::topic("events", &Metrics::default());
    let (queue, placing) = GameLift::start(&profile.gamelift, &deployment, &metrics, topic);
    let world = World::with_queue(AuthMode::Header, queue, tables);
    let lambda = LambdaPools::new(&profile.lambda, &deployment, &metrics, world.deps.clone());
    let layout = profile.lambda.layout;
    let name = deployment.lambda_name(layout, Function::OnPlacementEvent);
    let targets = Targets {
        profile: &profile.streams,
        invoke: lambda.clone(),
        deployment: &deployment,
        layout,
        metrics: &metrics,
        clock: world.tables.clock(),
    };
    let background = [
        placing,
        streams::start(&targets, &world.tables),
        sns::deliver(&profile.sns, published, lambda.clone(), &name, &metrics),
    ];
    Core { world, lambda, metrics, _background: background }
}

impl Core {
    async fn frame(&self, function: Function, player: &str, frame: &Value) -> Value {
        let event = event(player, "MESSAGE", Some(&frame.to_string()));
        let answer = self.lambda.invoke(function, Bytes::from(event.to_string())).await.expect("answers");
        serde_json::from_slice(&answer).expect("JSON")
    }
}

#[tokio::test]
async fn a_message_reaches_every_connected_recipient() {
    let core = core("");
    let players: Vec<String> = (0..250).map(|number| format!("p{number}")).collect();
    for player in &players {
        core.world.connect(player).await;
    }
    let frame = json!({ "body": { "playerIds": players, "message": "hi" } });
    assert_eq!(core.frame(Function::SendMessage, "p0", &frame).await["statusCode"], 200);
    core.world.pusher.wait_for(250).await;
    for player in &players {
        let frames = core.world.pusher.to(&format!("c-{player}"));
        assert_eq!(frames.len(), 1, "{player}");
        assert_eq!((&frames[0]["type"], &frames[0]["senderId"]), (&json!("message"), &json!("p0")));
        assert_eq!(frames[0]["createdAt"], 1_700_000_000_000_i64);
    }
}

#[tokio::test(start_paused = true)]
async fn a_placement_comes_back_as_a_push_however_it_ends() {
    for (gamelift, status) in [
        ("", "FULFILLED"),
        ("failure_rate = 1.0", "FAILED"),
        ("cancel_rate = 1.0", "CANCELLED"),
        ("timeout_rate = 1.0\nqueue_timeout_s = 600.0", "TIMED_OUT"),
        ("placement = { p50_ms = 20000 }\nqueue_timeout_s = 10.0", "TIMED_OUT"),
    ] {
        let core = core(&format!("base = \"aws-like\"\n[gamelift]\n{gamelift}"));
        core.world.connect("ann").await;
        let answer = core.frame(Function::SessionPlacementRequest, "ann", &json!({ "id": 5 })).await;
        let ack: Value = serde_json::from_str(answer["body"].as_str().expect("a body")).expect("JSON");
        core.world.pusher.wait_for(1).await;
        let frames = core.world.pusher.to("c-ann");
        assert_eq!(frames.len(), 1, "the pending record itself is not pushed");
        assert_eq!((&frames[0]["type"], &frames[0]["status"]), (&json!("placement"), &json!(status)));
        assert_eq!(frames[0]["placementId"], ack["body"]["placementId"]);
        let placed = status == "FULFILLED";
        assert_eq!(frames[0]["port"].is_string(), placed);
        assert_eq!(frames[0]["playerSessionId"].as_str().is_some_and(|id| id.starts_with("psess-")), placed);
    }
}

#[tokio::test]
async fn failing_functions_are_retried_until_the_placement_is_pushed() {
    let core = core(
        "[lambda.functions.OnPlacementEvent]\nerror_rate = 0.2\n[lambda.functions.OnPlacementUpdated]\nerror_rate = 0.5\n[sns]\nretry_scale = 0.0\n[streams]\nretry_pause_ms = 1\nmax_retry_attempts = 200",
    );
    let players: Vec<String> = (0..40).map(|number| format!("p{number}")).collect();
    for player in &players {
        core.world.connect(player).await;
        core.frame(Function::SessionPlacementRequest, player, &json!({})).await;
    }
    // One in 125 events is lost on purpose: an error and both retries.
    core.world.pusher.wait_for(30).await;
    for player in &players {
        assert!(core.world.pusher.to(&format!("c-{player}")).len() <= 1, "{player}");
    }
}

#[tokio::test]
async fn poison_records_are_dropped_alone_and_in_their_stream_only() {
    let core = core(
        "[streams]\nretry_pause_ms = 0\nretry_pause_cap_ms = 0\n[streams.per_stream.Messages]\npoison_rate = 0.2\nmax_retry_attempts = 1",
    );
    let players: Vec<String> = (0..200).map(|number| format!("p{number}")).collect();
    for player in &players {
        core.world.connect(player).await;
    }
    let frame = json!({ "body": { "playerIds": players, "message": "hi" } });
    core.frame(Function::SendMessage, "p0", &frame).await;
    core.frame(Function::SessionPlacementRequest, "p1", &json!({})).await;
    let id = MetricId::new(
        "AWS/Lambda",
        "DroppedEventCount",
        &[("EventSourceMappingUUID", "reference-Development-Messages")],
    );
    let dropped = || {
        let points = core.metrics.query(&id, Statistic::Sum, 0, u64::MAX, 1);
        points.iter().map(|(_, count)| *count as usize).sum::<usize>()
    };
    // Whichever are poison: every record ends as a push or as a drop, and the placement is one push more.
    while dropped() + core.world.pusher.sent.lock().len() < players.len() + 1 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!((10..80).contains(&dropped()), "{}", dropped());
    let placed = |(_, frame): &&(String, Value)| frame["type"] == "placement";
    assert_eq!(core.world.pusher.sent.lock().iter().filter(placed).count(), 1);
}

#[tokio::test]
async fn a_queue_that_does_not_answer_is_an_error_of_the_server() {
    let core = core("[gamelift]\nstart_failure_rate = 1.0");
    core.world.connect("ann").await;
    let answer = core.frame(Function::SessionPlacementRequest, "ann", &json!({})).await;
    assert!(answer["statusCode"].as_i64().is_some_and(|status| status >= 500), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn more_placements_than_the_rate_allows_are_refused() {
    let core = core("[gamelift]\nrequests_per_second = 1\nrequest_burst = 3");
    core.world.connect("ann").await;
    let mut statuses = Vec::new();
    for _ in 0..5 {
        let answer = core.frame(Function::SessionPlacementRequest, "ann", &json!({})).await;
        statuses.push(answer["statusCode"].as_i64().expect("a status"));
    }
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
}
