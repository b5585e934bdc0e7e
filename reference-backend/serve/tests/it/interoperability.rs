//! Tools that know nothing of the project, unchanged, against the real binary.
//!
//! What they are and how they are installed stands in `ci/install.sh` and `tests/node/package.json`. Without a tool its
//! test is skipped with a notice; in CI it fails.

use std::ffi::OsStr;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use crate::common::Backend;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio_tungstenite::{WebSocketStream, client_async};

/// How long a tool may take; generous, because machines that test are busy.
const PATIENCE: Duration = Duration::from_secs(120);

fn backend() -> Backend {
    Backend::start(&["--auth", "token"], "")
}

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// A tool on the search path, or of `tests/node`.
fn tool(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).chain([tests().join("node/node_modules/.bin")]);
    let found = places.find_map(|place| Some(place.join(name)).filter(|path| path.exists()));
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "{name} is not installed; see ci/install.sh");
        eprintln!("skipped: {name} is not installed; see ci/install.sh");
    }
    found
}

/// A command with nothing of the user's own around it; it ends with its handle.
fn command(tool: &Path, home: &TempDir) -> Command {
    let mut command = Command::new(tool);
    command.env("HOME", home.path()).current_dir(home.path()).kill_on_drop(true).stdin(Stdio::null());
    command
}

/// Runs a tool to its end, which must be good.
async fn run(command: &mut Command) -> String {
    let output: Output = tokio::time::timeout(PATIENCE, command.output()).await.expect("it ends").unwrap();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}:\n{text}", output.status);
    text
}

async fn token(backend: &Backend, player: &str) -> String {
    let url = format!("{}/token", backend.endpoints.identity);
    let answer = reqwest::Client::new().post(url).json(&json!({ "playerId": player })).send().await.unwrap();
    answer.json::<Value>().await.unwrap()["token"].as_str().unwrap().to_owned()
}

/// The player whom the tools' players write to.
struct Listener(WebSocketStream<TcpStream>);

impl Listener {
    async fn connect(backend: &Backend) -> Self {
        let url = format!("{}?token={}", backend.endpoints.websocket, token(backend, "listener").await);
        let stream = TcpStream::connect(address(backend)).await.unwrap();
        Self(client_async(url, stream).await.unwrap().0)
    }

    /// The next messages of `sender`, and nothing else.
    async fn hears(&mut self, count: usize, sender: &str) {
        for heard in 0..count {
            let frame = tokio::time::timeout(PATIENCE, self.0.next()).await;
            let frame = frame.unwrap_or_else(|_| panic!("{heard} of {count} messages arrived"));
            let push: Value = serde_json::from_str(frame.unwrap().unwrap().to_text().unwrap()).unwrap();
            assert_eq!((&push["type"], &push["senderId"]), (&json!("message"), &json!(sender)));
        }
    }
}

/// Host and port of the front door.
fn address(backend: &Backend) -> &str {
    backend.endpoints.websocket.trim_start_matches("ws://").split('/').next().unwrap()
}

async fn node(case: &str) {
    let (Some(node), Some(_)) = (tool("node"), tool("wscat")) else { return };
    let (backend, home) = (backend(), TempDir::new().unwrap());
    let endpoints = serde_json::to_string(&backend.endpoints).unwrap();
    let script = tests().join("node/websocket.mjs");
    run(command(&node, &home).args([script.as_os_str(), OsStr::new(case)]).env("ENDPOINTS", endpoints)).await;
}

#[tokio::test]
async fn ws_works_by_events_and_pings() {
    node("events").await;
}

#[tokio::test]
async fn ws_may_offer_what_it_wants() {
    node("offers").await;
}

#[tokio::test]
async fn ws_may_leave_as_it_wants() {
    node("farewells").await;
}

#[test]
fn websocket_client_works_by_events_and_pings() {
    backend().python("websocket_client.py", "app");
}

#[test]
fn websocket_client_works_call_by_call() {
    backend().python("websocket_client.py", "connection");
}

#[tokio::test]
async fn wscat_talks() {
    let Some(wscat) = tool("wscat") else { return };
    let (backend, home) = (backend(), TempDir::new().unwrap());
    let authorization = format!("Authorization: Bearer {}", token(&backend, "cat").await);
    let send = r#"{"route":"sendMessage","body":{"playerIds":["cat"],"message":"hi"}}"#;
    let mut command = command(&wscat, &home);
    command.args(["--no-color", "--connect", &backend.endpoints.websocket, "--header", &authorization]);
    // It ends when its input does.
    let talk = command.args(["--execute", send, "--wait", "-1"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut talk: Child = talk.spawn().unwrap();
    let mut output = talk.stdout.take().unwrap();
    let mut said = String::new();
    let both = async {
        while !(said.contains("Message(s) Sent") && said.contains(r#""senderId":"cat""#)) {
            let mut bytes = [0; 1_024];
            let count = output.read(&mut bytes).await.unwrap();
            assert!(count > 0, "it ended with {said:?}");
            said.push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
    };
    tokio::time::timeout(PATIENCE, both).await.expect("ack and push arrive");
    drop(talk.stdin.take());
    tokio::time::timeout(PATIENCE, talk.wait()).await.expect("it ends").unwrap();
}

#[tokio::test]
async fn artillery_runs_a_scenario_without_a_failure() {
    let Some(artillery) = tool("artillery") else { return };
    let (backend, home) = (backend(), TempDir::new().unwrap());
    let mut listener = Listener::connect(&backend).await;
    let report = home.path().join("report.json");
    let mut command = command(&artillery, &home);
    command.arg("run").arg("--output").arg(&report).arg(tests().join("node/artillery.yml"));
    command.env("TARGET", &backend.endpoints.websocket).env("TOKEN", token(&backend, "gunner").await);
    command.envs([("ARTILLERY_DISABLE_TELEMETRY", "true"), ("NO_UPDATE_NOTIFIER", "1")]);
    let said = run(&mut command).await;
    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    let counters = &report["aggregate"]["counters"];
    let count = |counter: &str| counters[counter].as_u64();
    assert_eq!((count("vusers.created"), count("vusers.completed")), (Some(10), Some(10)), "{said}");
    assert_eq!((count("vusers.failed"), count("websocket.messages_sent")), (Some(0), Some(30)), "{said}");
    let errors = counters.as_object().unwrap().keys().filter(|counter| counter.starts_with("errors."));
    assert_eq!(errors.count(), 0, "{counters}");
    listener.hears(30, "gunner").await;
}

#[tokio::test]
async fn tsung_runs_a_scenario_without_an_error() {
    let (Some(tsung), Some(epmd)) = (tool("tsung"), tool("epmd")) else { return };
    let (backend, home) = (backend(), TempDir::new().unwrap());
    let mut listener = Listener::connect(&backend).await;
    let (_, port) = address(&backend).split_once(':').unwrap();
    let target = format!("/Development?token={}", token(&backend, "horde").await);
    let scenario = std::fs::read_to_string(tests().join("tsung/players.xml")).unwrap();
    let file = home.path().join("players.xml");
    std::fs::write(&file, scenario.replace("PORT", port).replace("TARGET", &target)).unwrap();

    // Erlang's register of names would stay behind; this one ends with the test. It and Erlang keep to loopback.
    let names = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let mut epmd = command(&epmd, &home);
    let _epmd = epmd.args(["-address", "127.0.0.1", "-port", &names]).spawn().unwrap();
    while TcpStream::connect(format!("127.0.0.1:{names}")).await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut command = command(&tsung, &home);
    command
        .args(["-n", "-I", "127.0.0.1", "-f"])
        .arg(&file)
        .arg("-l")
        .arg(home.path().join("log"))
        .arg("start");
    command.env("ERL_EPMD_PORT", &names).env("ERL_EPMD_ADDRESS", "127.0.0.1");
    command.env("ERL_AFLAGS", "-kernel inet_dist_use_interface {127,0,0,1}");
    let said = run(&mut command).await;

    let log = std::fs::read_dir(home.path().join("log")).unwrap().next().unwrap().unwrap().path();
    let log = std::fs::read_to_string(log.join("tsung.log")).unwrap();
    // The last figure of a line is the total.
    let total = |name: &str| {
        let line = log.lines().rfind(|line| line.starts_with(&format!("stats: {name} ")))?;
        line.split_whitespace().next_back()?.parse::<u64>().ok()
    };
    assert_eq!((total("users_count"), total("finish_users_count")), (Some(20), Some(20)), "{said}\n{log}");
    assert_eq!((total("websocket_succ"), total("match")), (Some(20), Some(20)), "{said}\n{log}");
    for trouble in ["stats: error", "stats: websocket_fail", "stats: nomatch"] {
        assert!(!log.contains(trouble), "{said}\n{log}");
    }
    listener.hears(20, "horde").await;
}
