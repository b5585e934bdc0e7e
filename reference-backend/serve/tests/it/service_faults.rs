//! Every latency, limit and fault of the services behind the gateway, seen by a client of the real binary.
//!
//! Those of the gateway itself are in `faults.rs` and `gateway.rs`.

use crate::common::Backend;

/// Runs a case of `service_faults.py` with a profile.
fn case(case: &str, profile: &str) {
    Backend::start(&[], profile).python("service_faults.py", case);
}

#[test]
fn a_function_starts_cold_once() {
    case("cold_start", "[lambda.functions.Default]\ninit = { p50_ms = 400 }");
}

#[test]
fn durations_are_spread_as_asked() {
    case("durations", "[lambda.functions.Default]\nduration = { p50_ms = 20, p99_ms = 200 }");
}

#[test]
fn reserved_concurrency_bounds_one_function() {
    case(
        "reserved",
        "[lambda.functions.SendMessage]\nreserved_concurrency = 1\nduration = { p50_ms = 1500 }",
    );
}

#[test]
fn throttles_of_one_function_show_as_such() {
    case("throttled", "[lambda.functions.SendMessage]\nthrottle_rate = 1.0");
}

#[test]
fn one_table_is_slow() {
    case("table_latency", "[tables.per_table.Connections.latency]\nput = { p50_ms = 400 }");
}

#[test]
fn one_table_is_small() {
    case(
        "table_capacity",
        "[tables.per_table.Messages]\npartitions = 1\npartition_write_units = 2\npartition_read_units = 2",
    );
}

#[test]
fn a_stream_is_polled_at_its_interval() {
    case("poll_interval", "[streams.per_stream.Messages]\npoll_interval_ms = 600");
}

#[test]
fn a_stream_hands_over_records_one_by_one() {
    case("single_records", "[tables]\nstream_shards = 1\n[streams.per_stream.Messages]\nbatch_size = 1");
}

#[test]
fn a_stream_waits_for_its_batch_to_fill() {
    let profile = "[tables]\nstream_shards = 1\n[streams.per_stream.Messages]\nbatch_size = 10\nbatch_window_ms = 60000";
    case("full_batches", profile);
}

#[test]
fn a_shard_is_read_by_as_many_functions_as_asked() {
    for (factor, case_of_it) in [(1, "one_at_a_time"), (4, "side_by_side")] {
        let profile = format!(
            "[tables]\nstream_shards = 1\n[lambda.functions.OnMessageInserted]\nduration = {{ p50_ms = 300 }}\n\
             [streams.per_stream.Messages]\nbatch_size = 1\nparallelization_factor = {factor}"
        );
        case(case_of_it, &profile);
    }
}

#[test]
fn poison_records_are_dropped_in_their_stream_only() {
    let profile = "[streams]\nretry_pause_ms = 1\nretry_pause_cap_ms = 1\nmax_retry_attempts = 1\n\
        [streams.per_stream.Messages]\npoison_rate = 1.0";
    case("poison", profile);
}

#[test]
fn placements_take_their_time() {
    case("placement_delay", "[gamelift]\nstart = { p50_ms = 200 }\nplacement = { p50_ms = 500 }");
}

#[test]
fn placements_end_as_asked() {
    for (rate, case_of_it) in [
        ("failure_rate = 1.0", "placement_failed"),
        ("cancel_rate = 1.0", "placement_cancelled"),
        ("timeout_rate = 1.0\nqueue_timeout_s = 0.2", "placement_timed_out"),
        ("start_failure_rate = 1.0", "placement_unanswered"),
        ("requests_per_second = 1\nrequest_burst = 1", "placements_limited"),
    ] {
        case(case_of_it, &format!("[gamelift]\n{rate}"));
    }
}

#[test]
fn pushes_and_acks_are_delayed() {
    case("delayed", "[gateway]\nack_delay = { p50_ms = 300 }\npush_delay = { p50_ms = 600 }");
}

#[test]
fn a_slow_identity_provider_delays_the_handshake() {
    let profile = "[identity]\nlatency = { p50_ms = 500 }";
    Backend::start(&["--auth", "token"], profile).python("service_faults.py", "slow_provider");
}

#[test]
fn a_provider_slower_than_the_authorizer_waits_is_an_error_of_the_server() {
    let profile = "[identity]\nlatency = { p50_ms = 20000 }\n[lambda.functions.Authorizer]\ntimeout_s = 0.3";
    Backend::start(&["--auth", "token"], profile).python("service_faults.py", "provider_too_slow");
}
