//! What the functions behind the streams get to see, and when it comes again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use aws_lambda_events::dynamodb::{Event, EventRecord};
use bytes::Bytes;
use reference_backend::function::{Function, Table};
use reference_backend_local::lambda::{Invoke, InvokeError};
use reference_backend_local::streams::StreamsProfile;
use serde_dynamo::AttributeValue;
use serde_json::{Value, json};

use super::super::dynamodb_local::DynamoDbLocal;
use super::{Subject, both, both_with, canonical, eventually, item};

/// What a call answers; it is told how many there were before, and what it got.
type Script = dyn Fn(usize, &[EventRecord]) -> Result<Value, InvokeError> + Send + Sync;

/// Functions that keep what they get and answer as told.
struct Scripted {
    calls: Mutex<Vec<(Function, Vec<EventRecord>)>>,
    script: Box<Script>,
}

impl Scripted {
    fn new(
        script: impl Fn(usize, &[EventRecord]) -> Result<Value, InvokeError> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { calls: Mutex::default(), script: Box::new(script) })
    }

    /// Whether a key was seen so often, in whatever state.
    fn saw(&self, wanted: &str, times: usize) -> bool {
        let calls = self.calls.lock().unwrap();
        calls.iter().flat_map(|(_, records)| records).filter(|record| key(record) == wanted).count() >= times
    }

    /// What a function got of each key, in its order, in words.
    fn by_key(&self, of: Function) -> BTreeMap<String, Vec<String>> {
        let mut seen: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let calls = self.calls.lock().unwrap();
        for record in calls.iter().filter(|(function, _)| *function == of).flat_map(|(_, records)| records) {
            seen.entry(key(record)).or_default().push(in_words(record));
        }
        seen
    }
}

#[async_trait]
impl Invoke for Scripted {
    async fn invoke(&self, function: Function, payload: Bytes) -> Result<Bytes, InvokeError> {
        let event: Event = serde_json::from_slice(&payload).unwrap();
        let mut calls = self.calls.lock().unwrap();
        let answer = (self.script)(calls.len(), &event.records);
        calls.push((function, event.records));
        answer.map(|answer| Bytes::from(answer.to_string()))
    }
}

fn key(record: &EventRecord) -> String {
    match record.change.keys.values().next() {
        Some(AttributeValue::S(key)) => key.clone(),
        other => panic!("no key: {other:?}"),
    }
}

/// Everything of a record but what is the stream's own: ids, sequence numbers, ARN and time.
fn in_words(record: &EventRecord) -> String {
    let change = &record.change;
    assert!(!change.sequence_number.clone().unwrap_or_default().is_empty() && !record.event_id.is_empty());
    let age = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
        - change.approximate_creation_date_time.timestamp();
    assert!((-60..600).contains(&age), "written {age} s ago");
    format!(
        "{} {:?} {} new {} old {} bytes {} {:?} {:?}",
        record.event_name,
        record.event_source,
        canonical(&change.keys),
        canonical(&change.new_image),
        canonical(&change.old_image),
        change.size_bytes,
        change.stream_view_type,
        record.user_identity,
    )
}

/// As on AWS but for the pauses.
fn profile() -> StreamsProfile {
    StreamsProfile { max_retry_attempts: Some(3), ..StreamsProfile::default() }
}

/// Writes a last record and waits until it has arrived; what was to come before has come by then, if it has the same
/// key's lane or the stream is asked in order. Each round has a key of its own.
async fn settled(subject: &Subject, lambda: &Scripted, tables: &[Table]) {
    for table in tables {
        let last = format!("last-{}", table.short_name());
        subject.put(*table, item(*table, &last, "r", 0)).await.unwrap();
        eventually("the last record arrives", async || lambda.saw(&last, 1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_gets_what_its_mapping_wants_in_the_order_of_each_key() {
    both("order", async |subject, notes| {
        let lambda = Scripted::new(|_, _| Ok(json!({})));
        // Half of it is written before anybody reads: mappings begin with the oldest record.
        let write = async |round: i64| {
            for table in [Table::Messages, Table::Placements] {
                for key in 0..12 {
                    let key = format!("k{key}");
                    subject.put(table, item(table, &key, "r", round)).await.unwrap();
                    subject.put(table, item(table, &key, "r", round)).await.unwrap();
                    subject.put(table, item(table, &key, "r", json!([round, "again"]))).await.unwrap();
                    subject.tables.delete(table, &key, None).await.unwrap();
                    subject.put(table, item(table, &key, "r", json!({ "last": round }))).await.unwrap();
                }
            }
        };
        write(1).await;
        let _mappings =
            subject.start(&StreamsProfile { parallelization_factor: 3, ..profile() }, lambda.clone());
        write(2).await;
        let functions = [Function::OnMessageInserted, Function::OnPlacementUpdated];
        // Of the messages: INSERT, INSERT; then MODIFY, MODIFY, INSERT. Of the placements all but the deletions.
        for (function, per_key) in functions.into_iter().zip([3, 6]) {
            eventually("all records arrive", async || {
                let seen = lambda.by_key(function);
                seen.len() == 12 && seen.values().all(|records| records.len() >= per_key)
            })
            .await;
        }
        settled(subject, &lambda, &[Table::Messages, Table::Placements]).await;
        for (function, per_key) in functions.into_iter().zip([3, 6]) {
            for (key, records) in lambda.by_key(function).into_iter().filter(|(key, _)| key.starts_with('k'))
            {
                assert_eq!(records.len(), per_key, "{key}: {records:#?}");
                assert!(records.iter().all(|record| !record.starts_with("REMOVE")));
                notes.note(format!("{} {key}", function.short_name()), records);
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_comes_again_until_it_is_done_and_a_poison_record_is_dropped_alone() {
    both("again", async |subject, notes| {
        // The first two calls fail altogether; the poison record is always reported, or brings its batch down.
        let lambda = Scripted::new(|calls, records| {
            let poison = records.iter().find(|record| key(record) == "poison");
            match poison {
                _ if calls < 2 => Err(InvokeError::TimedOut { seconds: 10.0 }),
                Some(record) if calls % 2 == 0 => {
                    let failure = json!({ "itemIdentifier": record.change.sequence_number });
                    Ok(json!({ "batchItemFailures": [failure] }))
                }
                Some(_) => Err(InvokeError::TimedOut { seconds: 10.0 }),
                None => Ok(json!({ "batchItemFailures": [] })),
            }
        });
        for key in ["a", "b", "poison", "c", "d"] {
            subject.put(Table::Messages, item(Table::Messages, key, "r", 1)).await.unwrap();
        }
        let _mappings = subject.start(&profile(), lambda.clone());
        for key in ["a", "b", "c", "d"] {
            // Calls that succeeded, or failed only behind it, got it done; the rest of the suite sees to that.
            eventually("every record is handed over", async || lambda.saw(key, 1)).await;
        }
        settled(subject, &lambda, &[Table::Messages]).await;
        let seen = lambda.by_key(Function::OnMessageInserted);
        assert!(seen["poison"].len() >= 2, "it is tried again");
        assert!(lambda.calls.lock().unwrap().len() < 60, "but not for ever");
        for (key, records) in &seen {
            let mut different = records.clone();
            different.dedup();
            notes.note(key, different);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_expired_goes_by_itself_and_wakes_nobody() {
    // Once it has stumbled over the writes of others, DynamoDB Local 3.3 looks for what is expired no more.
    both_with(&DynamoDbLocal::start(), "expiry", async |subject, notes| {
        let lambda = Scripted::new(|_, _| Ok(json!({})));
        let _mappings = subject.start(&profile(), lambda.clone());
        let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
        let expiring = |key: &str, at: Value| {
            let mut item = item(Table::Messages, key, "r", 1);
            item["expireAt"] = at;
            item
        };
        for (key, at) in [("old", json!(now - 10)), ("young", json!(now + 3_600))] {
            subject.put(Table::Messages, expiring(key, at)).await.unwrap();
        }
        subject.put(Table::Messages, item(Table::Messages, "for ever", "r", 1)).await.unwrap();
        eventually("the old one is deleted", async || {
            subject.tables.get(Table::Messages, "old").await.unwrap().is_none()
        })
        .await;
        // A deletion that comes later would be seen by now, were it not filtered.
        tokio::time::sleep(Duration::from_millis(300)).await;
        settled(subject, &lambda, &[Table::Messages]).await;
        for key in ["young", "for ever"] {
            assert!(
                subject.tables.get(Table::Messages, key).await.unwrap().is_some(),
                "{key} is still there"
            );
        }
        let mut left = subject.tables.query_index(Table::Messages, "r").await.unwrap();
        left.iter_mut().for_each(|item| drop(item.remove("expireAt")));
        notes.items("left", Ok(left));
        for (key, records) in lambda.by_key(Function::OnMessageInserted) {
            assert_eq!(records.len(), 1, "{key} woke the function once: {records:#?}");
        }
    })
    .await;
}
