//! Stream of the Placements table: pushes each outcome to the player who asked.

use aws_lambda_events::dynamodb::Event;
use aws_lambda_events::streams::DynamoDbEventResponse;

use super::push::{Push, Reading, deliver};
use super::{Deps, HandlerError};
use crate::store::{Placement, PlacementStatus};
use crate::wire::placement_push;

pub(super) async fn handle(
    deps: &Deps,
    event: Event,
    begun_us: i64,
) -> Result<DynamoDbEventResponse, HandlerError> {
    deliver(deps, event.records, begun_us, |record| {
        if record.event_name == "REMOVE" {
            return Reading::Skip;
        }
        match serde_dynamo::from_item::<_, Placement>(record.change.new_image) {
            // The player has read that in the acknowledgement.
            Ok(placement) if placement.status == PlacementStatus::Pending => Reading::Skip,
            Ok(placement) => {
                let payload = placement_push(&placement).into();
                Reading::Push(Push { recipient: placement.player_id, payload, trace: placement.trace })
            }
            Err(error) => Reading::Unreadable(record.change.keys, error),
        }
    })
    .await
}
