//! Stream of the Messages table: pushes each new message to its recipient.

use aws_lambda_events::dynamodb::Event;
use aws_lambda_events::streams::DynamoDbEventResponse;

use super::push::{Push, Reading, deliver};
use super::{Deps, HandlerError};
use crate::store::Message;
use crate::wire::message_push;

pub(super) async fn handle(
    deps: &Deps,
    event: Event,
    begun_us: i64,
) -> Result<DynamoDbEventResponse, HandlerError> {
    deliver(deps, event.records, begun_us, |record| {
        if record.event_name != "INSERT" {
            return Reading::Skip;
        }
        let written = record.change.approximate_creation_date_time;
        match serde_dynamo::from_item::<_, Message>(record.change.new_image) {
            Ok(mut message) => {
                // Whoever wrote it did not say when: the stream knows, to the second.
                message.created_at = message.created_at.or(Some(written.timestamp_millis()));
                let payload = message_push(&message).into();
                Reading::Push(Push { recipient: message.recipient_id, payload, trace: message.trace })
            }
            Err(error) => Reading::Unreadable(record.change.keys, error),
        }
    })
    .await
}
