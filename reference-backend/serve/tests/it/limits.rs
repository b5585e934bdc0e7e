//! boto3 asks for the limits of what is deployed, as a client does that looks for what gave way.

use crate::common::Backend;

/// Limits that are none of AWS's defaults.
const PROFILE: &str = "[lambda]\naccount_concurrency = 400\nreserved_concurrency = 5\ntimeout_s = 8
[lambda.functions.SendMessage]\nreserved_concurrency = 12\ntimeout_s = 3
[tables]\nstream_shards = 3\npartition_read_units = 300\npartitions = 4
[tables.per_table.Messages]\npartition_write_units = 100\npartitions = 2
[streams.per_stream.Messages]\nbatch_size = 7\nparallelization_factor = 5
[gateway]\nconnections_per_second = 50\nrequests_per_second = 900\nrequest_burst = 90
";

#[test]
fn lambda_tells_concurrency_time_outs_and_mappings() {
    Backend::start(&[], PROFILE).python("limits.py", "functions");
}

#[test]
fn lambda_of_the_single_layout_is_one() {
    let profile = "[lambda]\nlayout = \"single\"\nreserved_concurrency = 30";
    Backend::start(&[], profile).python("limits.py", "single");
}

#[test]
fn dynamodb_tells_throughput_and_shards() {
    Backend::start(&[], PROFILE).python("limits.py", "tables");
}

#[test]
fn quotas_are_those_that_the_profile_enforces() {
    Backend::start(&[], PROFILE).python("limits.py", "quotas");
    Backend::start(&[], "").python("limits.py", "no_quotas");
}
