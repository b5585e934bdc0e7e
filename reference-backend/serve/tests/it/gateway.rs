//! A foreign client (Python `websockets`) walks through the front door of the real binary.

use crate::common::either_way;

#[test]
fn every_route_answers_and_pushes() {
    either_way(&[], "", "gateway.py", "routes");
}

#[test]
fn the_newer_connection_of_a_player_survives_the_older_ones_end() {
    either_way(&[], "", "gateway.py", "reconnect");
}

#[test]
fn handshakes_are_refused_as_on_aws() {
    either_way(&[], "", "gateway.py", "header_auth");
}

#[test]
fn tokens_are_proven() {
    either_way(&["--auth", "token"], "", "gateway.py", "token_auth");
}

#[test]
fn botocore_signs_what_the_gateway_proves() {
    either_way(&["--auth", "iam"], "", "gateway.py", "iam_auth");
}

#[test]
fn an_identity_provider_that_is_down_is_an_error_of_the_server() {
    either_way(&["--auth", "token"], "[identity]\nfailure_rate = 1.0", "gateway.py", "provider_down");
}

#[test]
fn sizes_kinds_and_pings() {
    either_way(&[], "", "gateway.py", "limits");
}

#[test]
fn idle_sockets_and_old_ones_are_told_to_go() {
    let profile = "[gateway]\nidle_timeout_s = 0.5\nlifetime_s = 2.0";
    either_way(&[], profile, "gateway.py", "clocks");
}

#[test]
fn a_slow_lambda_times_out_and_the_socket_stays() {
    let profile = "[gateway]\nintegration_timeout_s = 0.3\n[lambda.functions.SendMessage]\nduration = { p50_ms = 2000 }";
    either_way(&[], profile, "gateway.py", "slow_lambda");
}

#[test]
fn a_broken_lambda_shows_as_an_error_frame() {
    either_way(&[], "[lambda.functions.SendMessage]\nerror_rate = 1.0", "gateway.py", "broken_lambda");
}

#[test]
fn a_broken_connect_lambda_is_a_bad_gateway() {
    either_way(&[], "[lambda.functions.Connect]\nerror_rate = 1.0", "gateway.py", "broken_connect");
}

#[test]
fn connections_and_requests_are_throttled() {
    let profile = "[gateway]\nconnections_per_second = 5\nrequests_per_second = 1\nrequest_burst = 15";
    either_way(&[], profile, "gateway.py", "throttles");
}

#[test]
fn messages_of_one_connection_are_handled_side_by_side() {
    let profile = "[lambda.functions.Default]\nduration = { p50_ms = 300 }";
    either_way(&[], profile, "gateway.py", "concurrency");
}

#[test]
fn the_polling_way_gives_the_same_placement() {
    either_way(&[], "", "gateway.py", "polling");
}
