//! The Lambda events of stream records.
//!
//! The JSON of [`aws_lambda_events::dynamodb::StreamEvent`] is serialized from borrowed records: copying each item into the
//! library's owned types would be the most expensive step of a delivery.

use std::borrow::Cow;
use std::sync::Arc;

use aws_lambda_events::streams::DynamoDbBatchItemFailure;
use bytes::Bytes;
use reference_backend::json;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_dynamo::Item;

use crate::account::REGION;
use crate::distribution::Rate;
use crate::tables::{Change, ChangeKind};

/// Size of a typical record without its item, in bytes.
const RECORD: usize = 768;

/// The source of records.
#[derive(Debug)]
pub(super) struct Source {
    /// ARN of the stream.
    pub(super) arn: String,
    /// Attribute that is the table's key.
    pub(super) key: &'static str,
    /// Number of the shard.
    pub(super) shard: usize,
    /// Fault: share of items whose records are malformed.
    pub(super) poison: Rate,
}

#[derive(Serialize)]
struct StreamEvent<'a> {
    #[serde(rename = "Records")]
    records: Vec<Record<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    #[serde(rename = "eventID")]
    event_id: Cow<'a, str>,
    event_name: &'static str,
    event_version: &'static str,
    event_source: &'static str,
    aws_region: &'a str,
    dynamodb: RecordBody<'a>,
    #[serde(rename = "eventSourceARN")]
    event_source_arn: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_identity: Option<UserIdentity>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RecordBody<'a> {
    approximate_creation_date_time: Created,
    keys: RecordKeys<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_image: Option<&'a Item>,
    sequence_number: Cow<'a, str>,
    size_bytes: usize,
    stream_view_type: &'static str,
}

/// When a record was written.
#[derive(Serialize)]
#[serde(untagged)]
enum Created {
    /// Epoch seconds.
    At(i64),
    /// Fault: an invalid time, so that the event cannot be read.
    Poison(&'static str),
}

/// The identity that deletes expired items.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UserIdentity {
    r#type: &'static str,
    principal_id: &'static str,
}

/// `{"<attribute>":{"S":"<key>"}}`.
struct RecordKeys<'a> {
    attribute: &'static str,
    key: &'a str,
}

impl Serialize for RecordKeys<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "UPPERCASE")]
        struct Text<'a> {
            s: &'a str,
        }
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(self.attribute, &Text { s: self.key })?;
        map.end()
    }
}

impl Source {
    /// The event of a batch.
    pub(super) fn event(&self, batch: &[Arc<Change>]) -> Result<Bytes, serde_json::Error> {
        let records = batch.iter().map(|change| self.record(change)).collect();
        let room = batch.iter().map(|change| RECORD + change.size).sum();
        json::write(&StreamEvent { records }, room).map(Bytes::from)
    }

    fn record<'a>(&'a self, change: &'a Change) -> Record<'a> {
        Record {
            event_id: match &change.foreign {
                Some(foreign) => Cow::Borrowed(&foreign.event_id),
                None => format!("{:016x}{:016x}", change.key_hash, change.sequence).into(),
            },
            event_name: change.kind.event_name(),
            event_version: "1.1",
            event_source: "aws:dynamodb",
            aws_region: self.region(),
            dynamodb: RecordBody {
                approximate_creation_date_time: if self.poison.covers(change.key_hash) {
                    Created::Poison("poison")
                } else {
                    Created::At(change.created_ms / 1_000)
                },
                keys: RecordKeys { attribute: self.key, key: &change.key },
                new_image: change.new_image.as_deref(),
                sequence_number: self.sequence_number(change),
                size_bytes: change.size,
                stream_view_type: "NEW_IMAGE",
            },
            event_source_arn: &self.arn,
            user_identity: (change.kind == ChangeKind::Expire)
                .then_some(UserIdentity { r#type: "Service", principal_id: "dynamodb.amazonaws.com" }),
        }
    }

    /// The fourth part of an ARN.
    fn region(&self) -> &str {
        self.arn.split(':').nth(3).unwrap_or(REGION)
    }

    /// DynamoDB's own, or one like it: digits only, longer than any integer type, rising within a shard, different
    /// between shards.
    fn sequence_number<'a>(&self, change: &'a Change) -> Cow<'a, str> {
        match &change.foreign {
            Some(foreign) => Cow::Borrowed(&foreign.sequence_number),
            None => format!("{}{:021}", 100 + self.shard, change.sequence).into(),
        }
    }

    /// Number of records before the first failed one. A missing or unknown identifier, or an answer that is not a partial
    /// batch response, fails the whole batch; no answer, or one without failures, is success.
    pub(super) fn done(&self, batch: &[Arc<Change>], answer: &[u8]) -> usize {
        #[derive(Deserialize)]
        struct Partial {
            #[serde(rename = "batchItemFailures", default)]
            failures: Option<Vec<DynamoDbBatchItemFailure>>,
        }
        if answer.is_empty() {
            return batch.len();
        }
        let Ok(partial) = serde_json::from_slice::<Option<Partial>>(answer) else { return 0 };
        let failures = partial.and_then(|partial| partial.failures).unwrap_or_default();
        let position = |failure: DynamoDbBatchItemFailure| {
            let identifier = failure.item_identifier?;
            batch.iter().position(|change| self.sequence_number(change) == identifier)
        };
        failures.into_iter().map(|failure| position(failure).unwrap_or(0)).min().unwrap_or(batch.len())
    }
}
