//! `serve --lambda process` with the very executable that is deployed: every route, table, stream, event and push goes
//! through real processes, which know the stack only by its endpoints.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::ffi::OsString;
use std::future::Future;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::{SinkExt as _, StreamExt as _};
use procfs::process::{ProcState, Process, all_processes};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// Cold starts on a busy machine; nothing here waits this long when it works.
const PATIENCE: Duration = Duration::from_secs(60);
const FUNCTIONS: [&str; 10] = [
    "Authorizer",
    "Connect",
    "Disconnect",
    "Default",
    "SendMessage",
    "SessionPlacementRequest",
    "OnMessageInserted",
    "OnPlacementEvent",
    "OnPlacementUpdated",
    "PlacementsRest",
];

type Socket = WebSocketStream<TcpStream>;

/// A running stack whose functions are processes. It is killed when it goes out of scope, and they with it.
struct Stack {
    child: Child,
    endpoints: Value,
    log: NamedTempFile,
    http: reqwest::Client,
}

impl Stack {
    fn start(layout: &str) -> Self {
        let program =
            PathBuf::from(env!("CARGO_BIN_EXE_reference-lambda")).with_file_name("reference-backend");
        assert!(program.exists(), "build it first: cargo build --release -p reference-backend");
        let log = NamedTempFile::new().unwrap();
        let mut child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--auth", "token", "--layout", layout])
            .args(["--lambda", "process", "--lambda-bin", env!("CARGO_BIN_EXE_reference-lambda")])
            .arg("--exit-with-parent")
            .env("RUST_LOG", "warn,reference_backend_local::lambda=info")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log.reopen().unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let endpoints = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        Self { child, endpoints, log, http: reqwest::Client::new() }
    }

    fn endpoint(&self, name: &str) -> &str {
        self.endpoints[name].as_str().unwrap()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap()
    }

    async fn tokens(&self, players: [&str; 2]) -> [String; 2] {
        let url = format!("{}/tokens", self.endpoint("identity"));
        let answer = self.http.post(url).json(&json!({ "playerIds": players })).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        [0, 1].map(|index| answer["tokens"][index].as_str().unwrap().to_owned())
    }

    async fn connect(&self, token: &str) -> Result<Socket, Error> {
        let url = self.endpoint("websocket");
        let address = url.strip_prefix("ws://").and_then(|rest| rest.split('/').next()).unwrap();
        let mut request = url.into_client_request()?;
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        Ok(client_async(request, TcpStream::connect(address).await?).await?.0)
    }

    /// Asks a service in AWS JSON.
    async fn ask(&self, service: &str, operation: &str, input: &Value) -> Value {
        let request = self.http.post(self.endpoint(service));
        let target = match service {
            "dynamodb" => format!("DynamoDB_20120810.{operation}"),
            _ => format!("GraniteServiceVersion20100801.{operation}"),
        };
        let request = request.header("x-amz-target", target).body(input.to_string());
        let answer = request.header("content-type", "application/x-amz-json-1.0").send().await.unwrap();
        let (status, answer) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{operation}: {answer}");
        serde_json::from_str(&answer).unwrap()
    }

    /// Whether a player has a connection record.
    async fn is_connected(&self, player: &str) -> bool {
        let input = json!({ "TableName": "reference-Development-Connections", "Key": { "playerId": { "S": player } } });
        self.ask("dynamodb", "GetItem", &input).await.get("Item").is_some()
    }

    /// A statistic of a Lambda's cold starts, over everything until now.
    async fn cold_starts(&self, lambda: &str, statistic: &str) -> f64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        let metric = json!({
            "Namespace": "LambdaInsights",
            "MetricName": "init_duration",
            "Dimensions": [{ "Name": "function_name", "Value": format!("reference-Development-{lambda}") }],
        });
        let query = json!({
            "StartTime": now - 3_000.0,
            "EndTime": now + 60.0,
            "MetricDataQueries": [{ "Id": "q", "MetricStat": { "Metric": metric, "Stat": statistic, "Period": 60 } }],
        });
        let answer = self.ask("cloudwatch", "GetMetricData", &query).await;
        let values = answer["MetricDataResults"][0]["Values"].as_array().unwrap();
        values.iter().map(|value| value.as_f64().unwrap()).sum()
    }

    /// The environments: process id and variables.
    fn environments(&self) -> Vec<(i32, Environment)> {
        let own = i32::try_from(self.child.id()).unwrap();
        let children = all_processes()
            .unwrap()
            .flatten()
            .filter(|process| process.stat().is_ok_and(|stat| stat.ppid == own && stat.state != 'Z'));
        children.filter_map(|process| Some((process.pid(), process.environ().ok()?))).collect()
    }
}

type Environment = std::collections::HashMap<OsString, OsString>;

impl Drop for Stack {
    fn drop(&mut self) {
        // It may have ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn state(pid: i32) -> Option<ProcState> {
    Process::new(pid).ok()?.stat().ok()?.state().ok().filter(|state| *state != ProcState::Zombie)
}

async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} takes too long"))
}

async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begin = Instant::now();
    while !holds().await {
        assert!(begin.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn say(socket: &mut Socket, frame: &Value) {
    socket.send(Message::text(frame.to_string())).await.unwrap();
}

/// The next `count` frames by their type: answers and pushes may come in any order.
async fn hear(socket: &mut Socket, count: usize) -> Vec<Value> {
    let mut frames = Vec::new();
    while frames.len() < count {
        let frame = in_time("a frame", socket.next()).await.unwrap().unwrap();
        frames.push(serde_json::from_str::<Value>(frame.to_text().unwrap()).unwrap());
    }
    frames.sort_by_key(|frame| frame["type"].to_string());
    frames
}

/// Asks for a route that there is none of, and is told so by the default function.
async fn nonsense(socket: &mut Socket) {
    say(socket, &json!({ "route": "dance", "id": 7 })).await;
    let answer = json!({ "type": "ack", "id": 7, "statusCode": 404, "body": "Route [dance] Not Found" });
    assert_eq!(hear(socket, 1).await, [answer]);
}

/// The polling way: starts a placement and asks until it is done; whoever has a socket gets the push all the same.
async fn poll_placement(stack: &Stack, token: &str, socket: &mut Socket) {
    let url = format!("{}/placements", stack.endpoint("rest"));
    let started = stack.http.post(&url).bearer_auth(token).body("{}").send().await.unwrap();
    assert!(started.status().is_success(), "{started:?}");
    let started: Value = started.json().await.unwrap();
    let url = format!("{url}/{}", started["placementId"].as_str().unwrap());
    eventually("a placement that is polled", async || {
        let read = stack.http.get(&url).bearer_auth(token).send().await.unwrap();
        read.json::<Value>().await.unwrap()["status"] == "FULFILLED"
    })
    .await;
    assert_eq!(hear(socket, 1).await[0]["placementId"], started["placementId"]);
}

/// Every function once, from the handshake to the push, as players see it.
async fn play(stack: &Stack) -> (Socket, Socket) {
    let [alice_token, bob_token] = stack.tokens(["alice", "bob"]).await;
    match in_time("a refusal", stack.connect(&format!("{alice_token}x"))).await {
        Err(Error::Http(refusal)) => assert_eq!(refusal.status(), 403),
        other => panic!("the authorizer must refuse a forged token: {other:?}"),
    }
    let mut alice = in_time("a handshake", stack.connect(&alice_token)).await.unwrap();
    let mut bob = in_time("a handshake", stack.connect(&bob_token)).await.unwrap();
    assert!(stack.is_connected("alice").await && stack.is_connected("bob").await);

    let body = json!({ "playerIds": ["bob", "nobody"], "message": "hi" });
    say(&mut alice, &json!({ "route": "sendMessage", "id": 1, "body": body })).await;
    let answer = json!({ "type": "ack", "id": 1, "statusCode": 200, "body": "Message(s) Sent" });
    assert_eq!(hear(&mut alice, 1).await, [answer]);
    let push = hear(&mut bob, 1).await.remove(0);
    assert_eq!(
        (&push["type"], &push["senderId"], &push["message"]),
        (&"message".into(), &"alice".into(), &"hi".into())
    );

    say(&mut alice, &json!({ "route": "sessionPlacementRequest", "id": 2, "body": {} })).await;
    let frames = hear(&mut alice, 2).await;
    let (answer, push) = (&frames[0], &frames[1]);
    assert_eq!((&answer["id"], &answer["statusCode"]), (&json!(2), &json!(200)), "{answer}");
    assert_eq!((&push["type"], &push["status"]), (&json!("placement"), &json!("FULFILLED")), "{push}");
    assert_eq!(answer["body"]["placementId"], push["placementId"]);
    assert!(push["ipAddress"].is_string() && push["playerSessionId"].is_string(), "{push}");

    nonsense(&mut alice).await;
    poll_placement(stack, &alice_token, &mut alice).await;
    (alice, bob)
}

/// The environments of functions that must have run, each asleep by now.
async fn asleep(stack: &Stack) -> Vec<(i32, Environment)> {
    eventually("idle environments are frozen", async || {
        stack.environments().iter().all(|(pid, _)| state(*pid) == Some(ProcState::Stopped))
    })
    .await;
    stack.environments()
}

async fn whole_path(layout: &str, lambdas: &[&str], default: &str) {
    let stack = Stack::start(layout);
    let (mut alice, mut bob) = play(&stack).await;

    bob.close(None).await.unwrap();
    drop(bob);
    eventually("the record of a closed connection goes", async || !stack.is_connected("bob").await).await;
    assert!(stack.is_connected("alice").await, "and no other");

    // Every Lambda had a cold start, which took time, and its log says so.
    for lambda in lambdas {
        assert!(stack.cold_starts(lambda, "SampleCount").await >= 1.0, "{lambda}");
        assert!(stack.cold_starts(lambda, "Sum").await > 0.0, "{lambda}");
    }
    let log = stack.log();
    let reports = log.lines().filter(|line| line.contains("REPORT RequestId: "));
    let cold = reports.filter(|line| line.contains("Init Duration: ")).count();
    let before = asleep(&stack).await;
    assert_eq!(cold, before.len(), "each environment started once:\n{log}");

    // Those of one Lambda die in their sleep; the next event finds another.
    let of = |environment: &Environment| {
        environment["AWS_LAMBDA_FUNCTION_NAME".as_ref() as &std::ffi::OsStr].clone()
    };
    let name = OsString::from(format!("reference-Development-{default}"));
    let victims: Vec<_> =
        before.iter().filter(|(_, environment)| of(environment) == name).map(|(pid, _)| *pid).collect();
    assert!(!victims.is_empty());
    for victim in &victims {
        kill_process(Pid::from_raw(*victim).unwrap(), Signal::KILL).unwrap();
    }
    eventually("they are dead", async || victims.iter().all(|victim| state(*victim).is_none())).await;
    let starts = stack.cold_starts(default, "SampleCount").await;
    nonsense(&mut alice).await;
    assert_eq!(stack.cold_starts(default, "SampleCount").await, starts + 1.0);

    let last = asleep(&stack).await;
    drop(stack);
    eventually("none outlives the stack", async || last.iter().all(|(pid, _)| state(*pid).is_none())).await;
}

#[tokio::test]
async fn a_process_for_each_operation() {
    whole_path("per-operation", &FUNCTIONS, "Default").await;
}

#[tokio::test]
async fn one_process_for_all_operations() {
    whole_path("single", &["Backend"], "Backend").await;
}
