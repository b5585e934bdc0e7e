//! GameLift's adapter and the real SDK against the local stack's own GameLift endpoint.

use aws_config::SdkConfig;
use aws_sdk_gamelift::Client;
use aws_sdk_gamelift::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_gamelift::types::GameSessionPlacementState as State;
use reference_backend::ports::{PlacementError, PlacementQueue as _, PlayerLatency, StartPlacement};
use reference_backend_aws::gamelift::GameLiftQueue;
use reference_backend_local::profile::Profile;
use reference_backend_local::stack::{LocalStack, StackConfig};

use super::config;

const QUEUE: &str = "reference-Development-Queue";

async fn stack(gamelift: &str) -> (LocalStack, SdkConfig) {
    let profile = Profile::parse(&format!("[gamelift]\n{gamelift}"), "test").unwrap();
    let stack = LocalStack::start(StackConfig { profile, ..StackConfig::default() }).await.unwrap();
    let config = config(Some(&stack.endpoints().gamelift)).await;
    (stack, config)
}

fn request(id: &str) -> StartPlacement {
    StartPlacement {
        placement_id: id.into(),
        queue_name: QUEUE.into(),
        maximum_player_session_count: 2,
        desired_player_sessions: vec!["ann".into()],
        player_latencies: vec![PlayerLatency {
            player_id: "ann".into(),
            region: "eu-west-1".into(),
            latency_ms: 20.5,
        }],
        game_properties: [("mode".to_owned(), "duel".to_owned())].into(),
    }
}

fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

#[tokio::test]
async fn a_placement_is_started_fulfilled_and_described() {
    let (_stack, config) = stack("placement = { p50_ms = 100 }").await;
    GameLiftQueue::new(&config).start_placement(request("p-1")).await.unwrap();
    let client = Client::new(&config);
    let placement = loop {
        let answer = client.describe_game_session_placement().placement_id("p-1").send().await.unwrap();
        let placement = answer.game_session_placement.unwrap();
        match placement.status() {
            Some(State::Pending) => {
                assert!(placement.end_time().is_none() && placement.ip_address().is_none())
            }
            _ => break placement,
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    assert_eq!(placement.status(), Some(&State::Fulfilled));
    assert_eq!(placement.game_session_queue_name(), Some(QUEUE));
    assert_eq!(placement.maximum_player_session_count(), Some(2));
    let latency = &placement.player_latencies()[0];
    assert_eq!(
        (latency.region_identifier(), latency.latency_in_milliseconds()),
        (Some("eu-west-1"), Some(20.5))
    );
    assert_eq!(
        (placement.game_properties()[0].key(), placement.game_properties()[0].value()),
        (Some("mode"), Some("duel"))
    );
    assert!(placement.ip_address().is_some() && placement.port().is_some_and(|port| port > 1_025));
    let player = &placement.placed_player_sessions()[0];
    assert_eq!(player.player_id(), Some("ann"));
    assert!(player.player_session_id().is_some_and(|id| id.starts_with("psess-")));
    assert!(placement.start_time().unwrap() <= placement.end_time().unwrap());
}

#[tokio::test]
async fn a_pending_placement_can_be_stopped_once() {
    let (_stack, config) = stack("placement = { p50_ms = 30000 }").await;
    GameLiftQueue::new(&config).start_placement(request("p-1")).await.unwrap();
    let client = Client::new(&config);
    let stopped = client.stop_game_session_placement().placement_id("p-1").send().await.unwrap();
    let stopped = stopped.game_session_placement.unwrap();
    assert_eq!((stopped.status(), stopped.placement_id()), (Some(&State::Cancelled), Some("p-1")));
    let again = async || client.stop_game_session_placement().placement_id("p-1").send().await;
    let refused = loop {
        if let Err(refused) = again().await {
            break refused;
        }
    };
    assert_eq!(code(&refused), Some("InvalidRequestException"));
    let unknown = client.stop_game_session_placement().placement_id("p-2").send().await.unwrap_err();
    assert_eq!(code(&unknown), Some("NotFoundException"));
}

#[tokio::test]
async fn mistakes_keep_their_meaning_through_the_sdk() {
    let (stack, config) = stack("").await;
    let queue = GameLiftQueue::new(&config);
    queue.start_placement(request("p-1")).await.unwrap();
    for wrong in [
        request("p-1"),
        request("no_underscores"),
        StartPlacement { maximum_player_session_count: 0, ..request("p-2") },
    ] {
        let outcome = queue.start_placement(wrong).await;
        assert!(matches!(outcome, Err(PlacementError::Invalid(_))), "{outcome:?}");
    }
    let elsewhere = StartPlacement { queue_name: "other".into(), ..request("p-3") };
    let Err(PlacementError::Unavailable(reason)) = queue.start_placement(elsewhere).await else {
        panic!("there is no such queue")
    };
    assert!(reason.contains("NotFoundException") && reason.contains(QUEUE), "{reason}");
    let arn = format!("arn:aws:gamelift:us-east-1:000000000000:gamesessionqueue/{QUEUE}");
    queue.start_placement(StartPlacement { queue_name: arn, ..request("p-4") }).await.unwrap();
    let unknown = Client::new(&config).list_fleets().send().await.unwrap_err();
    assert_eq!(code(&unknown), Some("UnknownOperationException"));
    stack.shutdown().await;
}

#[tokio::test]
async fn faults_and_limits_arrive_as_such() {
    let (_stack, config) = stack("requests_per_second = 1\nrequest_burst = 2").await;
    let queue = GameLiftQueue::new(&config);
    let mut outcomes = Vec::new();
    for id in ["p-1", "p-2", "p-3"] {
        outcomes.push(queue.start_placement(request(id)).await);
    }
    assert_eq!(outcomes, [Ok(()), Ok(()), Err(PlacementError::Throttled)]);

    let (_stack, config) = stack("start_failure_rate = 1.0").await;
    let outcome = GameLiftQueue::new(&config).start_placement(request("p-1")).await;
    assert!(matches!(outcome, Err(PlacementError::Unavailable(_))), "{outcome:?}");
}
