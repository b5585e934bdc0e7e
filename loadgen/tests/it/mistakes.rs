//! Every mistake before anything starts, whichever command is asked; nothing left behind; a folder that runs again.

use std::process::{Command, Output};

use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;

use crate::common::{LOADGEN, Scene};

const SCENARIO: &str = "name = \"named\"\nplayers = 2\n[target]\nprofile = \"mine.toml\"\n[[phases]]\nkind = \"hold\"\nduration = \"1s\"\n\
    [operations.send_message]\nrate = 5\n";
const BROKEN: &str = "base = \"instant\"\n[lambda]\nspeed = 1\nduration = { p50_ms = 5, p99_ms = 1 }\n[gateway]\ncut_rate = 7\n";

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_broken_profile_is_told_with_the_scenario_by_every_command() {
    let scene = Scene::new(SCENARIO).with("mine.toml", BROKEN);
    let folder = scene.dir().parent().unwrap().to_owned();
    for command in
        [&["scenario", "check"][..], &["scenario", "explain"], &["doctor"], &["run"], &["capacity"]]
    {
        let output = Command::new(LOADGEN)
            .args(command)
            .arg("scenario.toml")
            .args(["--set", "players=0"])
            .current_dir(&folder)
            .output()
            .unwrap();
        let said = said(&output);
        assert_eq!(output.status.code(), Some(2), "{command:?}: {said}");
        assert!(said.contains("4 mistakes"), "{said}");
        for mistake in [
            "--set players=0: `players`: 0 is too small",
            "mine.toml:3:1: `lambda.speed`: unknown key",
            "mine.toml:4:26: `lambda.duration.p99_ms`: 1 is below p50_ms, 5",
            "mine.toml:6:1: `gateway.cut_rate`: 7 is too large, at most 1",
        ] {
            assert!(said.contains(mistake), "{command:?}: {said}");
        }
        assert!(!folder.join("runs").exists(), "{command:?} left something");
    }
}

#[test]
fn a_start_that_fails_can_be_tried_again_in_its_place() {
    let scene = Scene::new(SCENARIO).with("mine.toml", "base = \"instant\"\n");
    let failed = scene
        .command(&["--target", "ws://no-such-host.invalid/x", "--set", "auth.mode=none"])
        .output()
        .unwrap();
    assert_eq!(failed.status.code(), Some(1), "{}", said(&failed));
    assert!(!scene.dir().exists());
    scene.run(&[]).exits(0);
}

#[test]
fn a_run_can_be_run_again_from_its_folder_alone() {
    let scene =
        Scene::new(SCENARIO).with("mine.toml", "base = \"instant\"\n[gateway]\nack_delay = { p50_ms = 3 }\n");
    let ran = scene.run(&["--set", "players=3"]);
    ran.exits(0);
    std::fs::remove_file(ran.dir.parent().unwrap().join("mine.toml")).unwrap();
    let again = tempfile::tempdir().unwrap();
    let output = Command::new(LOADGEN)
        .arg("run")
        .arg(ran.dir.join("scenario.toml"))
        .args(["--out", "run", "--quiet"])
        .current_dir(again.path())
        .output()
        .unwrap();
    // On a busy machine it may say that it was late.
    assert!(again.path().join("run/summary.json").is_file(), "{}", said(&output));
    let profile = std::fs::read_to_string(again.path().join("run/inputs/mine.toml")).unwrap();
    assert!(profile.contains("ack_delay"), "{profile}");
}

#[test]
fn a_secret_variable_is_used_and_never_kept() {
    let secret = "Zq7-rather-secret";
    let scene = Scene::new(SCENARIO).with("mine.toml", "base = \"instant\"\n");
    let text = SCENARIO
        .replace("profile = \"mine.toml\"", "url = \"ws://127.0.0.1:9/${STAGE}?apikey=${API_KEY}\"")
        .replace("rate = 5", "rate = \"${RATE:-5}/s\"");
    std::fs::write(scene.dir().parent().unwrap().join("scenario.toml"), text).unwrap();
    let mut command = scene.command(&["--set", "auth.mode=none"]);
    let output = command.env("API_KEY", secret).env("STAGE", "Dev").output().unwrap();
    let ran = scene.ran(output);
    let scenario =
        std::fs::read_to_string(ran.dir.join("scenario.toml")).unwrap_or_else(|_| panic!("{}", ran.stderr));
    assert!(
        scenario.contains("ws://127.0.0.1:9/Dev?apikey=${API_KEY}")
            || scenario.contains("/${STAGE}?apikey=${API_KEY}"),
        "{scenario}"
    );
    for (file, text) in ran.files() {
        assert!(!text.contains(secret), "{file}");
    }
    assert!(!ran.stderr.contains(secret) && !ran.stdout.contains(secret), "{}", ran.stderr);
}

#[test]
fn a_token_of_another_player_ends_the_start_where_deliveries_are_matched() {
    let token =
        encode(&Header::default(), &json!({ "sub": "someone" }), &EncodingKey::from_secret(b"k")).unwrap();
    let text = SCENARIO.replace("profile = \"mine.toml\"", "url = \"ws://127.0.0.1:9/x\"")
        + "[auth.command]\nargv = [\"sh\", \"print.sh\", \"{player}\"]\n";
    let scene = || Scene::new(&text).with("print.sh", "cat token.txt").with("token.txt", &token);
    let ran = scene().run(&[]);
    ran.exits(1);
    let said = "the token of player `player-000000` has `someone` in its claim `sub`";
    assert!(ran.stderr.contains(said) && ran.stderr.contains("auth.player_claim"), "{}", ran.stderr);
    assert!(!ran.dir.exists() && !ran.stderr.contains(&token));
    let ran = scene().run(&["--set", "auth.player_claim=username"]);
    assert!(!ran.stderr.contains("has `someone`"), "that claim is not there to compare: {}", ran.stderr);
}
