//! `loadgen doctor` through the real binary: what it finds on this machine, under a planted limit, and at a target.

use std::net::TcpListener;
use std::process::{Command, Output};

use crate::common::{Backend, LOADGEN};
use serde_json::Value;

const SCENARIO: &str = r#"
name = "visit"
players = 100

[[phases]]
kind = "hold"
duration = "1s"
"#;

struct Visit {
    code: Option<i32>,
    text: String,
}

impl Visit {
    fn of(output: Output) -> Self {
        let said = [output.stdout, output.stderr].concat();
        Self { code: output.status.code(), text: String::from_utf8(said).unwrap() }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The finding of one check.
    fn check(&self, name: &str) -> Value {
        let report = self.json();
        let found =
            report["checks"].as_array().unwrap().iter().find(|finding| finding["check"] == name).cloned();
        found.unwrap_or_else(|| panic!("no {name}: {}", self.text))
    }
}

fn doctor(arguments: &[&str]) -> Visit {
    Visit::of(Command::new(LOADGEN).arg("doctor").args(arguments).output().unwrap())
}

/// With a scenario file.
fn doctor_for(arguments: &[&str]) -> Visit {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scenario.toml");
    std::fs::write(&path, SCENARIO).unwrap();
    doctor(&[&[path.to_str().unwrap()], arguments].concat())
}

#[test]
fn the_machine_is_told_in_words_and_in_json() {
    let words = doctor(&[]);
    for check in ["descriptors", "ports", "cores", "memory", "clock", "timers", "time sync", "disk"] {
        assert!(words.text.contains(check), "{check}: {}", words.text);
    }
    assert!(
        words.text.trim_end().ends_with(" failures") || words.text.contains(", 1 failure\n"),
        "{}",
        words.text
    );
    let json = doctor(&["--json"]);
    assert_eq!(json.json()["schema_version"], 1);
    assert!(json.check("descriptors")["found"].as_str().unwrap().contains("open files"));
    let failed = json.json()["status"] == "fail";
    assert_eq!(json.code, Some(i32::from(failed)), "{}", json.text);
    assert_eq!(doctor(&["--set", "players=5"]).code, Some(2), "a key of no scenario");
    assert_eq!(doctor(&["nowhere.toml"]).code, Some(2));
}

#[test]
fn a_planted_limit_is_found_with_what_to_change() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scenario.toml");
    std::fs::write(&path, SCENARIO).unwrap();
    let under = |players: &str| {
        let script = format!(
            "ulimit -n 256 && exec {LOADGEN} doctor {} --set players={players} --json",
            path.display()
        );
        Visit::of(Command::new("sh").args(["-c", &script]).output().unwrap())
    };
    let too_many = under("5000");
    assert_eq!(too_many.code, Some(1), "{}", too_many.text);
    let finding = too_many.check("descriptors");
    assert_eq!(finding["status"], "fail");
    assert!(finding["found"].as_str().unwrap().starts_with("256 open files"), "{finding}");
    assert!(finding["remedy"].as_str().unwrap().contains("lower `players` to 192"), "{finding}");
    assert_eq!(under("150").check("descriptors")["status"], "ok");
}

#[test]
fn a_target_is_tried_to_the_ping() {
    let backend = Backend::start(&["--profile", "instant", "--auth", "header"]);
    let target = ["--target", backend.url("websocket"), "--json"];
    let with_id = doctor_for(&[&target[..], &["--set", "auth.mode=header"]].concat());
    assert_eq!(with_id.code, Some(0), "{}", with_id.text);
    assert!(with_id.check("handshake")["meaning"].as_str().unwrap().contains("accepted"));
    assert!(with_id.check("ping")["found"].as_str().unwrap().contains("answered"));
    // Nothing but the URL: that the target asks who it is proves that it is there.
    let nobody = doctor(&target);
    assert_eq!(nobody.check("handshake")["status"], "ok");
    assert!(nobody.check("handshake")["meaning"].as_str().unwrap().contains("requires credentials"));
    // A scenario without credentials would fail.
    let refused = doctor_for(&[&target[..], &["--set", "auth.mode=none"]].concat());
    assert_eq!((refused.code, refused.check("handshake")["status"].as_str()), (Some(1), Some("fail")));
    let stage = doctor(&["--target", &format!("{}x", backend.url("websocket")), "--json"]);
    assert_eq!(
        (stage.code, stage.check("handshake")["status"].as_str()),
        (Some(0), Some("warn")),
        "{}",
        stage.text
    );
}

#[test]
fn where_nobody_listens_it_says_so_and_goes_no_further() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = doctor(&["--target", &format!("ws://{free}/Stage"), "--json"]);
    assert_eq!(nobody.code, Some(1), "{}", nobody.text);
    assert_eq!(nobody.check("connection")["status"], "fail");
    assert!(!nobody.text.contains("handshake\""), "{}", nobody.text);
}

#[test]
fn tokens_are_had_and_not_shown() {
    let backend = Backend::start(&["--profile", "instant", "--auth", "token"]);
    let token = "not-a-token-of-{player}-0123456789";
    let command = format!("auth.command={{ argv = [\"echo\", \"{token}\"] }}");
    let visit = doctor_for(&["--target", backend.url("websocket"), "--set", &command]);
    assert_eq!(visit.code, Some(1), "{}", visit.text);
    assert!(
        visit.text.contains("a token from `echo`") && visit.text.contains("the credentials are rejected")
    );
    assert!(!visit.text.contains("not-a-token"), "{}", visit.text);
    let issuer = format!("auth.issuer={}", backend.url("identity"));
    let good = doctor_for(&["--target", backend.url("websocket"), "--set", &issuer, "--json"]);
    assert_eq!(good.code, Some(0), "{}", good.text);
    let dead = doctor_for(&[
        "--target",
        backend.url("websocket"),
        "--set",
        "auth.issuer=http://127.0.0.1:1",
        "--json",
    ]);
    assert_eq!(
        (dead.code, dead.check("credentials")["status"].as_str()),
        (Some(1), Some("fail")),
        "{}",
        dead.text
    );
}

#[test]
fn missing_aws_credentials_stop_a_signed_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scenario.toml");
    std::fs::write(&path, SCENARIO).unwrap();
    let output = Command::new(LOADGEN)
        .arg("doctor")
        .arg(&path)
        .args([
            "--target",
            "ws://127.0.0.1:1/Stage",
            "--set",
            "auth.mode=sigv4",
            "--set",
            "auth.sigv4.region=eu-west-1",
        ])
        .arg("--json")
        .env_clear()
        .env("HOME", folder.path())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output()
        .unwrap();
    let visit = Visit::of(output);
    assert_eq!(visit.code, Some(1), "{}", visit.text);
    let aws = visit.check("aws");
    assert_eq!(aws["status"], "fail");
    assert!(aws["meaning"].as_str().unwrap().contains("AWS_ACCESS_KEY_ID"), "{aws}");
}

#[test]
fn the_aws_chain_is_followed_once() {
    let backend = Backend::start(&["--profile", "instant", "--auth", "iam"]);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("scenario.toml"), SCENARIO).unwrap();
    let keys = "{\"Version\":1,\"AccessKeyId\":\"local\",\"SecretAccessKey\":\"local\"}";
    std::fs::write(path("keys.sh"), format!("echo once >> {}\necho '{keys}'\n", path("asked"))).unwrap();
    let config = format!("[default]\nregion = eu-west-1\ncredential_process = /bin/sh {}\n", path("keys.sh"));
    std::fs::write(path("config"), config).unwrap();
    let output = Command::new(LOADGEN)
        .args(["doctor", &path("scenario.toml"), "--target", backend.url("websocket"), "--json"])
        .args(["--set", "auth.mode=sigv4"])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", folder.path())
        .env("AWS_CONFIG_FILE", path("config"))
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output()
        .unwrap();
    let visit = Visit::of(output);
    assert_eq!(visit.code, Some(0), "{}", visit.text);
    assert!(visit.check("aws")["meaning"].as_str().unwrap().contains("region eu-west-1"), "{}", visit.text);
    assert!(visit.check("handshake")["meaning"].as_str().unwrap().contains("accepted"), "{}", visit.text);
    assert_eq!(std::fs::read_to_string(path("asked")).unwrap(), "once\n");
}
