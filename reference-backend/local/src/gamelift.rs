//! GameLift: a queue that places players in game sessions and publishes the outcome on a topic.
//!
//! The handlers of this process use it as a [`PlacementQueue`]; functions in processes of their own call its
//! [endpoint] with an SDK.

pub(super) mod endpoint;
mod game_session;
mod ledger;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use reference_backend::function::Deployment;
use reference_backend::ports::{PlacementError, PlacementQueue, PlayerLatency, StartPlacement};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use uuid::Uuid;

use self::game_session::GameSession;
use self::ledger::{Ledger, PlacementEnd, TrackedPlacement};
use super::account::{self, ACCOUNT_ID, REGION};
use super::background::Background;
use super::distribution::{Delay, Rate};
use super::metrics::{Metrics, Series, Unit};
use super::sns::Topic;

/// AWS has fewer regions than that.
const MOST_LATENCIES: usize = 100;

/// The `[gamelift]` section of a profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GameLiftProfile {
    /// Latency of the call that starts a placement.
    pub start: Delay,
    /// Fault: share of those calls that fail (5xx).
    pub start_failure_rate: Rate,
    /// Time from the start of a placement to its outcome.
    pub placement: Delay,
    /// Time-out of a placement in seconds (10 to 600 on AWS).
    #[schemars(range(min = 0.0, max = 3_600.0))]
    pub queue_timeout_s: f64,
    /// Share of placements that fail.
    pub failure_rate: Rate,
    /// Share of placements that are cancelled.
    pub cancel_rate: Rate,
    /// Share of placements that time out.
    pub timeout_rate: Rate,
    /// Calls a second; 0 for no limit.
    pub requests_per_second: u32,
    /// Burst of calls.
    pub request_burst: u32,
}

impl Default for GameLiftProfile {
    fn default() -> Self {
        Self {
            start: Delay::default(),
            start_failure_rate: Rate::default(),
            placement: Delay::default(),
            queue_timeout_s: 60.0,
            failure_rate: Rate::default(),
            cancel_rate: Rate::default(),
            timeout_rate: Rate::default(),
            requests_per_second: 0,
            request_burst: 75,
        }
    }
}

impl GameLiftProfile {
    /// Checks what the types alone cannot.
    ///
    /// # Errors
    /// What is wrong, and the remedy.
    pub fn check(&self) -> Result<(), String> {
        if (0.0..=3_600.0).contains(&self.queue_timeout_s) {
            Ok(())
        } else {
            Err(format!(
                "[gamelift] queue_timeout_s = {}: give seconds between 0 and 3600",
                self.queue_timeout_s
            ))
        }
    }
}

/// How a placement ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Fulfilled,
    Cancelled,
    TimedOut,
    Failed,
}

impl Outcome {
    const fn event_type(self) -> &'static str {
        match self {
            Self::Fulfilled => "PlacementFulfilled",
            Self::Cancelled => "PlacementCancelled",
            Self::TimedOut => "PlacementTimedOut",
            Self::Failed => "PlacementFailed",
        }
    }

    const fn status(self) -> &'static str {
        match self {
            Self::Fulfilled => "FULFILLED",
            Self::Cancelled => "CANCELLED",
            Self::TimedOut => "TIMED_OUT",
            Self::Failed => "FAILED",
        }
    }
}

/// The queue.
pub struct GameLift {
    name: String,
    arn: String,
    /// The ARN of the topic that hears of its events.
    topic: String,
    profile: GameLiftProfile,
    ledger: Arc<Ledger>,
    limiter: Option<DefaultDirectRateLimiter>,
    started: mpsc::UnboundedSender<Pending>,
    placements_started: Arc<Series>,
}

/// A placement that has no outcome yet.
struct Pending {
    placement_id: String,
    after: Duration,
    outcome: Outcome,
}

impl GameLift {
    /// A queue that publishes its events on `topic`. Must be called inside a tokio runtime.
    pub fn start(
        profile: &GameLiftProfile,
        deployment: &Deployment,
        metrics: &Metrics,
        topic: Topic,
    ) -> (Arc<Self>, Background) {
        let queue_name = deployment.resource("Queue");
        let series =
            |metric, unit| metrics.series("AWS/GameLift", metric, unit, &[("QueueName", &queue_name)]);
        let (started, mut pending) = mpsc::unbounded_channel();
        let arn = account::arn("gamelift", &format!("gamesessionqueue/{queue_name}"));
        let ledger = Arc::new(Ledger::default());
        let queue = Self {
            name: queue_name.clone(),
            arn: arn.clone(),
            topic: topic.arn().to_owned(),
            profile: profile.clone(),
            ledger: Arc::clone(&ledger),
            limiter: NonZeroU32::new(profile.requests_per_second).map(|per_second| {
                let burst = NonZeroU32::new(profile.request_burst).unwrap_or(NonZeroU32::MIN);
                RateLimiter::direct(Quota::per_second(per_second).allow_burst(burst))
            }),
            started,
            placements_started: series("PlacementsStarted", Unit::Count),
        };
        let publisher = Arc::new(Publisher {
            topic,
            ledger,
            queue_arn: arn,
            succeeded: series("PlacementsSucceeded", Unit::Count),
            cancelled: series("PlacementsCanceled", Unit::Count),
            timed_out: series("PlacementsTimedOut", Unit::Count),
            failed: series("PlacementsFailed", Unit::Count),
            wait: series("AverageWaitTime", Unit::None),
        });
        let background = Background::with(async move {
            let mut placements = JoinSet::new();
            loop {
                tokio::select! {
                    next = pending.recv() => match next {
                        Some(next) => {
                            placements.spawn(Arc::clone(&publisher).publish(next));
                        }
                        None => break,
                    },
                    Some(_) = placements.join_next() => {}
                }
            }
            while placements.join_next().await.is_some() {}
        });
        (Arc::new(queue), background)
    }

    /// Draws how a placement ends and when.
    fn draw(&self) -> (Outcome, Duration) {
        let timeout = Duration::from_secs_f64(self.profile.queue_timeout_s);
        let after = self.profile.placement.sample();
        if self.profile.timeout_rate.hits() || after > timeout {
            (Outcome::TimedOut, timeout)
        } else if self.profile.failure_rate.hits() {
            (Outcome::Failed, after)
        } else if self.profile.cancel_rate.hits() {
            (Outcome::Cancelled, after)
        } else {
            (Outcome::Fulfilled, after)
        }
    }

    /// Schedules the outcome of a placement.
    fn schedule(&self, placement: Pending) -> Result<(), PlacementError> {
        self.started
            .send(placement)
            .map_err(|_| PlacementError::Unavailable("the queue has been stopped".into()))
    }

    /// Resumes a placement that an earlier process left without an outcome. Only its player is known.
    pub fn resume(&self, placement_id: String, player_id: String) {
        let request = StartPlacement {
            placement_id: placement_id.clone(),
            queue_name: self.name.clone(),
            desired_player_sessions: vec![player_id],
            ..StartPlacement::default()
        };
        let (outcome, after) = self.draw();
        if self.ledger.enter(request, SystemTime::now()) {
            // If the queue is stopped, the next process resumes the placement.
            let _ = self.schedule(Pending { placement_id, after, outcome });
        }
    }

    /// The state of a placement.
    fn find(&self, placement_id: &str) -> Option<TrackedPlacement> {
        self.ledger.find(placement_id)
    }

    /// Cancels a pending placement; the outcome is published like any other.
    fn cancel(&self, placement_id: &str) -> Result<(), PlacementError> {
        let placement_id = placement_id.to_owned();
        self.schedule(Pending { placement_id, after: Duration::ZERO, outcome: Outcome::Cancelled })
    }
}

#[async_trait]
impl PlacementQueue for GameLift {
    async fn start_placement(&self, request: StartPlacement) -> Result<(), PlacementError> {
        self.profile.start.wait().await;
        if self.limiter.as_ref().is_some_and(|limiter| limiter.check().is_err()) {
            return Err(PlacementError::Throttled);
        }
        if self.profile.start_failure_rate.hits() {
            let fault = "a fault of the profile (gamelift.start_failure_rate)";
            return Err(PlacementError::Unavailable(fault.into()));
        }
        if let Some(parameter) = invalid_parameter(&request) {
            return Err(PlacementError::Invalid(parameter.into()));
        }
        let (outcome, after) = self.draw();
        let placement_id = request.placement_id.clone();
        let started = SystemTime::now();
        if !self.ledger.enter(request, started) {
            return Err(PlacementError::Invalid("placementId(one that has not been used)".into()));
        }
        self.placements_started.record(started, 1.0);
        self.schedule(Pending { placement_id, after, outcome })
    }
}

/// The parameter that GameLift would refuse, and its limits. The queue stores requests, so without limits players could
/// fill its memory.
fn invalid_parameter(request: &StartPlacement) -> Option<&'static str> {
    let id = request.placement_id.as_str();
    let is_id = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let latency = |latency: &PlayerLatency| latency.latency_ms.is_finite() && latency.latency_ms >= 0.0;
    if !(1..=48).contains(&id.len()) || !id.bytes().all(is_id) {
        return Some("placementId(1 to 48 letters, digits, hyphens)");
    }
    if request.maximum_player_session_count == 0 {
        return Some("maxPlayers(at least 1)");
    }
    if !request.player_latencies.iter().all(latency) {
        return Some("latencies(at least 0)");
    }
    let region = |latency: &PlayerLatency| (1..=64).contains(&latency.region.chars().count());
    if request.player_latencies.len() > MOST_LATENCIES || !request.player_latencies.iter().all(region) {
        return Some("latencies(at most 100 regions of 1 to 64 characters)");
    }
    let property =
        |(key, value): (&String, &String)| key.chars().count() <= 32 && value.chars().count() <= 96;
    if request.game_properties.len() > 16 || !request.game_properties.iter().all(property) {
        return Some("gameProperties(at most 16, keys of up to 32 characters, values of up to 96)");
    }
    None
}

/// Publishes the outcomes of placements.
struct Publisher {
    topic: Topic,
    ledger: Arc<Ledger>,
    queue_arn: String,
    succeeded: Arc<Series>,
    cancelled: Arc<Series>,
    timed_out: Arc<Series>,
    failed: Arc<Series>,
    wait: Arc<Series>,
}

impl Publisher {
    async fn publish(self: Arc<Self>, placement: Pending) {
        if !placement.after.is_zero() {
            tokio::time::sleep(placement.after).await;
        }
        let ended = SystemTime::now();
        let game_session = |request: &StartPlacement| {
            (placement.outcome == Outcome::Fulfilled).then(|| GameSession::draw(request))
        };
        // It may have been cancelled meanwhile.
        let Some(placement) =
            self.ledger.end(&placement.placement_id, placement.outcome, ended, game_session)
        else {
            return;
        };
        let Some(end) = &placement.end else { return };
        let count = match end.outcome {
            Outcome::Fulfilled => &self.succeeded,
            Outcome::Cancelled => &self.cancelled,
            Outcome::TimedOut => &self.timed_out,
            Outcome::Failed => &self.failed,
        };
        count.record(ended, 1.0);
        let waited = ended.duration_since(placement.started).unwrap_or(Duration::ZERO);
        self.wait.record(ended, waited.as_secs_f64());
        if !self.topic.publish(self.event(&placement, end).to_string()) {
            tracing::debug!(
                placement_id = placement.request.placement_id,
                "no subscriber for placement events"
            );
        }
    }

    /// GameLift's event in its EventBridge envelope.
    fn event(&self, placement: &TrackedPlacement, end: &PlacementEnd) -> Value {
        let mut detail = json!({
            "type": end.outcome.event_type(),
            "placementId": placement.request.placement_id,
            "startTime": rfc3339(placement.started),
            "endTime": rfc3339(end.at),
        });
        if let (Some(session), Some(detail)) = (&end.game_session, detail.as_object_mut()) {
            detail.extend(session.event_fields());
        }
        json!({
            "version": "0",
            "id": Uuid::new_v4().to_string(),
            "detail-type": "GameLift Queue Placement Event",
            "source": "aws.gamelift",
            "account": ACCOUNT_ID,
            "time": rfc3339(end.at),
            "region": REGION,
            "resources": [self.queue_arn],
            "detail": detail,
        })
    }
}

fn rfc3339(at: SystemTime) -> String {
    chrono::DateTime::<chrono::Utc>::from(at).to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_as_large_as_gamelift_takes_it() {
        let sound = StartPlacement {
            placement_id: "p-1".into(),
            maximum_player_session_count: 2,
            ..StartPlacement::default()
        };
        let latency =
            |region: String, latency_ms| PlayerLatency { player_id: "ann".into(), region, latency_ms };
        let refusal = |latencies: Vec<PlayerLatency>, properties: Vec<(String, String)>| {
            let game_properties = properties.into_iter().collect();
            invalid_parameter(&StartPlacement {
                player_latencies: latencies,
                game_properties,
                ..sound.clone()
            })
        };
        let property = |key: usize, value: usize| ("k".repeat(key), "v".repeat(value));
        let regions = |count: usize| (0..count).map(|region| latency(region.to_string(), 1.0)).collect();
        assert_eq!(refusal(regions(100), vec![property(32, 96)]), None);
        assert!(refusal(regions(101), Vec::new()).is_some_and(|text| text.contains("100 regions")));
        assert!(refusal(vec![latency("r".repeat(65), 1.0)], Vec::new()).is_some());
        assert!(refusal(vec![latency("r".into(), -1.0)], Vec::new()).is_some());
        for properties in
            [vec![property(33, 1)], vec![property(1, 97)], (1..18).map(|key| property(key, 1)).collect()]
        {
            assert!(refusal(Vec::new(), properties).is_some_and(|text| text.starts_with("gameProperties")));
        }
    }
}
