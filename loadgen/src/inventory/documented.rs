//! Limits that no API tells: AWS documents them, and they cannot be changed.
//!
//! Sources: Lambda, "Lambda quotas" (ten requests per second for each unit of concurrency) and "Understanding Lambda function
//! scaling" (1,000 environments every ten seconds for each function); DynamoDB, "Best practices for designing and using
//! partition keys" (1,000 write and 3,000 read units a second of a partition); GameLift, "API rate limits" (75 calls of
//! `StartGameSessionPlacement` a second).

use reports::format::LimitKind;

use super::Inventory;

const LIMITS: [(LimitKind, f64); 5] = [
    (LimitKind::RequestsPerConcurrency, 10.0),
    (LimitKind::ScalingEnvironments, 1_000.0),
    (LimitKind::PartitionWriteUnits, 1_000.0),
    (LimitKind::PartitionReadUnits, 3_000.0),
    (LimitKind::GameliftRequestsPerSecond, 75.0),
];

/// Adds those that no API has told.
pub(super) fn limits(inventory: &mut Inventory) {
    for (kind, value) in LIMITS {
        if !inventory.limits.iter().any(|limit| limit.kind == kind) {
            inventory.limit(kind, "", value, "documented");
        }
    }
}
