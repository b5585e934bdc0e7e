//! Real processes behind the Runtime API: how they start, work, rest, fail and end.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::common::Backend;
use bytes::Bytes;
use procfs::process::{ProcState, Process, all_processes};
use reference_backend::function::{Deployment, Function, Table};
use reference_backend::variables;
use reference_backend_local::lambda::process::{ProcessConfig, Processes};
use reference_backend_local::lambda::{Invoke as _, InvokeError, LambdaPools, LambdaProfile};
use reference_backend_local::logs::Logs;
use reference_backend_local::metrics::{MetricId, Metrics, Statistic};
use serde_json::{Value, json};

/// The Lambda that does as it is told.
fn echo() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let path = own.ancestors().nth(2).unwrap().join("examples/echo_lambda");
    assert!(path.exists(), "build it first: cargo build --release -p reference-backend-serve --examples");
    path
}

struct Fixture {
    lambda: Arc<LambdaPools>,
    metrics: Metrics,
}

fn fixture(profile: &str, environment: &[(&str, &str)]) -> Fixture {
    let profile: LambdaProfile = toml::from_str(profile).unwrap();
    let metrics = Metrics::default();
    let owned = |(name, value): &(&str, &str)| (OsString::from(name), OsString::from(value));
    let config = ProcessConfig {
        executables: echo(),
        launcher: env!("CARGO_BIN_EXE_reference-backend").into(),
        environment: environment.iter().map(owned).collect(),
    };
    let home = Arc::new(Processes::new(config, profile.layout).unwrap());
    let lambda = LambdaPools::at_home(&profile, &Deployment::default(), &metrics, &Logs::default(), home);
    Fixture { lambda, metrics }
}

impl Fixture {
    async fn tell(&self, what: &str) -> Result<Value, InvokeError> {
        let event = Bytes::from(json!({ "do": what }).to_string());
        let answer = self.lambda.invoke(Function::SendMessage, event).await?;
        Ok(serde_json::from_slice(&answer).unwrap())
    }

    async fn pid(&self) -> i32 {
        pid(&self.tell("").await.unwrap())
    }

    /// The type and the text of the error that it answers with.
    async fn error(&self, what: &str) -> (String, String) {
        match self.tell(what).await {
            Err(InvokeError::Function { error_type, message }) => (error_type, message),
            other => panic!("{other:?}"),
        }
    }

    fn sum(&self, metric: &str) -> f64 {
        let id =
            MetricId::new("AWS/Lambda", metric, &[("FunctionName", "reference-Development-SendMessage")]);
        self.metrics.query(&id, Statistic::Sum, 0, u64::MAX, 1).iter().map(|(_, value)| value).sum()
    }
}

fn pid(answer: &Value) -> i32 {
    i32::try_from(answer["pid"].as_i64().unwrap()).unwrap()
}

fn state(pid: i32) -> Option<ProcState> {
    let process = Process::new(pid).ok()?;
    let state = process.stat().ok()?.state().ok()?;
    // The first thread is a zombie before the others are gone, and only then can the process be waited for.
    let threads = process.tasks().map_or(0, Iterator::count);
    (state != ProcState::Zombie || threads > 1).then_some(state)
}

async fn gone(pid: i32) {
    becomes(pid, None).await;
}

/// The signal has been sent, but the process stops when the kernel next looks at it.
async fn frozen(pid: i32) {
    becomes(pid, Some(ProcState::Stopped)).await;
}

async fn becomes(pid: i32, expected: Option<ProcState>) {
    let begin = Instant::now();
    while state(pid) != expected {
        assert!(begin.elapsed() < Duration::from_secs(20), "{pid} is {:?}, not {expected:?}", state(pid));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn an_environment_starts_once_and_is_told_what_aws_tells() {
    let fixture = fixture("timeout_s = 7.0", &[(variables::table(Table::Messages), "mine")]);
    let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let first = fixture.tell("").await.unwrap();
    let second = fixture.tell("").await.unwrap();
    assert_eq!((pid(&first), &first["handled"]), (pid(&second), &json!(1)));
    assert_eq!(second["handled"], 2);
    assert_ne!(first["requestId"], second["requestId"]);
    let name = "reference-Development-SendMessage";
    assert_eq!(first["arn"], format!("arn:aws:lambda:us-east-1:000000000000:function:{name}"));
    assert!(first["trace"].as_str().unwrap().starts_with("Root=1-"), "{first}");
    let deadline = Duration::from_millis(first["deadline"].as_u64().unwrap());
    assert!(deadline >= before + Duration::from_millis(6_999), "the time-out counts from the invocation");

    let environment = &first["environment"];
    for (variable, value) in [
        ("AWS_LAMBDA_FUNCTION_NAME", name),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_REGION", "us-east-1"),
        ("_HANDLER", "SendMessage"),
        (variables::table(Table::Messages), "mine"),
        (variables::FUNCTION, "SendMessage"),
    ] {
        assert_eq!(environment[variable], value, "{variable}");
    }
    assert!(environment["AWS_LAMBDA_RUNTIME_API"].as_str().unwrap().starts_with("127.0.0.1:"));
    assert!(environment.get("CARGO_MANIFEST_DIR").is_none(), "the stack's own environment stays outside");
}

#[tokio::test]
async fn one_event_at_a_time() {
    let fixture = fixture("", &[]);
    let (one, two) = tokio::join!(fixture.tell("sleep 500"), fixture.tell("sleep 500"));
    let pids = [pid(&one.unwrap()), pid(&two.unwrap())];
    assert_ne!(pids[0], pids[1]);
    assert!(pids.contains(&fixture.pid().await), "a third event finds a warm environment");
}

#[tokio::test]
async fn an_idle_environment_is_frozen() {
    let fixture = fixture("", &[]);
    let pid = fixture.pid().await;
    for _ in 0..3 {
        frozen(pid).await;
        let busy = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            state(pid)
        };
        let (answer, busy) = tokio::join!(fixture.tell("sleep 400"), busy);
        assert!(answer.is_ok() && busy != Some(ProcState::Stopped), "{busy:?}");
    }
    assert_eq!(fixture.pid().await, pid);
}

#[tokio::test]
async fn an_error_leaves_the_environment_as_it_is() {
    let fixture = fixture("", &[]);
    let pid = fixture.pid().await;
    assert_eq!(fixture.error("fail Unauthorized").await.1, "Unauthorized");
    let (_, message) = fixture.error("panic as told").await;
    assert!(message.contains("as told"), "{message}");
    assert_eq!(fixture.pid().await, pid);
    assert_eq!((fixture.sum("Invocations"), fixture.sum("Errors")), (4.0, 2.0));
}

#[tokio::test]
async fn a_crash_is_an_exit_error_and_the_environment_is_replaced() {
    let fixture = fixture("", &[]);
    for (what, text) in [
        ("exit 3", "Runtime exited with error: exit status 3"),
        ("exit 0", "Runtime exited without providing a reason"),
        ("abort", "Runtime exited with error: signal: 6"),
    ] {
        let before = fixture.pid().await;
        let (error_type, message) = fixture.error(what).await;
        assert_eq!(error_type, "Runtime.ExitError");
        assert!(message.starts_with("RequestId: ") && message.contains(text), "{message}");
        assert_ne!(fixture.pid().await, before);
        gone(before).await;
    }
}

#[tokio::test]
async fn a_process_that_is_killed_in_its_sleep_is_replaced_unseen() {
    let fixture = fixture("", &[]);
    let before = fixture.pid().await;
    assert!(Command::new("kill").args(["-KILL", &before.to_string()]).status().unwrap().success());
    gone(before).await;
    assert_ne!(fixture.pid().await, before);
    assert_eq!(fixture.sum("Errors"), 0.0);
}

#[tokio::test]
async fn a_time_out_kills_the_process() {
    let fixture = fixture("timeout_s = 1.0", &[]);
    let before = fixture.pid().await;
    assert_eq!(fixture.tell("sleep 60000").await, Err(InvokeError::TimedOut { seconds: 1.0 }));
    gone(before).await;
    assert_ne!(fixture.pid().await, before);
    assert_eq!(fixture.sum("Errors"), 1.0);
}

#[tokio::test]
async fn an_answer_beyond_six_megabytes_is_an_error() {
    let fixture = fixture("", &[]);
    assert!(fixture.tell("large 1000000").await.is_ok());
    assert_eq!(fixture.error("large 7000000").await.0, "Function.ResponseSizeTooLarge");
    assert!(fixture.tell("").await.is_ok());
}

#[tokio::test]
async fn an_init_that_fails_is_tried_once_more() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("mark");
    let once = fixture("", &[("ECHO_INIT", "exit-once"), ("ECHO_MARK", mark.to_str().unwrap())]);
    assert!(once.tell("").await.is_ok() && mark.exists());

    let always = fixture("", &[("ECHO_INIT", "exit")]);
    let (error_type, message) = always.error("").await;
    assert_eq!(
        (error_type.as_str(), message.contains("exit status 7")),
        ("Runtime.ExitError", true),
        "{message}"
    );
    assert_eq!((always.sum("Invocations"), always.sum("Errors")), (1.0, 1.0));

    let hanging = fixture("timeout_s = 0.5", &[("ECHO_INIT", "hang")]);
    let (error_type, message) = hanging.error("").await;
    assert_eq!(error_type, "Sandbox.Timedout");
    assert!(message.contains("0.50 seconds"), "the second attempt has the function's time-out: {message}");
}

#[tokio::test]
async fn idle_environments_are_shut_down() {
    let fixture = fixture("idle_expiry_s = 0.5", &[]);
    let pid = fixture.pid().await;
    gone(pid).await;
}

#[tokio::test]
async fn processes_end_with_their_pools() {
    let fixture = fixture("", &[]);
    let idle = fixture.pid().await;
    let lambda = Arc::clone(&fixture.lambda);
    let busy = tokio::spawn(async move {
        lambda.invoke(Function::Connect, Bytes::from(json!({ "do": "sleep 60000" }).to_string())).await
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    busy.abort();
    assert!(busy.await.unwrap_err().is_cancelled());
    drop(fixture);
    gone(idle).await;
}

#[test]
fn a_layout_needs_its_executables() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().to_str().unwrap();
    let (mut command, _profile) =
        crate::common::serve(&["--layout", "single", "--lambda", "process", "--lambda-bin", missing], "");
    let output = command.output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("Backend/bootstrap"), "{error}");
}

fn children_of(parent: u32) -> Vec<i32> {
    let parent = i32::try_from(parent).unwrap();
    let stats = all_processes().unwrap().filter_map(|process| process.ok()?.stat().ok());
    stats.filter(|stat| stat.ppid == parent).map(|stat| stat.pid).collect()
}

/// A handshake: it runs the authorizer, whose answer is no policy.
fn knock(backend: &Backend) -> String {
    let address = backend.endpoints.websocket.trim_start_matches("ws://");
    let (address, _) = address.split_once('/').unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(
            b"GET /Development HTTP/1.1\r\nHost: x\r\nX-Player-Id: p\r\nUpgrade: websocket\r\n\
              Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
              Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        )
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test]
async fn no_process_outlives_the_stack_however_it_ends() {
    for signal in ["-KILL", "-TERM"] {
        let bin = echo();
        let arguments = ["--lambda", "process", "--lambda-bin", bin.to_str().unwrap()];
        let mut backend = Backend::start(&arguments, "");
        assert!(knock(&backend).starts_with("HTTP/1.1 500"));
        let children = children_of(backend.child().id());
        assert_eq!(children.len(), 1, "the authorizer's environment");
        frozen(children[0]).await;
        let id = backend.child().id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        gone(children[0]).await;
    }
}

#[tokio::test]
async fn functions_find_the_deployment_in_their_environment() {
    let bin = echo();
    let arguments =
        ["--lambda", "process", "--lambda-bin", bin.to_str().unwrap(), "--lambda-env", "EXTRA=a=b"];
    let mut backend = Backend::start(&[&arguments[..], &["--layout", "single"]].concat(), "");
    knock(&backend);
    let child = Process::new(children_of(backend.child().id())[0]).unwrap();
    let environment = child.environ().unwrap();
    let of = |name: &str| environment.get(&OsString::from(name)).unwrap().to_str().unwrap().to_owned();
    assert_eq!(of(variables::table(Table::Connections)), "reference-Development-Connections");
    assert_eq!(of(variables::QUEUE), "reference-Development-Queue");
    assert!(!environment.contains_key(&OsString::from(variables::FUNCTION)), "each event tells");
    assert_eq!(
        (of(variables::GAME), of(variables::STAGE), of(variables::AUTH)),
        ("reference".into(), "Development".into(), "header".into())
    );
    assert_eq!(of(variables::ALGORITHM), "ES256");
    assert_eq!(of(variables::JWKS_URL), format!("{}/.well-known/jwks.json", backend.endpoints.identity));
    assert_eq!(of(variables::MANAGEMENT), backend.endpoints.management);
    assert_eq!((of("EXTRA"), of("_HANDLER")), ("a=b".into(), "Backend".into()));
    assert_eq!(of("AWS_LAMBDA_FUNCTION_NAME"), "reference-Development-Backend");
}
