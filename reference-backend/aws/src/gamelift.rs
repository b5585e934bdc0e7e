//! [`PlacementQueue`] over Amazon GameLift.

use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_gamelift::Client;
use aws_sdk_gamelift::config::Builder;
use aws_sdk_gamelift::error::{DisplayErrorContext, ProvideErrorMetadata as _, SdkError};
use aws_sdk_gamelift::operation::start_game_session_placement::StartGameSessionPlacementError;
use aws_sdk_gamelift::types::{DesiredPlayerSession, GameProperty, PlayerLatency};
use reference_backend::ports::{PlacementError, PlacementQueue, StartPlacement};

/// Connect time-out.
const CONNECT: Duration = Duration::from_secs(1);
/// Time-out of a request; the player waits for the answer.
const START: Duration = Duration::from_secs(5);

/// Starts placements with `StartGameSessionPlacement`.
#[derive(Debug, Clone)]
pub struct GameLiftQueue {
    client: Client,
}

impl GameLiftQueue {
    /// A queue with the region, credentials and endpoint of `config`.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        let patience = TimeoutConfig::builder().connect_timeout(CONNECT).operation_timeout(START).build();
        // No retries. The rate limit is the account's, so the player gets a 429. A request without an answer may have been
        // accepted; a retry would then be refused as a duplicate.
        let config = Builder::from(config).retry_config(RetryConfig::disabled()).timeout_config(patience);
        Self { client: Client::from_conf(config.build()) }
    }
}

#[async_trait]
impl PlacementQueue for GameLiftQueue {
    async fn start_placement(&self, request: StartPlacement) -> Result<(), PlacementError> {
        let places = i32::try_from(request.maximum_player_session_count)
            .map_err(|_| PlacementError::Invalid(format!("maxPlayers(at most {})", i32::MAX)))?;
        let players = request.desired_player_sessions.into_iter();
        let latencies = request.player_latencies.into_iter().map(|latency| {
            PlayerLatency::builder()
                .player_id(latency.player_id)
                .region_identifier(latency.region)
                .latency_in_milliseconds(latency.latency_ms)
                .build()
        });
        let properties = request.game_properties.into_iter();
        self.client
            .start_game_session_placement()
            .placement_id(request.placement_id)
            .game_session_queue_name(request.queue_name)
            .maximum_player_session_count(places)
            .set_desired_player_sessions(some(
                players.map(|player| DesiredPlayerSession::builder().player_id(player).build()),
            ))
            .set_player_latencies(some(latencies))
            .set_game_properties(some(
                properties.map(|(key, value)| GameProperty::builder().key(key).value(value).build()),
            ))
            .send()
            .await
            .map_err(|error| refusal(&error))?;
        Ok(())
    }
}

/// GameLift accepts a missing list, but refuses some empty ones.
fn some<T>(items: impl Iterator<Item = T>) -> Option<Vec<T>> {
    let items: Vec<T> = items.collect();
    (!items.is_empty()).then_some(items)
}

fn refusal(error: &SdkError<StartGameSessionPlacementError>) -> PlacementError {
    let throttled = error.raw_response().is_some_and(|response| response.status().as_u16() == 429);
    match error.as_service_error() {
        Some(StartGameSessionPlacementError::InvalidRequestException(reason)) => {
            PlacementError::Invalid(reason.message().unwrap_or("GameLift does not say what").to_owned())
        }
        Some(refused) if throttled || refused.code().is_some_and(|code| code.starts_with("Throttl")) => {
            PlacementError::Throttled
        }
        _ => PlacementError::Unavailable(DisplayErrorContext(error).to_string()),
    }
}
