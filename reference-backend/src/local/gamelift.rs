//! GameLift: a queue that finds a place for a player, or does not, and says so on a topic.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use rand::RngExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::background::Background;
use super::metrics::{Metrics, Series, Unit};
use super::profile::{Delay, Rate};
use super::sns::Topic;
use super::{ACCOUNT_ID, REGION};
use crate::function::Deployment;
use crate::ports::{PlacementError, PlacementQueue, StartPlacement};

/// The `[gamelift]` section of a profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GameLiftProfile {
    /// What the call that starts a placement takes.
    pub start: Delay,
    /// Fault: how often that call gets no answer (5xx).
    pub start_failure_rate: Rate,
    /// From the start of a placement to its outcome.
    pub placement: Delay,
    /// Seconds after which the queue gives a placement up (10 to 600 on AWS).
    #[schemars(range(min = 0.0, max = 3_600.0))]
    pub queue_timeout_s: f64,
    /// How often a placement fails.
    pub failure_rate: Rate,
    /// How often it is cancelled.
    pub cancel_rate: Rate,
    /// How often no place is found until the queue's time-out.
    pub timeout_rate: Rate,
    /// Calls a second; 0 is without limit.
    pub requests_per_second: u32,
    /// Calls at once.
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
}

/// The queue.
pub struct GameLift {
    profile: GameLiftProfile,
    limiter: Option<DefaultDirectRateLimiter>,
    started: mpsc::UnboundedSender<Pending>,
    placements_started: Arc<Series>,
}

/// A placement on its way.
struct Pending {
    request: StartPlacement,
    started: SystemTime,
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
        let queue = Self {
            profile: profile.clone(),
            limiter: NonZeroU32::new(profile.requests_per_second).map(|per_second| {
                let burst = NonZeroU32::new(profile.request_burst).unwrap_or(NonZeroU32::MIN);
                RateLimiter::direct(Quota::per_second(per_second).allow_burst(burst))
            }),
            started,
            placements_started: series("PlacementsStarted", Unit::Count),
        };
        let placing = Arc::new(Placing {
            topic,
            queue_arn: format!("arn:aws:gamelift:{REGION}:{ACCOUNT_ID}:gamesessionqueue/{queue_name}"),
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
                            placements.spawn(Arc::clone(&placing).settle(next));
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
        let id = &request.placement_id;
        if id.is_empty()
            || id.len() > 48
            || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        {
            return Err(PlacementError::Invalid("placementId(1 to 48 letters, digits, hyphens)".into()));
        }
        if request.maximum_player_session_count == 0 {
            return Err(PlacementError::Invalid("maxPlayers(at least 1)".into()));
        }
        if request
            .player_latencies
            .iter()
            .any(|latency| !latency.latency_ms.is_finite() || latency.latency_ms < 0.0)
        {
            return Err(PlacementError::Invalid("latencies(at least 0)".into()));
        }
        let (outcome, after) = self.draw();
        let started = SystemTime::now();
        self.placements_started.record(started, 1.0);
        self.started
            .send(Pending { request, started, after, outcome })
            .map_err(|_| PlacementError::Unavailable("the queue has been stopped".into()))
    }
}

/// What settling a placement needs.
struct Placing {
    topic: Topic,
    queue_arn: String,
    succeeded: Arc<Series>,
    cancelled: Arc<Series>,
    timed_out: Arc<Series>,
    failed: Arc<Series>,
    wait: Arc<Series>,
}

impl Placing {
    async fn settle(self: Arc<Self>, placement: Pending) {
        if !placement.after.is_zero() {
            tokio::time::sleep(placement.after).await;
        }
        let ended = SystemTime::now();
        let count = match placement.outcome {
            Outcome::Fulfilled => &self.succeeded,
            Outcome::Cancelled => &self.cancelled,
            Outcome::TimedOut => &self.timed_out,
            Outcome::Failed => &self.failed,
        };
        count.record(ended, 1.0);
        self.wait.record(ended, placement.after.as_secs_f64());
        if !self.topic.publish(self.event(&placement, ended).to_string()) {
            tracing::debug!(
                placement_id = placement.request.placement_id,
                "nobody listens for placement events"
            );
        }
    }

    /// GameLift's event in its EventBridge envelope.
    fn event(&self, placement: &Pending, ended: SystemTime) -> Value {
        let mut detail = json!({
            "type": placement.outcome.event_type(),
            "placementId": placement.request.placement_id,
            "startTime": rfc3339(placement.started),
            "endTime": rfc3339(ended),
        });
        if let (Outcome::Fulfilled, Some(detail)) = (placement.outcome, detail.as_object_mut()) {
            detail.extend(place(&placement.request));
        }
        json!({
            "version": "0",
            "id": Uuid::new_v4().to_string(),
            "detail-type": "GameLift Queue Placement Event",
            "source": "aws.gamelift",
            "account": ACCOUNT_ID,
            "time": rfc3339(ended),
            "region": REGION,
            "resources": [self.queue_arn],
            "detail": detail,
        })
    }
}

/// A game session on some server of the documentation's address range, and the players' places in it.
fn place(request: &StartPlacement) -> serde_json::Map<String, Value> {
    let host: u8 = rand::rng().random_range(1..=254);
    let port: u16 = rand::rng().random_range(1_026..=60_000);
    let sessions: Vec<Value> = request
        .desired_player_sessions
        .iter()
        .map(|player| json!({ "playerId": player, "playerSessionId": format!("psess-{}", Uuid::new_v4()) }))
        .collect();
    let session = Uuid::new_v4();
    let fields = [
        // A string, as GameLift sends it.
        ("port", json!(port.to_string())),
        ("ipAddress", json!(format!("192.0.2.{host}"))),
        ("dnsName", json!(format!("ec2-192-0-2-{host}.compute-1.amazonaws.com"))),
        (
            "gameSessionArn",
            json!(format!("arn:aws:gamelift:{REGION}::gamesession/fleet-local/gsess-{session}")),
        ),
        ("gameSessionRegion", json!(REGION)),
        ("placedPlayerSessions", json!(sessions)),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn rfc3339(at: SystemTime) -> String {
    chrono::DateTime::<chrono::Utc>::from(at).to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}
