//! GameLift: a queue that places players in game sessions and publishes the outcome on a topic.
//!
//! A fleet with a limited number of game sessions makes placements wait for one, in the order of their starts, and time out.
//! Each keeps its game session for as long as a game takes.
//!
//! The handlers of this process use it as a [`PlacementQueue`]; functions in processes of their own call its
//! [endpoint] with an SDK.

pub(super) mod endpoint;
mod game_session;
mod ledger;
mod meter;

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
use tokio::sync::{Semaphore, SemaphorePermit, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

use self::game_session::GameSession;
use self::ledger::{Ledger, PlacementEnd, TrackedPlacement};
use self::meter::QueueMeter;
use super::account::{self, ACCOUNT_ID, REGION};
use super::background::Background;
use super::distribution::{Delay, Rate};
use super::metrics::Metrics;
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
    /// Game sessions of the fleet; a placement waits until one is free. 0 for no limit.
    pub sessions: u32,
    /// How long a game session takes, until it is free for the next placement.
    pub session: Delay,
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
            sessions: 0,
            session: Delay::default(),
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
    meter: Arc<QueueMeter>,
}

/// A placement that has no outcome yet.
struct Pending {
    placement_id: String,
    after: Duration,
    outcome: Outcome,
    /// When it times out at the latest.
    deadline: Instant,
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
        let (started, mut pending) = mpsc::unbounded_channel();
        let arn = account::arn("gamelift", &format!("gamesessionqueue/{queue_name}"));
        let ledger = Arc::new(Ledger::default());
        let fleet = (profile.sessions > 0).then(|| Semaphore::new(profile.sessions as usize));
        let meter = Arc::new(QueueMeter::new(metrics, &queue_name, fleet.is_some()));
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
            meter: Arc::clone(&meter),
        };
        let publisher =
            Arc::new(Publisher { topic, ledger, queue_arn: arn, fleet, session: profile.session, meter });
        let sampled = Arc::downgrade(&publisher);
        let mut background = Background::with(async move {
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
        background.spawn(async move {
            let mut ticks = tokio::time::interval(Duration::from_secs(1));
            loop {
                ticks.tick().await;
                match sampled.upgrade() {
                    Some(publisher) => publisher.sample(),
                    None => break,
                }
            }
        });
        (Arc::new(queue), background)
    }

    /// Draws how a placement ends and when.
    fn draw(&self, placement_id: String) -> Pending {
        let timeout = Duration::from_secs_f64(self.profile.queue_timeout_s);
        let after = self.profile.placement.sample();
        let (outcome, after) = if self.profile.timeout_rate.hits() || after > timeout {
            (Outcome::TimedOut, timeout)
        } else if self.profile.failure_rate.hits() {
            (Outcome::Failed, after)
        } else if self.profile.cancel_rate.hits() {
            (Outcome::Cancelled, after)
        } else {
            (Outcome::Fulfilled, after)
        };
        Pending { placement_id, after, outcome, deadline: Instant::now() + timeout }
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
        if self.ledger.enter(request, SystemTime::now()) {
            // If the queue is stopped, the next process resumes the placement.
            let _ = self.schedule(self.draw(placement_id));
        }
    }

    /// The state of a placement.
    fn find(&self, placement_id: &str) -> Option<TrackedPlacement> {
        self.ledger.find(placement_id)
    }

    /// Cancels a pending placement; the outcome is published like any other.
    fn cancel(&self, placement_id: &str) -> Result<(), PlacementError> {
        let placement_id = placement_id.to_owned();
        let (after, outcome) = (Duration::ZERO, Outcome::Cancelled);
        self.schedule(Pending { placement_id, after, outcome, deadline: Instant::now() })
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
        let placement = self.draw(request.placement_id.clone());
        let started = SystemTime::now();
        if !self.ledger.enter(request, started) {
            return Err(PlacementError::Invalid("placementId(one that has not been used)".into()));
        }
        self.meter.started(started, self.ledger.queue(started));
        self.schedule(placement)
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

/// No game session became free before the time-out.
struct TimedOut;

/// Publishes the outcomes of placements.
struct Publisher {
    topic: Topic,
    ledger: Arc<Ledger>,
    queue_arn: String,
    /// Its free game sessions; none is without limit.
    fleet: Option<Semaphore>,
    session: Delay,
    meter: Arc<QueueMeter>,
}

impl Publisher {
    /// Places a player, if there is a game session in time; it is occupied until the game is over.
    async fn publish(self: Arc<Self>, placement: Pending) {
        let Pending { placement_id, after, outcome, deadline } = placement;
        if outcome != Outcome::Fulfilled {
            tokio::time::sleep(after).await;
            return self.end(&placement_id, outcome);
        }
        let Ok(held) = self.game_session(deadline).await else {
            return self.end(&placement_id, Outcome::TimedOut);
        };
        if self.ledger.find(&placement_id).is_none_or(|placement| placement.end.is_some()) {
            return;
        }
        if Instant::now() + after > deadline {
            tokio::time::sleep_until(deadline).await;
            return self.end(&placement_id, Outcome::TimedOut);
        }
        if !after.is_zero() {
            tokio::time::sleep(after).await;
        }
        self.end(&placement_id, Outcome::Fulfilled);
        if held.is_some() {
            self.session.wait().await;
        }
    }

    /// Waits for a free game session; an error if there is none in time, and nothing where the fleet has no limit.
    async fn game_session(&self, deadline: Instant) -> Result<Option<SemaphorePermit<'_>>, TimedOut> {
        let Some(fleet) = &self.fleet else { return Ok(None) };
        if let Ok(free) = fleet.try_acquire() {
            return Ok(Some(free));
        }
        self.meter.out_of_capacity();
        match tokio::time::timeout_at(deadline, fleet.acquire()).await {
            Ok(Ok(free)) => Ok(Some(free)),
            Ok(Err(_)) | Err(_) => Err(TimedOut),
        }
    }

    /// Records the queue's depth and the fleet's capacity.
    fn sample(&self) {
        let now = SystemTime::now();
        let free = self.fleet.as_ref().map(Semaphore::available_permits);
        self.meter.sample(now, self.ledger.queue(now), free);
    }

    /// Ends a placement and publishes its event, unless it has ended already, because it was cancelled.
    fn end(&self, placement_id: &str, outcome: Outcome) {
        let ended = SystemTime::now();
        let queue = self.ledger.queue(ended);
        let game_session =
            |request: &StartPlacement| (outcome == Outcome::Fulfilled).then(|| GameSession::draw(request));
        let Some(placement) = self.ledger.end(placement_id, outcome, ended, game_session) else { return };
        let Some(end) = &placement.end else { return };
        self.meter.ended(ended, outcome, queue);
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
    use crate::metrics::{MetricId, Statistic};
    use crate::sns::{Published, topic};

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

    fn queue(profile: &GameLiftProfile, metrics: &Metrics) -> (Arc<GameLift>, Background, Published) {
        let (topic, published) = topic("t", metrics);
        let (queue, background) = GameLift::start(profile, &Deployment::default(), metrics, topic);
        (queue, background, published)
    }

    async fn place(queue: &GameLift, id: &str) {
        let request = StartPlacement {
            placement_id: id.into(),
            maximum_player_session_count: 2,
            ..StartPlacement::default()
        };
        queue.start_placement(request).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn placements_wait_for_a_game_session_and_time_out() {
        let profile: GameLiftProfile =
            toml::from_str("sessions = 2\nsession = { p50_ms = 5000 }\nqueue_timeout_s = 12").unwrap();
        let metrics = Metrics::default();
        let (queue, _background, _published) = queue(&profile, &metrics);
        for number in 0..8 {
            place(&queue, &number.to_string()).await;
        }
        tokio::time::sleep(Duration::from_secs(30)).await;
        let outcome =
            |number: usize| queue.find(&number.to_string()).and_then(|found| found.end).unwrap().outcome;
        let outcomes: Vec<_> = (0..8).map(outcome).collect();
        // Two at once, two after 5 s, two after 10 s; the others would come after 15 s.
        assert_eq!(outcomes[..6], [Outcome::Fulfilled; 6]);
        assert_eq!(outcomes[6..], [Outcome::TimedOut; 2]);
        let dimensions = [("QueueName", "reference-Development-Queue")];
        let of = |metric, statistic| {
            let id = MetricId::new("AWS/GameLift", metric, &dimensions);
            metrics.query(&id, statistic, 0, u64::MAX / 2, 3_600).iter().map(|(_, value)| *value).sum::<f64>()
        };
        let sum = |metric| of(metric, Statistic::Sum);
        assert_eq!((sum("PlacementsStarted"), sum("PlacementsSucceeded")), (8.0, 6.0));
        assert_eq!((sum("PlacementsTimedOut"), sum("FirstChoiceOutOfCapacity")), (2.0, 6.0));
        assert_eq!(of("QueueDepth", Statistic::Maximum), 8.0);
        let fleet = MetricId::new("AWS/GameLift", "AvailableGameSessions", &[("FleetId", "fleet-local")]);
        let free = |statistic| metrics.query(&fleet, statistic, 0, u64::MAX / 2, 3_600)[0].1;
        assert_eq!((free(Statistic::Minimum), free(Statistic::Maximum)), (0.0, 2.0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_placement_takes_no_game_session() {
        let profile: GameLiftProfile =
            toml::from_str("sessions = 1\nsession = { p50_ms = 5000 }\nqueue_timeout_s = 60").unwrap();
        let (queue, _background, _published) = queue(&profile, &Metrics::default());
        for id in ["a", "b", "c"] {
            place(&queue, id).await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        queue.cancel("b").unwrap();
        tokio::time::sleep(Duration::from_secs(6)).await;
        let outcome = |id| queue.find(id).and_then(|found| found.end).map(|end| end.outcome);
        assert_eq!(
            ["a", "b", "c"].map(outcome),
            [Outcome::Fulfilled, Outcome::Cancelled, Outcome::Fulfilled].map(Some)
        );
    }
}
