//! Limits that no API tells: AWS documents them, and they cannot be changed.
//!
//! Sources: Lambda, "Lambda quotas" (ten requests per second for each unit of concurrency) and "Understanding Lambda function
//! scaling" (1,000 environments every ten seconds for each function); DynamoDB, "Best practices for designing and using
//! partition keys" (1,000 write and 3,000 read units a second of a partition); GameLift, "API rate limits" (75 calls of
//! `StartGameSessionPlacement` a second). A local stack has limits of its own in their place, and tells them.

use std::collections::BTreeMap;

use reports::format::LimitKind;

use super::Inventory;
use crate::aws::{Api, Call, Service};

const LIMITS: [(LimitKind, f64); 5] = [
    (LimitKind::RequestsPerConcurrency, 10.0),
    (LimitKind::ScalingEnvironments, 1_000.0),
    (LimitKind::PartitionWriteUnits, 1_000.0),
    (LimitKind::PartitionReadUnits, 3_000.0),
    (LimitKind::GameliftRequestsPerSecond, 75.0),
];

/// Adds them: AWS's, or those of a local stack.
pub(super) async fn limits(api: &Api, inventory: &mut Inventory) {
    if !api.is_stack() {
        for (kind, value) in LIMITS {
            inventory.limit(kind, "", value, "documented");
        }
        return;
    }
    let call = Call::get(Service::Lambda, "limits of the local stack", "/limits");
    let own: BTreeMap<String, f64> = api.ask(&call).await.unwrap_or_default();
    for (kind, _) in LIMITS {
        if let Some(value) = own.get(<&str>::from(kind)) {
            inventory.limit(kind, "", *value, "the local stack's profile");
        }
    }
}
