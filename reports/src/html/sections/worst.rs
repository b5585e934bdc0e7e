//! What kept players waiting longest.

use super::context::Context;
use crate::format::{Delivery, Operation};

/// The operation that was slowest to answer, connecting and whole journeys apart.
pub(super) fn worst_operation<'a>(context: &Context<'a>) -> Option<(&'a str, &'a Operation)> {
    let asked = context.summary.operations.iter().filter(|(name, operation)| {
        operation.response_time_us.count > 0 && !operation.is_journey() && !is_opening(name)
    });
    let worst = asked.max_by_key(|(_, operation)| operation.response_time_us.p99)?;
    Some((worst.0.as_str(), worst.1))
}

/// The push that was slowest to come.
pub(super) fn worst_delivery<'a>(context: &Context<'a>) -> Option<(&'a str, &'a Delivery)> {
    let came = context.summary.deliveries.iter().filter(|(_, delivery)| delivery.each_us.count > 0);
    let worst = came.max_by_key(|(_, delivery)| delivery.each_us.p99)?;
    Some((worst.0.as_str(), worst.1))
}

/// What opens a session: once for each player, and told apart from what players do afterwards.
pub(super) fn is_opening(name: &str) -> bool {
    matches!(name, "connect" | "ready")
}
