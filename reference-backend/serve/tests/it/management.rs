//! boto3's `apigatewaymanagementapi` client against the Management API.

use crate::common::either_way;

/// A client learns its connection id from an error frame only.
const BROKEN_ROUTE: &str = "[lambda.functions.SendMessage]\nerror_rate = 1.0";

#[test]
fn boto3_posts_reads_and_deletes() {
    either_way(&[], BROKEN_ROUTE, "management.py", "management");
}

#[test]
fn a_client_that_does_not_read_is_limited() {
    either_way(&[], BROKEN_ROUTE, "management.py", "slow_client");
}
