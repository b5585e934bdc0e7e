//! SNS: one topic with one subscriber, a Lambda that is invoked asynchronously.
//!
//! Publisher and subscription are separate, so that the queue can be built before the function that it invokes.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_lambda_events::sns::{SnsEvent, SnsMessage, SnsRecord};
use bytes::Bytes;
use reference_backend::function::Function;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

use super::account::{REGION, arn};
use super::background::Background;
use super::distribution::Delay;
use super::lambda::{Invoke, InvokeError};
use super::metrics::{Metrics, Series, Unit};

/// Pauses before the retries of a failed asynchronous invocation.
const RETRY_PAUSES: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(120)];
/// First and longest pause after a throttle, and the age at which the event is dropped.
const THROTTLE_PAUSE: Duration = Duration::from_secs(1);
const THROTTLE_PAUSE_CAP: Duration = Duration::from_secs(300);
const THROTTLE_LIMIT: Duration = Duration::from_secs(6 * 3_600);

/// The `[sns]` section of a profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SnsProfile {
    /// Time from publishing to the first invocation.
    pub delivery: Delay,
    /// Factor for AWS's pauses between retries (1 and 2 minutes after an error, 1 s to 5 min after throttles).
    #[schemars(range(min = 0.0, max = 1.0))]
    pub retry_scale: f64,
}

impl Default for SnsProfile {
    fn default() -> Self {
        Self { delivery: Delay::default(), retry_scale: 0.001 }
    }
}

impl SnsProfile {
    /// Checks what the types alone cannot.
    ///
    /// # Errors
    /// What is wrong, and the remedy.
    pub fn check(&self) -> Result<(), String> {
        if (0.0..=1.0).contains(&self.retry_scale) {
            Ok(())
        } else {
            Err(format!("[sns] retry_scale = {}: give 0 (retry at once) to 1 (as on AWS)", self.retry_scale))
        }
    }
}

/// A topic that messages can be published on. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Topic {
    arn: Arc<str>,
    published: mpsc::UnboundedSender<SnsMessage>,
    messages: Arc<Series>,
}

/// The messages of a topic, for its subscriber.
#[derive(Debug)]
pub struct Published {
    messages: mpsc::UnboundedReceiver<SnsMessage>,
    delivered: Arc<Series>,
    failed: Arc<Series>,
}

/// A new topic.
#[must_use]
pub fn topic(name: &str, metrics: &Metrics) -> (Topic, Published) {
    let count = |metric| metrics.series("AWS/SNS", metric, Unit::Count, &[("TopicName", name)]);
    let (published, messages) = mpsc::unbounded_channel();
    let (delivered, failed) = (count("NumberOfNotificationsDelivered"), count("NumberOfNotificationsFailed"));
    let topic =
        Topic { arn: arn("sns", name).into(), published, messages: count("NumberOfMessagesPublished") };
    (topic, Published { messages, delivered, failed })
}

impl Topic {
    /// Its ARN.
    #[must_use]
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// Publishes a message; false if there is no subscriber.
    pub fn publish(&self, text: String) -> bool {
        let mut message = SnsMessage::default();
        message.sns_message_type = "Notification".into();
        message.message_id = Uuid::new_v4().to_string();
        message.topic_arn = self.arn.to_string();
        message.timestamp = SystemTime::now().into();
        message.signature_version = "1".into();
        message.signature = "bG9jYWw=".into();
        message.signing_cert_url = format!("https://sns.{REGION}.amazonaws.com/local.pem");
        message.unsubscribe_url = format!("https://sns.{REGION}.amazonaws.com/?Action=Unsubscribe");
        message.message = text;
        self.messages.record(SystemTime::now(), 1.0);
        self.published.send(message).is_ok()
    }
}

/// Subscribes OnPlacementEvent to a topic: every message is one asynchronous invocation, independent of the others.
/// `lambda_name` is the function's name in CloudWatch. Must be called inside a tokio runtime.
pub fn deliver(
    profile: &SnsProfile,
    published: Published,
    invoke: Arc<dyn Invoke>,
    lambda_name: &str,
    metrics: &Metrics,
) -> Background {
    let dimensions = [("FunctionName", lambda_name)];
    let Published { mut messages, delivered, failed } = published;
    let delivery = Arc::new(Delivery {
        profile: profile.clone(),
        invoke,
        delivered,
        failed,
        received: metrics.series("AWS/Lambda", "AsyncEventsReceived", Unit::Count, &dimensions),
        dropped: metrics.series("AWS/Lambda", "AsyncEventsDropped", Unit::Count, &dimensions),
        age: metrics.series("AWS/Lambda", "AsyncEventAge", Unit::Milliseconds, &dimensions),
    });
    Background::with(async move {
        let mut deliveries = JoinSet::new();
        loop {
            tokio::select! {
                message = messages.recv() => match message {
                    Some(message) => {
                        deliveries.spawn(Arc::clone(&delivery).deliver(message));
                    }
                    None => break,
                },
                Some(_) = deliveries.join_next() => {}
            }
        }
        while deliveries.join_next().await.is_some() {}
    })
}

/// Delivers messages.
struct Delivery {
    profile: SnsProfile,
    invoke: Arc<dyn Invoke>,
    /// Messages that Lambda has taken over, and those that it could not.
    delivered: Arc<Series>,
    failed: Arc<Series>,
    received: Arc<Series>,
    dropped: Arc<Series>,
    age: Arc<Series>,
}

impl Delivery {
    /// Hands a message over to Lambda, which ends SNS's part: what follows are the retries of Lambda's own queue.
    async fn deliver(self: Arc<Self>, message: SnsMessage) {
        self.profile.delivery.wait().await;
        let event = match event(message) {
            Ok(event) => event,
            Err(error) => {
                tracing::warn!(%error, "a placement event was not delivered");
                return self.failed.record(SystemTime::now(), 1.0);
            }
        };
        let now = SystemTime::now();
        self.delivered.record(now, 1.0);
        self.received.record(now, 1.0);
        self.handle(event).await;
    }

    /// Invokes the function until it succeeds or the event is dropped. The event's age counts from when it was queued.
    async fn handle(&self, event: Bytes) {
        let queued = Instant::now();
        let (mut failures, mut throttles) = (0, 0);
        loop {
            self.age.record(SystemTime::now(), queued.elapsed().as_secs_f64() * 1_000.0);
            let (pause, reason) = match self.invoke.invoke(Function::OnPlacementEvent, event.clone()).await {
                Ok(_) => return,
                Err(InvokeError::Throttled { reason }) => {
                    throttles += 1;
                    let pause =
                        THROTTLE_PAUSE.saturating_mul(1 << (throttles - 1).min(16)).min(THROTTLE_PAUSE_CAP);
                    let in_time = queued.elapsed() < THROTTLE_LIMIT.mul_f64(self.profile.retry_scale);
                    (in_time.then_some(pause), reason.to_owned())
                }
                Err(error) => {
                    failures += 1;
                    (RETRY_PAUSES.get(failures - 1).copied(), error.to_string())
                }
            };
            match pause {
                Some(pause) => tokio::time::sleep(pause.mul_f64(self.profile.retry_scale)).await,
                None => return self.drop_message(&reason),
            }
        }
    }

    fn drop_message(&self, reason: &str) {
        tracing::warn!(reason, "a placement event was dropped");
        self.dropped.record(SystemTime::now(), 1.0);
    }
}

/// The Lambda event of a message.
fn event(message: SnsMessage) -> Result<Bytes, serde_json::Error> {
    let mut record = SnsRecord::default();
    record.event_source = "aws:sns".into();
    record.event_version = "1.0".into();
    record.event_subscription_arn = format!("{}:{}", message.topic_arn, message.message_id);
    record.sns = message;
    let mut event = SnsEvent::default();
    event.records = vec![record];
    serde_json::to_vec(&event).map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use async_trait::async_trait;

    use super::*;
    use crate::metrics::{MetricId, Statistic};

    /// Fails a number of times, then succeeds.
    struct Flaky {
        failures: usize,
        error: InvokeError,
        calls: AtomicUsize,
    }

    #[async_trait]
    impl Invoke for Flaky {
        async fn invoke(&self, function: Function, payload: Bytes) -> Result<Bytes, InvokeError> {
            assert_eq!(function, Function::OnPlacementEvent);
            let event: SnsEvent = serde_json::from_slice(&payload).expect("an SNS event");
            assert_eq!(event.records[0].sns.message, "hello");
            if self.calls.fetch_add(1, Relaxed) < self.failures {
                Err(self.error.clone())
            } else {
                Ok(Bytes::new())
            }
        }
    }

    async fn calls(failures: usize, error: InvokeError) -> (usize, Duration) {
        let (tried, took, _) = measured(failures, error).await;
        (tried, took)
    }

    async fn measured(failures: usize, error: InvokeError) -> (usize, Duration, Metrics) {
        let flaky = Arc::new(Flaky { failures, error, calls: AtomicUsize::new(0) });
        let metrics = Metrics::default();
        let (topic, messages) = topic("t", &metrics);
        let profile = SnsProfile { retry_scale: 1.0, ..SnsProfile::default() };
        let mut delivery = deliver(&profile, messages, flaky.clone(), "f", &metrics);
        let started = Instant::now();
        assert!(topic.publish("hello".into()));
        drop(topic);
        delivery.join().await;
        (flaky.calls.load(Relaxed), started.elapsed(), metrics)
    }

    fn metric(
        metrics: &Metrics,
        namespace: &str,
        metric: &str,
        of: (&str, &str),
        statistic: Statistic,
    ) -> f64 {
        let id = MetricId::new(namespace, metric, &[of]);
        metrics.query(&id, statistic, 0, u64::MAX / 2, 3_600).iter().map(|(_, value)| *value).sum()
    }

    #[tokio::test(start_paused = true)]
    async fn sns_and_the_asynchronous_queue_count_apart() {
        let (_, _, metrics) = measured(9, InvokeError::TimedOut { seconds: 10.0 }).await;
        let sns = |name| metric(&metrics, "AWS/SNS", name, ("TopicName", "t"), Statistic::Sum);
        assert_eq!((sns("NumberOfMessagesPublished"), sns("NumberOfNotificationsDelivered")), (1.0, 1.0));
        assert_eq!(sns("NumberOfNotificationsFailed"), 0.0, "the hand-over has succeeded");
        let lambda = |name, statistic| metric(&metrics, "AWS/Lambda", name, ("FunctionName", "f"), statistic);
        assert_eq!(lambda("AsyncEventsReceived", Statistic::Sum), 1.0);
        assert_eq!(lambda("AsyncEventsDropped", Statistic::Sum), 1.0);
        assert_eq!(lambda("AsyncEventAge", Statistic::SampleCount), 3.0, "at each attempt");
        assert_eq!(lambda("AsyncEventAge", Statistic::Maximum), 180_000.0);
        let (_, _, metrics) = measured(0, InvokeError::TimedOut { seconds: 10.0 }).await;
        let dropped =
            metric(&metrics, "AWS/Lambda", "AsyncEventsDropped", ("FunctionName", "f"), Statistic::Sum);
        assert_eq!(dropped, 0.0);
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_is_retried_twice_after_one_and_two_minutes() {
        let error = InvokeError::TimedOut { seconds: 10.0 };
        assert_eq!(calls(0, error.clone()).await.0, 1);
        let (tried, took) = calls(1, error.clone()).await;
        assert_eq!((tried, took.as_secs()), (2, 60));
        let (tried, took) = calls(9, error).await;
        assert_eq!((tried, took.as_secs()), (3, 180));
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttle_is_retried_for_hours() {
        let (tried, took) = calls(usize::MAX, InvokeError::Throttled { reason: "r" }).await;
        assert!(tried > 60, "{tried}");
        assert!(took >= THROTTLE_LIMIT && took < THROTTLE_LIMIT + THROTTLE_PAUSE_CAP * 2, "{took:?}");
        assert_eq!(calls(5, InvokeError::Throttled { reason: "r" }).await.0, 6);
    }
}
