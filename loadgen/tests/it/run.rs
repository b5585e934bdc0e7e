//! The main job through the real binary: what a good run leaves behind, and what a bad one says.

use std::net::TcpListener;
use std::process::Command;

use crate::common::{Backend, LOADGEN, Scene, assert_balanced};

const SMALL: &str = r#"
name = "small"
players = 200
thresholds = ["error_rate < 0.1%", "message.lost == 0", "placement.lost == 0", "sockets.opened >= 200"]

[target]
profile = "instant"

[sockets]
connect_rate = 400.0

[[phases]]
kind = "ramp"
duration = "1s"
measured = false

[[phases]]
kind = "hold"
duration = "2s"

[[phases]]
kind = "spike"
duration = "1s"
load = 2.0

[operations.send_message]
rate = 60.0
fan_out = 1
fan_out_max = 150

[operations.placement_request]
rate = 20.0

[operations.unknown_route]
rate = 5.0
"#;

#[test]
fn a_run_leaves_a_complete_folder_whose_figures_add_up() {
    let ran = Scene::new(SMALL).run(&[]);
    ran.exits(0);
    let summary = ran.summary();
    assert_balanced(&summary);
    assert!(summary.verdict.valid && summary.verdict.thresholds_passed, "{:?}", summary.verdict);
    assert_eq!(summary.sockets.opened, 200);
    assert_eq!(summary.sockets.peak_open, 200);
    assert_eq!(summary.sockets.dropped, 0);
    // hold 2 s and spike 1 s (area 1.5) at 60/s; the warm-up's 30 stay out.
    assert_eq!(summary.operations["send_message"].offered, 210);
    assert_eq!(summary.operations["placement_request"].offered, 70);
    assert!(summary.deliveries["message"].received > 5_000, "fan-outs of 1 to 150");
    assert_eq!(summary.deliveries["placement"].received, 70);

    let folder = ran.folder();
    assert_eq!(folder.manifest.state, reports::format::RunState::Finished);
    let offered: u64 =
        folder.series.iter().filter_map(|line| line.operations.get("send_message")).map(|s| s.offered).sum();
    assert_eq!(offered, 240, "the series has the warm-up too");
    let functions: Vec<_> = summary.correlation.unwrap().functions;
    let of = |name: &str| functions.iter().find(|function| function.function.ends_with(name)).unwrap();
    assert_eq!(of("-SendMessage").invocations, Some(240.0), "CloudWatch saw every message that was sent");
    assert_eq!(of("-Authorizer").invocations, Some(200.0));
    assert_eq!(of("-SendMessage").errors, Some(0.0));
    assert!(of("-OnMessageInserted").peak_concurrency.unwrap() >= 1.0);

    for file in [
        "manifest.json",
        "scenario.toml",
        "summary.json",
        "series.jsonl",
        "latency.hlog",
        "cloudwatch.json",
        "errors.jsonl",
        "report.html",
    ] {
        assert!(ran.dir.join(file).is_file(), "{file}");
    }
    let secret = "eyJ";
    // The histograms are in base64, where chance may write these three letters; only a token has a full stop after them.
    let of_token = |c: char| c.is_ascii_alphanumeric() || ['_', '-'].contains(&c);
    let has_token = |text: &str| {
        text.match_indices(secret).any(|(at, _)| text[at..].trim_start_matches(of_token).starts_with('.'))
    };
    for (file, text) in ran.files() {
        let found = if file == "latency.hlog" { has_token(&text) } else { text.contains(secret) };
        assert!(!found, "a token in {file}");
    }
}

#[test]
fn the_same_seed_plans_the_same_run_and_set_overrides_it() {
    let quick =
        ["--set", "phases.1.duration=1s", "--set", "operations.send_message.fan_out_max=5", "--seed", "9"];
    let (one, two) = (Scene::new(SMALL).run(&quick), Scene::new(SMALL).run(&quick));
    one.exits(0);
    let (one, two) = (one.summary(), two.summary());
    assert_eq!(one.run.seed, 9);
    assert_eq!(one.deliveries["message"].expected, two.deliveries["message"].expected, "the same fan-outs");
}

#[test]
fn every_player_may_be_a_goose_user() {
    let ran = Scene::new(SMALL).run(&[
        "--set",
        "sockets.per_goose_user=1",
        "--set",
        "players=100",
        "--set",
        "thresholds=[]",
        "--set",
        "operations.send_message.fan_out_max=20",
    ]);
    assert_eq!(ran.exits(0).summary().sockets.opened, 100);
}

#[test]
fn an_external_target_and_both_kinds_of_credentials_work() {
    let backend = Backend::start(&["--profile", "instant", "--auth", "token"]);
    let issuer = format!("auth.issuer={}", backend.url("identity"));
    let cloudwatch = format!("cloudwatch.endpoint={}", backend.url("cloudwatch"));
    let common = [
        "--target",
        backend.url("websocket"),
        "--set",
        &issuer,
        "--set",
        &cloudwatch,
        "--set",
        "cloudwatch.period_s=1",
    ];
    for placement in ["auth.placement=header", "auth.placement=query"] {
        let ran = Scene::new(SMALL).run(&[&common[..], &["--set", placement]].concat());
        let summary = ran.exits(0).summary();
        assert_eq!(summary.sockets.opened, 200);
        assert!(!summary.correlation.unwrap().functions.is_empty());
    }
    let ran = Scene::new(SMALL).run(&[&common[..], &["--set", "auth.mode=none"]].concat());
    let summary = ran.exits(1).summary();
    assert_eq!(summary.operations["connect"].errors["http_401"], 200);

    let backend = Backend::start(&["--profile", "instant", "--auth", "header"]);
    let ran = Scene::new(SMALL).run(&["--target", backend.url("websocket"), "--set", "auth.mode=header"]);
    ran.exits(0);
}

#[test]
fn mistakes_are_told_at_once_and_nothing_is_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let target = format!("ws://{}/Development", listener.local_addr().unwrap());
    let wrong = "name = \"x\"\nplayers = 0\nspeed = 1\n[[phases]]\nkind = \"hodl\"\nduration = \"1s\"\n";
    let scene = Scene::new(wrong);
    let dir = scene.dir();
    let ran = scene.run(&["--target", &target, "--set", "auth.mode=header"]);
    ran.exits(2);
    for told in
        ["scenario.toml:2:1", "players", "scenario.toml:3:1", "speed", "scenario.toml:5:1", "hodl", "help:"]
    {
        assert!(ran.stderr.contains(told), "{told}: {}", ran.stderr);
    }
    assert!(listener.accept().is_err(), "a byte was sent");
    assert!(!dir.exists(), "a run folder was made");

    let missing = Command::new(LOADGEN).args(["run", "nowhere.toml"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(2));
    let usage = Command::new(LOADGEN).args(["run", "x.toml", "--set", "novalue"]).output().unwrap();
    assert_eq!(usage.status.code(), Some(2));
    let too_many = Scene::new(SMALL).run(&["--set", "players=900000"]);
    assert!(too_many.exits(2).stderr.contains("open files"), "{}", too_many.stderr);
}

#[test]
fn a_scenario_can_be_checked_and_explained() {
    let scene = Scene::new(SMALL);
    let scenario = scene.dir().with_file_name("scenario.toml");
    let check = Command::new(LOADGEN).args(["scenario", "check"]).arg(&scenario).output().unwrap();
    assert_eq!(check.status.code(), Some(0));
    let explain = Command::new(LOADGEN).args(["scenario", "explain"]).arg(&scenario).output().unwrap();
    let text = String::from_utf8(explain.stdout).unwrap();
    assert!(text.contains("200 players connect at 400 per second"), "{text}");
    let schema = Command::new(LOADGEN).args(["scenario", "schema"]).output().unwrap();
    assert!(
        serde_json::from_slice::<serde_json::Value>(&schema.stdout).unwrap()["properties"]["players"]
            .is_object()
    );
}

#[test]
fn every_command_helps_with_an_example() {
    for command in [
        vec!["run"],
        vec!["report"],
        vec!["correlate"],
        vec!["capacity"],
        vec!["doctor"],
        vec!["scenario", "check"],
        vec!["scenario", "explain"],
        vec!["scenario", "schema"],
        vec!["scenario", "list"],
        vec!["scenario", "new"],
        vec!["completions"],
    ] {
        let help = Command::new(LOADGEN).args(&command).arg("--help").output().unwrap();
        assert!(String::from_utf8(help.stdout).unwrap().contains("Example"), "{command:?}");
    }
}
