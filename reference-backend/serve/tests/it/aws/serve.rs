//! `serve --dynamodb`, the real binary over DynamoDB Local.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;

use procfs::process::{Process, all_processes};
use reference_backend::variables;

use super::dynamodb_local::dynamodb_local;
use crate::common::{Backend, serve};

#[test]
fn messages_and_placements_go_through_dynamodb_and_its_streams() {
    let local = dynamodb_local();
    let backend = Backend::start(&["--game", "played", "--dynamodb", &local.url], "");
    assert_eq!(backend.endpoints.dynamodb, local.url, "the ready line says whose tables they are");
    backend.python("dynamodb.py", "deployed");
    backend.python("dynamodb.py", "play");
}

#[test]
fn records_outlive_the_stack() {
    let local = dynamodb_local();
    let arguments = ["--game", "restarted", "--dynamodb", &local.url];
    let mut killed = Backend::start(&arguments, "");
    killed.python("dynamodb.py", "leave");
    killed.child().kill().unwrap();
    killed.child().wait().unwrap();
    Backend::start(&arguments, "").python("dynamodb.py", "find");
}

/// Waits for the end of `serve` with these arguments; its exit code and what it said.
fn refused(arguments: &[&str], profile: &str) -> (Option<i32>, String) {
    let (mut command, _profile) = serve(arguments, profile);
    // No account of whoever runs the tests.
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"] {
        command.env_remove(name);
    }
    let command = command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    let command = command.env("AWS_EC2_METADATA_DISABLED", "true").env_remove("AWS_REGION");
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.stdout.is_empty(), "nothing is announced");
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn what_cannot_be_is_refused_with_a_remedy() {
    let fault = "[tables]\nthrottle_rate = 0.1";
    for (url, profile, code, remedy) in [
        ("http://127.0.0.1:1", fault, 2, "throttle_rate"),
        ("http://127.0.0.1:1/shell", "", 2, "scheme, host and port only"),
        ("ftp://127.0.0.1:1", "", 2, "http or https"),
        ("http://127.0.0.1:1", "", 1, "is there a DynamoDB at http://127.0.0.1:1/?"),
        ("https://dynamodb.eu-west-1.amazonaws.com", "", 2, "AWS_PROFILE"),
    ] {
        let (status, error) = refused(&["--dynamodb", url], profile);
        assert_eq!(status, Some(code), "{url}: {error}");
        assert!(error.contains(remedy), "{url}: {error}");
    }
}

#[tokio::test]
async fn a_table_of_another_kind_is_left_alone() {
    use aws_sdk_dynamodb::types::{
        AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    };
    let local = dynamodb_local();
    let client = aws_sdk_dynamodb::Client::new(&super::config(Some(&local.url)).await);
    let attribute =
        AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S).build();
    let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash).build();
    let request = client.create_table().table_name("other-Development-Messages");
    let request = request.attribute_definitions(attribute.unwrap()).key_schema(key.unwrap());
    request.billing_mode(BillingMode::PayPerRequest).send().await.unwrap();
    let (status, error) = refused(&["--game", "other", "--dynamodb", &local.url], "");
    assert_eq!(status, Some(1), "{error}");
    assert!(error.contains("other-Development-Messages") && error.contains("--game"), "{error}");
}

#[test]
fn functions_in_processes_are_told_whose_tables_they_use() {
    let local = dynamodb_local();
    let own = std::env::current_exe().unwrap();
    let echo = own.ancestors().nth(2).unwrap().join("examples/echo_lambda");
    assert!(echo.exists(), "build it first: cargo build --release -p reference-backend-serve --examples");
    let bin = echo.to_str().unwrap();
    let arguments =
        ["--game", "processes", "--dynamodb", &local.url, "--lambda", "process", "--lambda-bin", bin];
    let mut backend = Backend::start(&arguments, "");
    // A handshake starts the authorizer; what it answers does not matter.
    let address = backend.endpoints.websocket.trim_start_matches("ws://").split('/').next().unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(KNOCK).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
    let parent = i32::try_from(backend.child().id()).unwrap();
    let stats = all_processes().unwrap().filter_map(|process| process.ok()?.stat().ok());
    let child = stats.filter(|stat| stat.ppid == parent).map(|stat| stat.pid).next().unwrap();
    let environment = Process::new(child).unwrap().environ().unwrap();
    let of = |name: &str| environment.get(&OsString::from(name)).unwrap().to_str().unwrap().to_owned();
    assert_eq!(of(variables::DYNAMODB), local.url);
    assert_eq!(of("AWS_ACCESS_KEY_ID"), "local");
    assert_eq!(of("MESSAGES_TABLE"), "processes-Development-Messages");
}

/// A handshake.
const KNOCK: &[u8] = b"GET /Development HTTP/1.1\r\nHost: x\r\nX-Player-Id: p\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
