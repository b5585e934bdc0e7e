//! Injected truths: what the backend was told to do wrong comes out of `summary.json` as injected.

use crate::common::{Backend, Scene, assert_balanced, was_disturbed};

const STEADY: &str = r#"
name = "truth"
players = 100
thresholds = []

[target]
profile = "profile.toml"

[auth]
mode = "header"

[sockets]
connect_rate = 400.0

[[phases]]
kind = "hold"
duration = "3s"

[operations.send_message]
rate = 100.0
fan_out = 5
timeout = "2s"

[deliveries]
timeout = "2s"
placement_timeout = "3s"
"#;

fn scene(profile: &str) -> Scene {
    Scene::new(STEADY).with("profile.toml", &format!("base = \"instant\"\n{profile}"))
}

#[test]
fn a_delayed_push_is_measured_as_delayed() {
    // Few enough that no push waits for another one: the Management API takes its time for each.
    let few = ["--set", "operations.send_message.rate=8", "--set", "operations.send_message.fan_out=1"];
    let ran = scene("[gateway.push_delay]\np50_ms = 150.0\n").run(&few);
    let summary = ran.exits(0).summary();
    assert_balanced(&summary);
    let each = &summary.deliveries["message"].each_us;
    assert!(each.min >= 149_000, "no push can be faster than the injected delay: {each:?}");
    assert!(each.p50 < 200_000, "{each:?}");
    let answer = &summary.operations["send_message"].response_time_us;
    assert!(answer.p50 < 100_000, "the answer was not delayed: {answer:?}");
    let last = &summary.deliveries["message"].last_us;
    assert!(last.p50 >= summary.deliveries["message"].first_us.p50);
}

#[test]
fn lost_and_duplicated_pushes_come_out_exactly() {
    let profile = "base = \"instant\"\n[gateway]\npush_drop_rate = 0.05\npush_duplicate_rate = 0.04\n";
    let scene = Scene::new(STEADY).with("profile.toml", profile);
    let file = scene.dir().with_file_name("profile.toml");
    let backend = Backend::start(&["--profile", file.to_str().unwrap(), "--auth", "header", "--seed", "4"]);
    let ran = scene.run(&["--target", backend.url("websocket")]);
    let summary = ran.exits(0).summary();
    assert_balanced(&summary);
    let (message, injected) = (&summary.deliveries["message"], backend.faults());
    assert_eq!(message.expected, 1_500);
    assert!(message.lost > 20 && message.duplicated > 20, "{message:?}");
    assert_eq!(Some(message.lost), injected["pushes_dropped"].as_u64(), "{injected}");
    assert_eq!(Some(message.duplicated), injected["pushes_duplicated"].as_u64(), "{injected}");
    assert_eq!(message.unexpected, 0);
}

/// One player that writes to itself: whatever overtakes a push is a later send of the same sender.
const ALONE: [&str; 8] = [
    "--set",
    "players=1",
    "--set",
    "operations.send_message.rate=50",
    "--set",
    "operations.send_message.fan_out=1",
    "--set",
    "phases.0.duration=6s",
];

/// On a busy machine two messages of one sender are under way at once now and then, and the backend may store the
/// later one first: that is out of order, too, and nobody has injected it. So a disturbed run is made again.
#[test]
fn reordered_pushes_come_out_exactly() {
    let profile = "base = \"instant\"\n[gateway]\npush_reorder_rate = 0.1\npush_drop_rate = 0.01\n";
    let mut missed = Vec::new();
    for _ in 0..3 {
        let scene = Scene::new(STEADY).with("profile.toml", profile);
        let file = scene.dir().with_file_name("profile.toml");
        let serve = ["--profile", file.to_str().unwrap(), "--auth", "header", "--seed", "4"];
        let backend = Backend::start(&serve);
        let target = ["--target", backend.url("websocket")];
        let ran = scene.run(&[&target[..], &ALONE].concat());
        let summary = ran.exits(0).summary();
        assert_balanced(&summary);
        let (message, injected) = (&summary.deliveries["message"], backend.faults());
        assert_eq!(message.expected, 300);
        assert!(message.out_of_order > 10, "{message:?}");
        assert_eq!(Some(message.lost), injected["pushes_dropped"].as_u64(), "{injected}");
        if Some(message.out_of_order) == injected["pushes_reordered"].as_u64() {
            return;
        }
        missed.push((message.out_of_order, injected["pushes_reordered"].clone()));
        assert!(was_disturbed(&summary), "out of order, and injected: {missed:?}");
    }
    panic!("disturbed every time; out of order, and injected: {missed:?}");
}

#[test]
fn what_comes_within_the_grace_is_late_and_what_never_comes_is_named() {
    let profile = "[gateway]\npush_drop_rate = 0.2\n[gateway.push_delay]\np50_ms = 300.0\n";
    let slow = ["--set", "deliveries.timeout=250ms", "--set", "deliveries.grace=20s"];
    let few = ["--set", "operations.send_message.rate=8", "--set", "operations.send_message.fan_out=1"];
    let ran = scene(profile).run(&[slow, few].concat());
    let summary = ran.exits(0).summary();
    assert_balanced(&summary);
    let message = &summary.deliveries["message"];
    assert_eq!((message.expected, message.received), (24, 0), "{message:?}");
    assert!(message.late > 10 && message.lost > 0, "{message:?}");
    assert!(message.each_us.min >= 299_000, "what is late counts with the time that it took: {message:?}");
    assert!(ran.stdout.contains("came late"), "{}", ran.stdout);
    let samples = ran.folder().errors;
    let lost = samples.iter().find(|sample| sample.class == "lost").unwrap();
    assert!(lost.player.starts_with("player-") && lost.detail.contains("sent by player-"), "{lost:?}");
    assert!(samples.iter().any(|sample| sample.class == "late"), "{samples:?}");
}

#[test]
fn a_throttled_function_is_seen_from_both_sides() {
    let profile = "[lambda.functions.SendMessage]\nreserved_concurrency = 1\n[lambda.functions.SendMessage.duration]\np50_ms = 40.0\n";
    let ran = scene(profile).run(&[]);
    let summary = ran.exits(0).summary();
    assert_balanced(&summary);
    let send = &summary.operations["send_message"];
    assert!(
        send.completed > 0 && send.failed > 50,
        "one environment at 40 ms serves 25 a second of 100: {send:?}"
    );
    assert_eq!(send.errors["internal_server_error"], send.failed);
    let functions = summary.correlation.unwrap().functions;
    let function = functions.iter().find(|function| function.function.ends_with("-SendMessage")).unwrap();
    assert_eq!(function.throttles, Some(send.failed as f64), "CloudWatch tells the same number");
    assert_eq!(function.peak_concurrency, Some(1.0));
    assert_eq!(function.invocations, Some(send.completed as f64));
}

#[test]
fn a_slow_function_shows_its_concurrency_beside_the_latency() {
    let profile = "[lambda.functions.SendMessage.duration]\np50_ms = 200.0\n";
    let ran = scene(profile).run(&[]);
    let summary = ran.exits(0).summary();
    let send = &summary.operations["send_message"];
    assert!(send.response_time_us.min >= 199_000, "{send:?}");
    assert_eq!(send.failed, 0);
    let functions = summary.correlation.unwrap().functions;
    let function = functions.iter().find(|function| function.function.ends_with("-SendMessage")).unwrap();
    // Little's law: 100/s × 0.2 s = 20 environments at once.
    let peak = function.peak_concurrency.unwrap();
    assert!((15.0..40.0).contains(&peak), "{function:?}");
    assert!(function.duration_avg_ms.unwrap() >= 199.0, "{function:?}");
}

#[test]
fn unfulfilled_placements_are_delivered_and_counted() {
    let placements =
        ["--set", "operations.placement_request.rate=20", "--set", "operations.send_message.rate=1"];
    let ran = scene("[gamelift]\nfailure_rate = 1.0\n").run(&placements);
    let summary = ran.exits(0).summary();
    assert_balanced(&summary);
    assert_eq!(summary.deliveries["placement"].received, 60, "{:?}", summary.deliveries);
    assert_eq!(summary.operations["placement_request"].errors["placement_failed"], 60);
}

#[test]
fn an_unfulfilled_placement_counts_once_and_only_where_it_was_pushed_and_measured() {
    let phases = r#"phases=[{kind="hold",duration="1s",measured=false},{kind="hold",duration="3s"}]"#;
    let mut arguments = vec!["--set", phases];
    for set in [
        "operations.send_message.rate=1",
        "operations.placement_request.rate=20",
        "operations.placement_poll.rate=10",
        "operations.placement_poll.every=100ms",
    ] {
        arguments.extend(["--set", set]);
    }
    let profile = "[gamelift]\nfailure_rate = 1.0\n[gateway]\npush_duplicate_rate = 1.0\n";
    let summary = scene(profile).run(&arguments).exits(0).summary();
    assert_balanced(&summary);
    let placement = &summary.deliveries["placement"];
    assert_eq!((placement.received, placement.duplicated), (60, 60), "{placement:?}");
    assert_eq!(summary.operations["placement_request"].errors, [("placement_failed".into(), 60)].into());
    let polled = &summary.operations["placement_poll"];
    assert_eq!((polled.failed, polled.errors["placement_failed"]), (30, 30), "{polled:?}");
}
