//! The embedded tables against a model, and against DynamoDB's texts.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use serde_dynamo::AttributeValue;

use super::*;
use crate::metrics::{MetricId, Statistic};
use reference_backend_testing::{ManualClock, expiring, item};

fn tables(profile: TablesProfile) -> (Arc<EmbeddedTables>, Arc<ManualClock>) {
    let clock = ManualClock::new();
    (EmbeddedTables::new(&profile, &Deployment::default(), &Metrics::default(), clock.clone()), clock)
}

/// Everything that a stream holds.
fn changes(tables: &EmbeddedTables) -> Vec<Arc<Change>> {
    let stream = tables.stream(Table::Messages).expect("a stream");
    (0..stream.shard_count()).flat_map(|shard| stream.register(shard).read(usize::MAX, |_| true)).collect()
}

#[derive(Debug, Clone)]
enum Step {
    Put(u8, u8, i64, Option<Condition>),
    Delete(u8, Option<Condition>),
}

fn condition() -> impl Strategy<Value = Option<Condition>> {
    prop_oneof![
        Just(None),
        Just(Some(Condition::Absent)),
        (0..3_u8).prop_map(|r| Some(Condition::Equals { attribute: "recipientId", value: format!("r{r}") })),
        (0..5_i64).prop_map(|value| Some(Condition::AbsentOrAtMost { attribute: "value", value })),
        (0..5_i64).prop_map(|value| Some(Condition::NotAbove { attribute: "value", value })),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..6_u8, 0..3_u8, 0..5_i64, condition()).prop_map(|(k, r, v, c)| Step::Put(k, r, v, c)),
        (0..6_u8, condition()).prop_map(|(k, c)| Step::Delete(k, c)),
    ]
}

fn holds(condition: Option<&Condition>, current: Option<&(String, i64)>) -> bool {
    match (condition, current) {
        (None, _)
        | (Some(Condition::Absent | Condition::AbsentOrAtMost { .. } | Condition::NotAbove { .. }), None) => {
            true
        }
        (Some(Condition::Absent), Some(_)) | (Some(Condition::Equals { .. }), None) => false,
        (Some(Condition::Equals { value, .. }), Some((recipient, _))) => recipient == value,
        (
            Some(Condition::AbsentOrAtMost { value, .. } | Condition::NotAbove { value, .. }),
            Some((_, current)),
        ) => current <= value,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// After any steps: items, index and what the stream tells agree with a plain map.
    #[test]
    fn tables_behave_like_a_map(steps in prop::collection::vec(step(), 0..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let (tables, _) = tables(TablesProfile::default());
            let mut model: BTreeMap<String, (String, i64)> = BTreeMap::new();
            for step in steps {
                let (key, result, expected) = match step {
                    Step::Put(key, recipient, value, condition) => {
                        let (key, recipient) = (format!("k{key}"), format!("r{recipient}"));
                        let expected = holds(condition.as_ref(), model.get(&key));
                        let result = tables.put(Table::Messages, item(&key, &recipient, value), condition).await;
                        if expected {
                            model.insert(key.clone(), (recipient, value));
                        }
                        (key, result, expected)
                    }
                    Step::Delete(key, condition) => {
                        let key = format!("k{key}");
                        let expected = holds(condition.as_ref(), model.get(&key));
                        let result = tables.delete(Table::Messages, &key, condition).await;
                        if expected {
                            model.remove(&key);
                        }
                        (key, result, expected)
                    }
                };
                assert_eq!(result, if expected { Ok(()) } else { Err(TableError::ConditionFailed) });
                let stored = tables.get(Table::Messages, &key).await.expect("get");
                assert_eq!(stored, model.get(&key).map(|(recipient, value)| item(&key, recipient, *value)));
            }
            for recipient in ["r0", "r1", "r2"] {
                let found = tables.query_index(Table::Messages, recipient).await.expect("query").len();
                assert_eq!(found, model.values().filter(|(of, _)| of == recipient).count());
            }
            // Replaying the stream, key by key, ends at the same items.
            let mut replayed = BTreeMap::new();
            for change in changes(&tables) {
                let before = match &change.new_image {
                    Some(image) => replayed.insert(change.key.to_string(), Item::clone(image)),
                    None => replayed.remove(&*change.key),
                };
                let (known, changed) = (before.is_some(), before.as_ref() != change.new_image.as_deref());
                assert_eq!(known, change.kind != ChangeKind::Insert);
                assert!(change.kind != ChangeKind::Modify || changed, "a write that changes nothing is no change");
            }
            let expected: BTreeMap<_, _> =
                model.iter().map(|(key, (recipient, value))| (key.clone(), item(key, recipient, *value))).collect();
            assert_eq!(replayed, expected);
        });
    }

    /// A sweep deletes exactly what expired before this second, whatever was rewritten in between.
    #[test]
    fn a_sweep_deletes_exactly_what_expired(writes in prop::collection::vec((0..5_u8, -3..4_i64), 0..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let (tables, clock) = tables(TablesProfile::default());
            let now = clock.epoch_seconds();
            let mut model = BTreeMap::new();
            for (key, lives) in writes {
                let key = format!("k{key}");
                tables.put(Table::Messages, expiring(&key, now + lives), None).await.expect("put");
                model.insert(key, lives);
            }
            tables.sweep().await;
            for (key, lives) in &model {
                let there = tables.get(Table::Messages, key).await.expect("get").is_some();
                assert_eq!(there, *lives >= 0, "{key} lives {lives} s");
            }
            let expired = changes(&tables).iter().filter(|change| change.kind == ChangeKind::Expire).count();
            assert_eq!(expired, model.values().filter(|lives| **lives < 0).count());
        });
    }
}

#[tokio::test]
async fn batch_limits_have_dynamodbs_texts() {
    let (tables, _) = tables(TablesProfile::default());
    let keys = |count: usize| (0..count).map(|key| format!("k{key}")).collect::<Vec<_>>();
    let text = |error: TableError| {
        assert!(matches!(error, TableError::Validation(_)), "{error:?}");
        error.to_string()
    };
    let error = tables.batch_get(Table::Messages, keys(101)).await.expect_err("too many");
    assert_eq!(text(error), "Too many items requested for the BatchGetItem call");
    let error = tables.batch_get(Table::Messages, vec!["a".into(), "a".into()]).await.expect_err("twice");
    assert_eq!(text(error), "Provided list of item keys contains duplicates");
    let error = tables.batch_put(Table::Messages, vec![item("a", "r", 1); 26]).await.expect_err("too many");
    assert_eq!(text(error), "Too many items requested for the BatchWriteItem call");
    let error = tables.batch_put(Table::Messages, vec![item("a", "r", 1); 2]).await.expect_err("twice");
    assert_eq!(text(error), "Provided list of item keys contains duplicates");
    let error = tables.put(Table::Connections, item("a", "r", 1), None).await.expect_err("no key");
    assert_eq!(
        text(error),
        "One or more parameter values were invalid: Missing the key playerId in the item"
    );
    let mut wrong = item("a", "r", 1);
    wrong.insert("messageId".into(), AttributeValue::N("1".into()));
    let error = tables.put(Table::Messages, wrong, None).await.expect_err("wrong type");
    assert!(text(error).ends_with("Type mismatch for key messageId expected: S actual: N"));
    assert!(
        text(tables.put(Table::Messages, item("", "r", 1), None).await.expect_err("empty"))
            .contains("empty string")
    );
    let mut large = item("a", "r", 1);
    large.insert("message".into(), AttributeValue::S("x".repeat(400 * 1024)));
    let error = tables.put(Table::Messages, large, None).await.expect_err("too large");
    assert_eq!(text(error), "Item size has exceeded the maximum allowed size");
}

#[tokio::test]
async fn a_batch_stops_at_sixteen_megabytes() {
    let (tables, _) = tables(TablesProfile::default());
    for number in 0..50 {
        let mut large = item(&format!("k{number}"), "r", 1);
        large.insert("message".into(), AttributeValue::S("x".repeat(390 * 1024)));
        tables.put(Table::Messages, large, None).await.expect("put");
    }
    let keys: Vec<_> = (0..50).map(|number| format!("k{number}")).collect();
    let answer = tables.batch_get(Table::Messages, keys).await.expect("answer");
    assert_eq!(answer.items.len(), 16 * 1024 / 390);
    assert_eq!(answer.items.len() + answer.unprocessed.len(), 50);
}

#[tokio::test]
async fn faults_and_capacity_come_back_as_on_aws() {
    let always = |text: &str| toml::from_str::<TablesProfile>(text).expect("a profile");
    let (tables, _) = {
        let profile = always("throttle_rate = 1.0\nunprocessed_rate = 1.0");
        self::tables(profile)
    };
    assert!(matches!(tables.get(Table::Messages, "k").await, Err(TableError::Throttled(_))));
    let answer = tables.batch_get(Table::Messages, vec!["k".into()]).await.expect("no error");
    assert_eq!(answer.unprocessed, ["k"]);
    assert_eq!(tables.batch_put(Table::Messages, vec![item("k", "r", 1)]).await.expect("no error").len(), 1);

    let (tables, _) = self::tables(always("partitions = 1\npartition_write_units = 10"));
    let mut written = 0;
    while tables.put(Table::Messages, item("k", "r", 1), None).await.is_ok() {
        written += 1;
        assert!(written < 1_000, "never throttled");
    }
    assert!(written >= 10, "{written}");
}

#[tokio::test]
async fn an_expired_item_can_be_read_until_the_sweeper_comes() {
    let (tables, clock) = tables(TablesProfile::default());
    let now = clock.epoch_seconds();
    tables.put(Table::Messages, expiring("a", now + 1), None).await.expect("put");
    clock.advance(Duration::from_secs(5));
    assert!(tables.get(Table::Messages, "a").await.expect("get").is_some());
    assert_eq!(tables.query_index(Table::Messages, "r").await.expect("query").len(), 1);
    tables.sweep().await;
    assert!(tables.get(Table::Messages, "a").await.expect("get").is_none());
    assert!(tables.query_index(Table::Messages, "r").await.expect("query").is_empty());
}

#[tokio::test]
async fn a_shard_keeps_what_was_not_read_and_little_of_what_was() {
    let profile =
        TablesProfile { stream_shards: 1, stream_retention_records: 10, ..TablesProfile::default() };
    let (tables, clock) = tables(profile);
    let stream = tables.stream(Table::Messages).expect("a stream");
    let mut reader = stream.register(0);
    let write = async |from: usize, to: usize| {
        for number in from..to {
            tables.put(Table::Messages, item(&format!("k{number}"), "r", 1), None).await.expect("put");
        }
    };
    write(0, 50).await;
    assert_eq!(reader.read(30, |_| true).len(), 30);
    reader.commit();
    write(50, 51).await;
    let left = stream.register(0).read(usize::MAX, |_| true);
    assert_eq!(left.first().expect("records").sequence, 30, "read records go when there are more than ten");
    assert_eq!(left.len(), 21);
    assert!(left.windows(2).all(|pair| pair[0].sequence + 1 == pair[1].sequence));
    clock.advance(Duration::from_secs(86_400));
    write(51, 52).await;
    assert_eq!(reader.read(usize::MAX, |_| true).len(), 1, "a day later the rest is gone, read or not");
}

#[tokio::test(start_paused = true)]
async fn one_table_may_be_slower_and_smaller_than_the_others() {
    let profile =
        "[per_table.Messages]\npartitions = 1\npartition_write_units = 2\nlatency.put = { p50_ms = 40 }";
    let profile: TablesProfile = toml::from_str(profile).expect("a profile");
    let tables =
        EmbeddedTables::new(&profile, &Deployment::default(), &Metrics::default(), ManualClock::new());
    let put = async |table: Table| {
        let item = serde_dynamo::to_item(serde_json::json!({ table.key(): "k", table.index_key(): "i" }))
            .expect("an item");
        let started = Instant::now();
        let outcome = tables.put(table, item, None).await;
        (started.elapsed().as_millis(), outcome.is_ok())
    };
    assert_eq!(put(Table::Messages).await, (40, true));
    assert_eq!(put(Table::Messages).await, (40, true));
    assert_eq!(put(Table::Messages).await, (40, false), "its capacity is used up");
    for _ in 0..5 {
        assert_eq!(put(Table::Connections).await, (0, true));
    }
}

/// A player who connects anew all day is one item, and comes to one end.
#[tokio::test]
async fn an_item_has_one_end_however_often_it_is_written() {
    let (tables, clock) = tables(TablesProfile::default());
    let data = &tables.table(Table::Messages).data;
    let now = clock.epoch_seconds();
    for second in 0..1_000 {
        tables.put(Table::Messages, expiring("k", now + second % 100), None).await.expect("put");
        tables.put(Table::Messages, expiring("gone", now + 500), None).await.expect("put");
        tables.delete(Table::Messages, "gone", None).await.expect("delete");
    }
    assert_eq!(data.expiry_entries(), 1);
    tables.put(Table::Messages, item("k", "r", 1), None).await.expect("put");
    assert_eq!(data.expiry_entries(), 0, "it expires no more");
    clock.advance(Duration::from_secs(1_000));
    tables.sweep().await;
    assert!(tables.get(Table::Messages, "k").await.expect("get").is_some());
}

#[tokio::test]
async fn any_number_of_items_may_end_in_one_second() {
    let (tables, clock) = tables(TablesProfile::default());
    let end = clock.epoch_seconds() + 1;
    for number in 0..20_000 {
        tables.put(Table::Messages, expiring(&format!("k{number}"), end), None).await.expect("put");
    }
    clock.advance(Duration::from_secs(3));
    tables.sweep().await;
    assert_eq!(tables.table(Table::Messages).data.expiry_entries(), 0);
    assert!(tables.query_index(Table::Messages, "r").await.expect("query").is_empty());
}

fn counted(metrics: &Metrics, metric: &str, dimensions: &[(&str, &str)]) -> f64 {
    let id = MetricId::new("AWS/DynamoDB", metric, dimensions);
    metrics.query(&id, Statistic::Sum, 0, u64::MAX / 2, 60).iter().map(|(_, value)| *value).sum()
}

fn metered(profile: &str) -> (Arc<EmbeddedTables>, Metrics) {
    let profile: TablesProfile = toml::from_str(profile).expect("a profile");
    let metrics = Metrics::default();
    (EmbeddedTables::new(&profile, &Deployment::default(), &metrics, ManualClock::new()), metrics)
}

const MESSAGES: (&str, &str) = ("TableName", "reference-Development-Messages");
const INDEX: (&str, &str) = ("GlobalSecondaryIndexName", "RecipientIdIndex");

#[tokio::test]
async fn each_limit_of_a_table_throttles_under_a_name_of_its_own() {
    for (limit, cause) in [
        ("partitions = 1\npartition_write_units = 2\nindex_partition_write_units = 0", "KeyRangeThroughput"),
        ("max_write_units = 2", "MaxOnDemandThroughput"),
        ("quota_write_units = 2", "AccountLimit"),
    ] {
        let (tables, metrics) = metered(limit);
        let mut refused = 0;
        for number in 0..12 {
            let item = item(&format!("k{number}"), "r", 0);
            refused += u32::from(tables.put(Table::Messages, item, None).await.is_err());
        }
        assert!(refused >= 8, "{limit}: {refused}");
        let (refused, of) = (f64::from(refused), |metric: &str| counted(&metrics, metric, &[MESSAGES]));
        assert_eq!(of("WriteThrottleEvents"), refused);
        for name in ["KeyRangeThroughput", "MaxOnDemandThroughput", "AccountLimit"] {
            let expected = if name == cause { refused } else { 0.0 };
            assert_eq!(of(&format!("Write{name}ThrottleEvents")), expected, "{limit}: {name}");
        }
        let requests = counted(&metrics, "ThrottledRequests", &[MESSAGES, ("Operation", "PutItem")]);
        assert_eq!((requests, of("ConsumedWriteCapacityUnits")), (refused, 12.0 - refused));
        assert_eq!(counted(&metrics, "WriteThrottleEvents", &[MESSAGES, INDEX]), 0.0);
    }
}

#[tokio::test]
async fn a_hot_value_of_the_index_refuses_writes_of_the_table() {
    let (tables, metrics) =
        metered("partitions = 1\npartition_write_units = 0\nindex_partition_write_units = 3");
    let mut refused = 0;
    for number in 0..12 {
        let item = item(&format!("k{number}"), "hot", 0);
        refused += u32::from(tables.put(Table::Messages, item, None).await.is_err());
    }
    assert!(refused >= 8, "{refused}");
    let (refused, index) = (f64::from(refused), [MESSAGES, INDEX]);
    assert_eq!(counted(&metrics, "WriteKeyRangeThroughputThrottleEvents", &index), refused);
    assert_eq!(counted(&metrics, "WriteKeyRangeThroughputThrottleEvents", &[MESSAGES]), 0.0);
    assert_eq!(counted(&metrics, "ConsumedWriteCapacityUnits", &index), 12.0 - refused);
    tables.query_index(Table::Messages, "hot").await.expect("reads are not limited");
    assert_eq!(counted(&metrics, "ConsumedReadCapacityUnits", &index), 0.5);
    assert_eq!(
        counted(&metrics, "ConsumedReadCapacityUnits", &[MESSAGES]),
        0.0,
        "a query reads the index only"
    );
}

#[tokio::test]
async fn units_are_those_of_the_items_and_a_slow_table_shows_in_its_latency() {
    let (tables, metrics) = metered("per_table.Messages.latency.put = { p50_ms = 30 }");
    let mut large = item("k", "r", 0);
    large.insert("text".into(), AttributeValue::S("x".repeat(2_500)));
    tables.put(Table::Messages, large, None).await.expect("put");
    assert_eq!(counted(&metrics, "ConsumedWriteCapacityUnits", &[MESSAGES]), 3.0);
    tables.get(Table::Messages, "k").await.expect("get");
    assert_eq!(counted(&metrics, "ConsumedReadCapacityUnits", &[MESSAGES]), 1.0, "consistent, up to 4 KiB");
    let id = MetricId::new("AWS/DynamoDB", "SuccessfulRequestLatency", &[MESSAGES, ("Operation", "PutItem")]);
    let of = |statistic| metrics.query(&id, statistic, 0, u64::MAX / 2, 60)[0].1;
    assert!(of(Statistic::Average) >= 30.0 && of(Statistic::Maximum) >= 30.0);
    assert_eq!(of(Statistic::SampleCount), 1.0);
}
