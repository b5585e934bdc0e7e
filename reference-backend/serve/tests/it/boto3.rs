//! boto3, which knows nothing of the project, against the AWS endpoints of the control plane.

use crate::common::Backend;

#[test]
fn gamelift_starts_describes_and_stops_placements() {
    Backend::start(&[], "[gamelift]\nplacement = { p50_ms = 300 }").python("services.py", "gamelift");
}

#[test]
fn gamelift_refuses_as_on_aws() {
    let profile = "[gamelift]\nrequests_per_second = 1\nrequest_burst = 3";
    Backend::start(&[], profile).python("services.py", "gamelift_refusals");
}

#[test]
fn cloudwatch_lists_and_reads_series() {
    Backend::start(&[], "").python("services.py", "cloudwatch");
}

#[test]
fn dynamodb_reads_and_writes_the_stacks_own_tables() {
    Backend::start(&[], "").python("services.py", "dynamodb");
}

#[test]
fn dynamodb_throttles_and_leaves_unprocessed_as_the_profile_says() {
    let profile = "[tables.per_table.Connections]\nthrottle_rate = 1.0\nunprocessed_rate = 0.5";
    Backend::start(&[], profile).python("services.py", "dynamodb_throttles");
}
