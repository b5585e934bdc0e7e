//! The polling way to a game session, through the real binary against the real backend.

use crate::common::{Scene, assert_balanced};

const POLLING: &str = r#"
name = "polling"
players = 20
[target]
profile = "profile.toml"
[auth]
mode = "token"
[operations.placement_poll]
rate = 20.0
every = "200ms"
[operations.placement_request]
rate = 20.0
[[phases]]
kind = "hold"
duration = "4s"
"#;

/// A session is there half a second after it was asked for.
const PROFILE: &str = "base = \"instant\"\n[gamelift.placement]\np50_ms = 500.0\n";

#[test]
fn who_polls_waits_for_the_answer_that_brings_the_session() {
    let ran = Scene::new(POLLING).with("profile.toml", PROFILE).run(&[]);
    let summary = ran.exits(0).summary();
    assert_balanced(&summary);
    let poll = &summary.operations["placement_poll"];
    assert_eq!((poll.offered, poll.sent, poll.completed), (80, 80, 80), "{poll:?}");
    // Asked at 0, 200, 400 and 600 ms, or once more.
    assert!(poll.response_time_us.p50 >= 590_000, "{poll:?}");
    let push = &summary.deliveries["placement"];
    assert_eq!(
        (push.expected, push.received, push.unexpected),
        (80, 80, 0),
        "pushes of polled ones are set aside"
    );
    let cost = summary.cost.as_ref().unwrap();
    let asked = cost.items.iter().find(|item| item.item == "rest_requests").unwrap().quantity.unwrap();
    assert!((320.0..=480.0).contains(&asked), "each asked four or five times, rarely six: {asked}");
    assert!(push.each_us.p50 < poll.response_time_us.p50, "a push does not wait for a question");
}

#[test]
fn a_session_that_never_comes_times_out_and_workers_poll_as_well() {
    let slow = PROFILE.replace("500.0", "60000.0");
    let few = ["--workers", "2", "--set", "operations.placement_request.rate=0"];
    let patience = ["--set", "operations.placement_poll.timeout=1s"];
    let ran = Scene::new(POLLING).with("profile.toml", &slow).run(&[&few[..], &patience].concat());
    let summary = ran.summary();
    let poll = &summary.operations["placement_poll"];
    assert_eq!((poll.offered, poll.sent, poll.timed_out), (80, 80, 80), "{poll:?}");
}

#[test]
fn a_target_that_is_no_stack_of_ours_must_say_where_its_rest_api_is() {
    let ran = Scene::new(POLLING).with("profile.toml", PROFILE).run(&["--target", "ws://127.0.0.1:9/Stage"]);
    ran.exits(2);
    assert!(ran.stderr.contains("set target.rest"), "{}", ran.stderr);
}
