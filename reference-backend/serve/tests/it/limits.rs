//! boto3 asks for the limits of what is deployed, as a client does that looks for what gave way.

use crate::common::Backend;

/// Limits that are none of AWS's defaults.
const PROFILE: &str = "
[lambda]
account_concurrency = 400
reserved_concurrency = 5
timeout_s = 8
[lambda.functions.SendMessage]
reserved_concurrency = 12
timeout_s = 3
[lambda.functions.Connect]
memory_mb = 512
[tables]
stream_shards = 3
partition_read_units = 300
quota_read_units = 4000
[tables.per_table.Messages]
partition_write_units = 100
partitions = 2
index_partition_write_units = 50
max_write_units = 90
[streams.per_stream.Messages]
batch_size = 7
parallelization_factor = 5
[gamelift]
queue_timeout_s = 45
[gateway]
connections_per_second = 50
requests_per_second = 900
request_burst = 90
integration_timeout_s = 12.5
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

#[test]
fn gamelift_tells_the_time_out_of_its_queue() {
    Backend::start(&[], PROFILE).python("limits.py", "queue");
}

#[test]
fn api_gateway_tells_throttles_and_what_stands_behind_each_route() {
    Backend::start(&["--auth", "token"], PROFILE).python("limits.py", "api");
}

/// A client whose policy lacks some actions.
#[test]
fn what_is_forbidden_is_denied_in_the_words_of_each_protocol() {
    let profile = "[control]\nforbidden = [\"lambda:GetFunctionConcurrency\", \"dynamodb:DescribeTable\", \
        \"apigateway:GET\", \"cloudwatch:ListMetrics\", \"gamelift:DescribeGameSessionQueues\", \
        \"servicequotas:GetServiceQuota\", \"logs:FilterLogEvents\"]";
    Backend::start(&[], profile).python("limits.py", "forbidden");
}

#[test]
fn every_invocation_leaves_a_report_in_the_functions_log() {
    let profile = "[lambda]\nmemory_used_mb = 40\n[lambda.functions.Default]\nduration = { p50_ms = 30 }\n\
        init = { p50_ms = 20 }\n[logs]\nenabled = true";
    Backend::start(&[], profile).python("logs.py", "text");
    Backend::start(&[], &format!("{profile}\nformat = \"json\"")).python("logs.py", "as_json");
    Backend::start(&[], "").python("logs.py", "off");
}
