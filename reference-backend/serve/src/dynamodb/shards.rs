//! The shards of one stream and their records.

use std::sync::Arc;

use aws_sdk_dynamodbstreams::Client;
use aws_sdk_dynamodbstreams::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodbstreams::types::{AttributeValue, OperationType, Record, ShardIteratorType};
use reference_backend::function::Table;
use reference_backend_local::tables::{Change, ChangeKind, Foreign};

reference_backend_aws::item_of_sdk!(aws_sdk_dynamodbstreams);

/// One table's stream.
#[derive(Debug, Clone)]
pub(super) struct Shards {
    client: Client,
    table: Table,
    arn: String,
}

/// A shard as the stream describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ShardInfo {
    /// Its id.
    pub(super) id: String,
    /// Its parent shard, which may have expired.
    pub(super) parent: Option<String>,
}

/// A request to a stream failed. A retry may succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("DynamoDB Streams does not answer {operation}: {reason}")]
pub(super) struct StreamError {
    /// What was asked.
    pub(super) operation: &'static str,
    /// The refusal.
    pub(super) reason: String,
}

impl Shards {
    /// The stream of `table` with this ARN.
    pub(super) const fn new(client: Client, table: Table, arn: String) -> Self {
        Self { client, table, arn }
    }

    /// The table.
    pub(super) const fn table(&self) -> Table {
        self.table
    }

    /// Its ARN.
    pub(super) fn arn(&self) -> &str {
        &self.arn
    }

    /// Every shard, open or closed, that has records or children.
    ///
    /// # Errors
    /// [`StreamError`] if the request failed.
    pub(super) async fn list(&self) -> Result<Vec<ShardInfo>, StreamError> {
        let mut found = Vec::new();
        let mut last = None;
        loop {
            let request = self.client.describe_stream().stream_arn(&self.arn);
            let answer = request.set_exclusive_start_shard_id(last).send().await.map_err(|error| {
                StreamError { operation: "DescribeStream", reason: DisplayErrorContext(error).to_string() }
            })?;
            let Some(description) = answer.stream_description else { return Ok(found) };
            let shards = description.shards.unwrap_or_default().into_iter();
            found.extend(
                shards.filter_map(|shard| {
                    Some(ShardInfo { id: shard.shard_id?, parent: shard.parent_shard_id })
                }),
            );
            last = description.last_evaluated_shard_id;
            if last.is_none() {
                return Ok(found);
            }
        }
    }

    /// A cursor at the oldest record of a shard (TRIM_HORIZON).
    pub(super) fn open(&self, id: String) -> Cursor {
        Cursor { shards: self.clone(), id, at: At::Oldest, read: None }
    }
}

/// A position in a shard.
#[derive(Debug)]
pub(super) struct Cursor {
    shards: Shards,
    id: String,
    at: At,
    /// The last record that was read.
    read: Option<String>,
}

/// The start of the next read.
#[derive(Debug)]
enum At {
    /// Oldest record.
    Oldest,
    /// After the last record that was read; the iterator has expired.
    Lost,
    /// At the iterator, which is valid for 15 minutes.
    Iterator(String),
    /// The shard is closed, and all of it was read.
    End,
}

impl Cursor {
    /// The shard's id.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The stream's ARN.
    pub(super) fn arn(&self) -> &str {
        &self.shards.arn
    }

    /// The next records, possibly none (GetRecords); `None` at the end of the shard.
    ///
    /// # Errors
    /// [`StreamError`] if the request failed; the position does not change.
    pub(super) async fn read(&mut self) -> Result<Option<Vec<Change>>, StreamError> {
        let Some(iterator) = self.iterator().await? else { return Ok(self.nothing()) };
        let answer = match self.shards.client.get_records().shard_iterator(iterator).send().await {
            Ok(answer) => answer,
            Err(error) => {
                self.refused("GetRecords", error)?;
                return Ok(self.nothing());
            }
        };
        let records = answer.records.unwrap_or_default();
        let last = records.last().and_then(|record| record.dynamodb.as_ref()?.sequence_number.clone());
        self.read = last.or_else(|| self.read.take());
        self.at = answer.next_shard_iterator.map_or(At::End, At::Iterator);
        Ok(Some(records.into_iter().filter_map(|record| self.change(record)).collect()))
    }

    /// The iterator; none if there is none at present.
    async fn iterator(&mut self) -> Result<Option<String>, StreamError> {
        let (kind, after) = match (&self.at, &self.read) {
            (At::End, _) => return Ok(None),
            (At::Iterator(iterator), _) => return Ok(Some(iterator.clone())),
            (At::Lost, Some(last)) => (ShardIteratorType::AfterSequenceNumber, Some(last.clone())),
            (At::Oldest, _) | (At::Lost, None) => (ShardIteratorType::TrimHorizon, None),
        };
        let request = self.shards.client.get_shard_iterator().stream_arn(&self.shards.arn).shard_id(&self.id);
        match request.shard_iterator_type(kind).set_sequence_number(after).send().await {
            Ok(answer) => Ok(answer.shard_iterator),
            Err(error) => self.refused("GetShardIterator", error).map(|()| None),
        }
    }

    /// Handles a refusal: some only change the position.
    fn refused<E>(&mut self, operation: &'static str, error: SdkError<E>) -> Result<(), StreamError>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        self.at = match error.as_service_error().and_then(|refused| refused.code()) {
            // The lanes were slower than the validity of the iterator.
            Some("ExpiredIteratorException") => At::Lost,
            Some("TrimmedDataAccessException") => {
                // DynamoDB Local also returns this for a shard that was empty until now.
                if self.read.is_some() {
                    tracing::warn!(
                        shard = self.id,
                        "records were trimmed before they were read; going on at the oldest"
                    );
                }
                At::Oldest
            }
            Some("ResourceNotFoundException") => {
                tracing::warn!(shard = self.id, "the shard is gone");
                At::End
            }
            _ => return Err(StreamError { operation, reason: DisplayErrorContext(error).to_string() }),
        };
        Ok(())
    }

    fn nothing(&self) -> Option<Vec<Change>> {
        (!matches!(self.at, At::End)).then(Vec::new)
    }

    /// Converts a record.
    fn change(&self, record: Record) -> Option<Change> {
        let key_attribute = self.shards.table.key();
        let event_id = record.event_id.unwrap_or_default();
        let by_service = record.user_identity.is_some_and(|by| by.r#type.as_deref() == Some("Service"));
        let kind = match record.event_name? {
            OperationType::Insert => ChangeKind::Insert,
            OperationType::Modify => ChangeKind::Modify,
            OperationType::Remove if by_service => ChangeKind::Expire,
            OperationType::Remove => ChangeKind::Remove,
            // DynamoDB Local 3.3 reports expiry in this way.
            other => {
                tracing::debug!(%other, event_id, "skipped a record of an unknown kind");
                return None;
            }
        };
        let body = record.dynamodb?;
        let Some(AttributeValue::S(key)) = body.keys.unwrap_or_default().remove(key_attribute) else {
            tracing::warn!(event_id, "skipped a record without the table's key");
            return None;
        };
        let created = body.approximate_creation_date_time.and_then(|at| at.to_millis().ok());
        Some(Change {
            kind,
            key_hash: Change::hash_of(&key),
            key: key.into(),
            new_image: body.new_image.map(|image| Arc::new(item(image))),
            size: body.size_bytes.and_then(|size| usize::try_from(size).ok()).unwrap_or_default(),
            created_ms: created.unwrap_or_default(),
            sequence: 0,
            foreign: Some(Box::new(Foreign {
                event_id,
                sequence_number: body.sequence_number.unwrap_or_default(),
            })),
        })
    }
}
