//! Mappings with a function that does as the test says.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_lambda_events::dynamodb::{Event, EventRecord};
use bytes::Bytes;
use parking_lot::Mutex;
use proptest::prelude::*;
use reference_backend::function::{Deployment, Function, Layout, Table};
use reference_backend::ports::{Clock, TableStore};
use serde_dynamo::{AttributeValue, Item};
use serde_json::json;

use super::batch::Batches;
use super::counts::EventCounts;
use super::event::Source;
use super::*;
use crate::distribution::Rate;
use crate::lambda::{Invoke, InvokeError};
use crate::metrics::{MetricId, Metrics, Statistic, Unit};
use crate::tables::{Change, ChangeKind, TablesProfile};
use reference_backend_testing::ManualClock;

/// What a call answers, from the records that it got.
type Script = dyn Fn(&[EventRecord]) -> Result<serde_json::Value, InvokeError> + Send + Sync;

/// Keeps what it was called with.
struct Scripted {
    calls: Mutex<Vec<Vec<EventRecord>>>,
    script: Box<Script>,
}

impl Scripted {
    fn new(
        script: impl Fn(&[EventRecord]) -> Result<serde_json::Value, InvokeError> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { calls: Mutex::default(), script: Box::new(script) })
    }

    fn batch_sizes(&self) -> Vec<usize> {
        self.calls.lock().iter().map(Vec::len).collect()
    }
}

#[async_trait]
impl Invoke for Scripted {
    async fn invoke(&self, _: Function, payload: Bytes) -> Result<Bytes, InvokeError> {
        let event: Event = serde_json::from_slice(&payload).expect("an event of the library");
        let answer = (self.script)(&event.records);
        self.calls.lock().push(event.records);
        answer.map(|answer| Bytes::from(answer.to_string()))
    }
}

/// The mappings of both streams, with this function at their end.
fn mapped(
    profile: &StreamsProfile,
    tables: &EmbeddedTables,
    invoke: Arc<Scripted>,
    metrics: &Metrics,
) -> Background {
    let (deployment, layout, clock) = (&Deployment::default(), Layout::PerOperation, tables.clock());
    start(&Targets { profile, invoke, deployment, layout, metrics, clock }, tables)
}

fn failures<'a>(records: impl IntoIterator<Item = &'a EventRecord>) -> serde_json::Value {
    let failures: Vec<_> = records
        .into_iter()
        .map(|record| json!({ "itemIdentifier": record.change.sequence_number }))
        .collect();
    json!({ "batchItemFailures": failures })
}

fn broken() -> InvokeError {
    InvokeError::TimedOut { seconds: 10.0 }
}

fn change(sequence: u64) -> Arc<Change> {
    Arc::new(Change {
        kind: ChangeKind::Insert,
        key: format!("k{sequence}").into(),
        key_hash: sequence,
        new_image: Some(Arc::new(Item::default())),
        size: 100,
        created_ms: 1_700_000_000_000,
        sequence,
        foreign: None,
    })
}

fn batches(invoke: Arc<Scripted>, metrics: &Metrics) -> Batches {
    Batches {
        invoke,
        function: Function::OnMessageInserted,
        source: Source { arn: "arn".into(), key: "messageId", shard: 0, poison: Rate::default() },
        batch_size: 100,
        max_retries: Some(3),
        max_age_ms: None,
        bisect: true,
        backoff: reference_backend_testing::EAGER,
        clock: ManualClock::new(),
        age: metrics.series("AWS/Lambda", "IteratorAge", Unit::Milliseconds, &[]),
        counts: Arc::new(EventCounts::new("uuid", metrics, ManualClock::new())),
    }
}

fn dropped(metrics: &Metrics) -> f64 {
    counted(metrics, "uuid", "DroppedEventCount")
}

/// Sum of an `EventCount` series.
fn counted(metrics: &Metrics, uuid: &str, metric: &str) -> f64 {
    let id = MetricId::new("AWS/Lambda", metric, &[("EventSourceMappingUUID", uuid)]);
    metrics.query(&id, Statistic::Sum, 1_699_999_000, 1_700_001_000, 60).iter().map(|(_, value)| *value).sum()
}

fn number(record: &EventRecord) -> u64 {
    let AttributeValue::S(key) = &record.change.keys["messageId"] else { panic!("no key") };
    key[1..].parse().expect("a number")
}

#[tokio::test]
async fn a_poison_record_is_isolated_and_dropped_alone() {
    let metrics = Metrics::default();
    let delivered = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&delivered);
    let lambda = Scripted::new(move |records| {
        if records.iter().any(|record| number(record) == 37) {
            return Err(broken());
        }
        seen.lock().extend(records.iter().map(number));
        Ok(json!({}))
    });
    let records: Vec<_> = (0..100).map(change).collect();
    batches(lambda.clone(), &metrics).process(&records).await;
    assert_eq!(*delivered.lock(), (0..100).filter(|number| *number != 37).collect::<Vec<_>>());
    assert_eq!(dropped(&metrics), 1.0);
    let (invoked, failed) =
        (counted(&metrics, "uuid", "InvokedEventCount"), counted(&metrics, "uuid", "FailedInvokeEventCount"));
    assert_eq!(invoked, lambda.batch_sizes().iter().sum::<usize>() as f64, "once for each attempt");
    assert_eq!(invoked - failed, 99.0, "each of the others is processed once");
    assert_eq!(
        lambda.batch_sizes().iter().filter(|size| **size == 1).count(),
        4,
        "one try and three retries"
    );
}

#[tokio::test]
async fn without_bisecting_the_whole_batch_is_given_up() {
    let metrics = Metrics::default();
    let lambda = Scripted::new(|_| Err(broken()));
    let whole = Batches { bisect: false, ..batches(lambda.clone(), &metrics) };
    whole.process(&(0..10).map(change).collect::<Vec<_>>()).await;
    assert_eq!(lambda.batch_sizes(), [10, 10, 10, 10]);
    assert_eq!(dropped(&metrics), 10.0);
}

#[tokio::test]
async fn throttles_are_no_retries() {
    let metrics = Metrics::default();
    let left = Mutex::new(50);
    let lambda = Scripted::new(move |_| {
        let mut left = left.lock();
        *left -= 1;
        if *left > 0 { Err(InvokeError::Throttled { reason: "r" }) } else { Ok(json!(null)) }
    });
    batches(lambda.clone(), &metrics).process(&[change(0)]).await;
    assert_eq!(lambda.batch_sizes().len(), 50);
    assert_eq!(counted(&metrics, "uuid", "FailedInvokeEventCount"), 49.0);
    assert_eq!(dropped(&metrics), 0.0);
}

#[tokio::test]
async fn old_records_are_dropped_and_young_ones_delivered() {
    let metrics = Metrics::default();
    let lambda = Scripted::new(|_| Ok(json!({ "batchItemFailures": [] })));
    let clock = ManualClock::new();
    clock.advance(Duration::from_secs(100));
    let mut young = Arc::into_inner(change(1)).expect("one owner");
    young.created_ms = clock.epoch_ms();
    let aged = Batches { max_age_ms: Some(60_000), clock, ..batches(lambda.clone(), &metrics) };
    aged.process(&[change(0), Arc::new(young)]).await;
    assert_eq!(lambda.calls.lock().iter().flatten().map(number).collect::<Vec<_>>(), [1]);
    assert_eq!(dropped(&metrics), 1.0);
}

#[test]
fn answers_that_are_no_partial_batch_response_fail_the_batch() {
    let source = Source { arn: "arn".into(), key: "messageId", shard: 0, poison: Rate::default() };
    let batch = [change(0), change(1), change(2)];
    let answers: [(&[u8], usize); 9] = [
        (b"", 3),
        (b"null", 3),
        (b"{}", 3),
        (br#"{"batchItemFailures":null}"#, 3),
        (br#"{"batchItemFailures":[]}"#, 3),
        (br#"{"batchItemFailures":[{"itemIdentifier":"100000000000000000000001"}]}"#, 1),
        (br#"{"batchItemFailures":[{"itemIdentifier":null}]}"#, 0),
        (br#"{"batchItemFailures":[{"itemIdentifier":"7"}]}"#, 0),
        (br#"{"batchItemFailures":true}"#, 0),
    ];
    for (answer, done) in answers {
        assert_eq!(source.done(&batch, answer), done, "{}", String::from_utf8_lossy(answer));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever fails how often: nothing is lost, nothing before a failure comes again, and the order stands.
    #[test]
    fn a_batch_goes_on_from_its_first_failure(
        trouble in prop::collection::hash_map(0..60_u64, 1..4_u32, 0..12),
        count in 1..60_u64,
        batch_size in 1..30_usize,
    ) {
        let metrics = Metrics::default();
        let trouble = Mutex::new(trouble);
        let succeeded = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&succeeded);
        let lambda = Scripted::new(move |records| {
            let mut trouble = trouble.lock();
            let (mut failed, mut log) = (Vec::new(), log.lock());
            for record in records {
                match trouble.get_mut(&number(record)) {
                    Some(left) if *left > 0 => {
                        *left -= 1;
                        failed.push(record);
                    }
                    _ => log.push((number(record), failed.is_empty())),
                }
            }
            Ok(failures(failed))
        });
        let records: Vec<_> = (0..count).map(change).collect();
        let lane = Batches { max_retries: None, batch_size, ..batches(lambda.clone(), &metrics) };
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime").block_on(lane.process(&records));
        let final_ones: Vec<u64> =
            succeeded.lock().iter().filter(|(_, before_failure)| *before_failure).map(|(number, _)| *number).collect();
        prop_assert_eq!(final_ones, (0..count).collect::<Vec<_>>());
        prop_assert!(lambda.batch_sizes().iter().all(|size| *size <= batch_size));
        prop_assert_eq!(dropped(&metrics), 0.0);
    }
}

fn message(key: &str, version: usize) -> Item {
    let text = |value: String| AttributeValue::S(value);
    HashMap::from([
        ("placementId".to_owned(), text(key.into())),
        ("playerId".to_owned(), text("p".into())),
        ("version".to_owned(), text(version.to_string())),
    ])
    .into()
}

fn tables(shards: usize) -> Arc<EmbeddedTables> {
    let profile = TablesProfile { stream_shards: shards, ..TablesProfile::default() };
    EmbeddedTables::new(&profile, &Deployment::default(), &Metrics::default(), ManualClock::new())
}

async fn eventually(what: impl Fn() -> bool) {
    while !what() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_arrives_once_and_in_order_per_key() {
    let tables = tables(3);
    let lambda = Scripted::new(|_| Ok(json!({})));
    let profile = StreamsProfile { parallelization_factor: 3, batch_size: 7, ..StreamsProfile::default() };
    let metrics = Metrics::default();
    let _mapping = mapped(&profile, &tables, lambda.clone(), &metrics);
    let writers = (0..4).map(|writer| {
        let tables = Arc::clone(&tables);
        tokio::spawn(async move {
            for version in 0..100 {
                for key in 0..5 {
                    let item = message(&format!("w{writer}k{key}"), version);
                    tables.put(Table::Placements, item, None).await.expect("put");
                }
            }
        })
    });
    futures_util::future::join_all(writers).await;
    eventually(|| lambda.batch_sizes().iter().sum::<usize>() == 2_000).await;
    let mut versions: BTreeMap<String, usize> = BTreeMap::new();
    let mut ids = HashSet::new();
    for record in lambda.calls.lock().iter().flatten() {
        assert!(ids.insert(record.event_id.clone()), "event ids are unique");
        let (AttributeValue::S(key), AttributeValue::S(version)) =
            (&record.change.keys["placementId"], &record.change.new_image["version"])
        else {
            panic!("no strings");
        };
        let next = versions.entry(key.clone()).or_default();
        assert_eq!(*version, next.to_string(), "order of {key}");
        assert_eq!(record.event_name, if *next == 0 { "INSERT" } else { "MODIFY" });
        *next += 1;
    }
    assert_eq!(versions.len(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_window_fills_the_batch_and_a_poll_has_its_time() {
    let tables = tables(1);
    let lambda = Scripted::new(|_| Ok(json!({})));
    let profile = StreamsProfile {
        poll_interval_ms: 250,
        batch_window_ms: 2_000,
        batch_size: 10,
        ..StreamsProfile::default()
    };
    let _mapping = mapped(&profile, &tables, lambda.clone(), &Metrics::default());
    for key in 0..4 {
        tables.put(Table::Placements, message(&format!("k{key}"), 0), None).await.expect("put");
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    assert!(lambda.calls.lock().is_empty(), "the window is still open");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(lambda.batch_sizes(), [4]);
    for key in 0..10 {
        tables.put(Table::Placements, message(&format!("l{key}"), 0), None).await.expect("put");
    }
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(lambda.batch_sizes(), [4, 10], "a full batch does not wait");
}

#[tokio::test]
async fn deletions_do_not_wake_the_function_and_look_as_on_aws() {
    let tables = tables(1);
    let lambda = Scripted::new(|_| Ok(json!({})));
    let (profile, metrics) = (StreamsProfile::default(), Metrics::default());
    let _mapping = mapped(&profile, &tables, lambda.clone(), &metrics);
    tables.put(Table::Placements, message("a", 0), None).await.expect("put");
    tables.delete(Table::Placements, "a", None).await.expect("delete");
    tables.put(Table::Placements, message("b", 0), None).await.expect("put");
    eventually(|| lambda.batch_sizes().iter().sum::<usize>() == 2).await;
    let names: Vec<_> =
        lambda.calls.lock().iter().flatten().map(|record| record.event_name.clone()).collect();
    assert_eq!(names, ["INSERT", "INSERT"]);
    let uuid = mapping_uuid(&Deployment::default(), Table::Placements);
    let count = |metric| counted(&metrics, &uuid, metric);
    eventually(|| count("PolledEventCount") == 3.0).await;
    assert_eq!(count("FilteredOutEventCount"), 1.0);
    assert_eq!((count("InvokedEventCount"), count("FailedInvokeEventCount")), (2.0, 0.0));
    let idle = mapping_uuid(&Deployment::default(), Table::Messages);
    let id = MetricId::new("AWS/Lambda", "PolledEventCount", &[("EventSourceMappingUUID", &idle)]);
    let points = || metrics.query(&id, Statistic::Sum, 1_699_999_000, 1_700_001_000, 60);
    eventually(|| !points().is_empty()).await;
    assert!(points().iter().all(|(_, polled)| *polled == 0.0), "an idle mapping polls nothing and says so");

    let mut expired = Arc::into_inner(change(3)).expect("one owner");
    expired.kind = ChangeKind::Expire;
    expired.new_image = None;
    let source = Source { arn: "arn:stream".into(), key: "messageId", shard: 2, poison: Rate::default() };
    let event = source.event(&[Arc::new(expired)]).expect("encoded");
    let event: serde_json::Value = serde_json::from_slice(&event).expect("JSON");
    let expected = json!({ "Records": [{
        "eventID": "00000000000000030000000000000003",
        "eventName": "REMOVE",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_700_000_000,
            "Keys": { "messageId": { "S": "k3" } },
            "SequenceNumber": "102000000000000000000003",
            "SizeBytes": 100,
            "StreamViewType": "NEW_IMAGE",
        },
        "eventSourceARN": "arn:stream",
        "userIdentity": { "type": "Service", "principalId": "dynamodb.amazonaws.com" },
    }]});
    assert_eq!(event, expected);
}
