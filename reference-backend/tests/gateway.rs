//! A foreign client (Python `websockets`) walks through the front door of the real binary.

mod common;

use common::Backend;

#[test]
fn every_route_answers_and_pushes() {
    Backend::start(&[], "").python("gateway.py", "routes");
}

#[test]
fn the_newer_connection_of_a_player_survives_the_older_ones_end() {
    Backend::start(&[], "").python("gateway.py", "reconnect");
}

#[test]
fn handshakes_are_refused_as_on_aws() {
    Backend::start(&[], "").python("gateway.py", "header_auth");
}

#[test]
fn tokens_are_proven() {
    Backend::start(&["--auth", "token"], "").python("gateway.py", "token_auth");
}

#[test]
fn an_identity_provider_that_is_down_is_an_error_of_the_server() {
    Backend::start(&["--auth", "token"], "[identity]\nfailure_rate = 1.0")
        .python("gateway.py", "provider_down");
}

#[test]
fn sizes_kinds_and_pings() {
    Backend::start(&[], "").python("gateway.py", "limits");
}

#[test]
fn idle_sockets_and_old_ones_are_told_to_go() {
    let profile = "[gateway]\nidle_timeout_s = 0.5\nlifetime_s = 2.0";
    Backend::start(&[], profile).python("gateway.py", "clocks");
}

#[test]
fn a_slow_lambda_times_out_and_the_socket_stays() {
    let profile = "[gateway]\nintegration_timeout_s = 0.3\n[lambda.functions.SendMessage]\nduration = { p50_ms = 2000 }";
    Backend::start(&[], profile).python("gateway.py", "slow_lambda");
}

#[test]
fn a_broken_lambda_shows_as_an_error_frame() {
    Backend::start(&[], "[lambda.functions.SendMessage]\nerror_rate = 1.0")
        .python("gateway.py", "broken_lambda");
}

#[test]
fn a_broken_connect_lambda_is_a_bad_gateway() {
    Backend::start(&[], "[lambda.functions.Connect]\nerror_rate = 1.0")
        .python("gateway.py", "broken_connect");
}

#[test]
fn connections_and_requests_are_throttled() {
    let profile = "[gateway]\nconnections_per_second = 5\nrequests_per_second = 1\nrequest_burst = 15";
    Backend::start(&[], profile).python("gateway.py", "throttles");
}

#[test]
fn messages_of_one_connection_are_handled_side_by_side() {
    let profile = "[lambda.functions.Default]\nduration = { p50_ms = 300 }";
    Backend::start(&[], profile).python("gateway.py", "concurrency");
}

#[test]
fn the_polling_way_gives_the_same_placement() {
    Backend::start(&[], "").python("gateway.py", "polling");
}
