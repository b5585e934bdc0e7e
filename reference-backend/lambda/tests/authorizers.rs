//! The executable that is deployed as authorizer and `$connect`, in a process of its own: it asks the local provider over
//! HTTP as it would ask the real one, and gets what it needs from its environment alone.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderName;
use tokio_tungstenite::tungstenite::{Error, Message};

/// A running stack whose functions are processes; it ends with the test, and they with it.
struct Stack {
    child: Child,
    endpoints: Value,
    http: reqwest::Client,
}

impl Drop for Stack {
    fn drop(&mut self) {
        // It may have ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Stack {
    fn start(auth: &str) -> Self {
        let program =
            PathBuf::from(env!("CARGO_BIN_EXE_reference-lambda")).with_file_name("reference-backend");
        assert!(program.exists(), "build it first: cargo build --release -p reference-backend");
        let mut child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--auth", auth, "--exit-with-parent"])
            .args(["--lambda", "process", "--lambda-bin", env!("CARGO_BIN_EXE_reference-lambda")])
            .env("RUST_LOG", "error")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let endpoints = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        Self { child, endpoints, http: reqwest::Client::new() }
    }

    fn url(&self, endpoint: &str) -> &str {
        self.endpoints[endpoint].as_str().unwrap()
    }

    async fn ask(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.url("identity"));
        self.http.post(url).json(body).send().await.unwrap().json().await.unwrap()
    }

    async fn credential(&self, path: &str, body: &Value) -> String {
        self.ask(path, body).await["token"].as_str().unwrap().to_owned()
    }

    /// Who the player on a socket with these headers is, or the status of the refusal.
    async fn who(&self, headers: &[(String, String)], player: &str) -> Result<String, u16> {
        let mut request = self.url("websocket").into_client_request().unwrap();
        for (name, value) in headers {
            request
                .headers_mut()
                .insert(HeaderName::try_from(name.as_str()).unwrap(), value.parse().unwrap());
        }
        let address = format!("{}:{}", request.uri().host().unwrap(), request.uri().port_u16().unwrap());
        let mut socket = match client_async(request, TcpStream::connect(address).await.unwrap()).await {
            Ok((socket, _)) => socket,
            Err(Error::Http(response)) => return Err(response.status().as_u16()),
            Err(other) => panic!("{other}"),
        };
        let frame = json!({ "route": "sendMessage", "body": { "playerIds": [player], "message": "x" } });
        socket.send(Message::text(frame.to_string())).await.unwrap();
        loop {
            let frame = tokio::time::timeout(Duration::from_secs(60), socket.next()).await.unwrap();
            let frame: Value =
                serde_json::from_str(frame.unwrap().unwrap().to_text().unwrap()).unwrap_or_default();
            if frame["type"] == "message" {
                return Ok(frame["senderId"].as_str().unwrap().to_owned());
            }
        }
    }

    async fn shows(&self, credential: &str) -> Result<String, u16> {
        self.who(&[("authorization".into(), format!("Bearer {credential}"))], "ann").await
    }
}

#[tokio::test]
async fn tokens_are_checked_with_keys_that_rotate() {
    let (stack, ann) = (Stack::start("token"), json!({ "playerId": "ann" }));
    let old = stack.credential("/token", &ann).await;
    assert_eq!(stack.shows(&old).await.as_deref(), Ok("ann"));
    stack.ask("/keys/rotate", &json!({})).await;
    let new = stack.credential("/token", &ann).await;
    assert_eq!(stack.shows(&new).await.as_deref(), Ok("ann"), "at once");
    assert_eq!(stack.shows(&old).await.as_deref(), Ok("ann"), "still published");
    assert_eq!(stack.shows("nonsense").await, Err(403));
}

#[tokio::test]
async fn tickets_are_checked_by_asking_steam() {
    let stack = Stack::start("steam");
    let ticket = stack.credential("/steam/token", &json!({ "playerId": "ann" })).await;
    assert_eq!(stack.shows(&ticket).await.as_deref(), Ok("ann"));
    let banned = json!({ "playerId": "ann", "bans": { "vacBanned": true } });
    for wrong in [stack.credential("/steam/token", &banned).await, ticket[2..].to_owned(), "nonsense".into()]
    {
        assert_eq!(stack.shows(&wrong).await, Err(403));
    }
}

#[tokio::test]
async fn signatures_need_no_authorizer() {
    let stack = Stack::start("iam");
    let signed = |secret: &str, player: Option<&str>| {
        let identity = Credentials::new("local", secret, None, None, "test").into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region("eu-west-1")
            .name("execute-api")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let headers: Vec<_> = player.map(|player| ("x-player-id", player)).into_iter().collect();
        let url = stack.url("websocket");
        let request = SignableRequest::new("GET", url, headers.iter().copied(), SignableBody::Bytes(b""));
        let (instructions, _) = sign(request.unwrap(), &parameters).unwrap().into_parts();
        let added = instructions.headers().chain(headers);
        added.map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(stack.who(&signed("local", Some("ann")), "ann").await.as_deref(), Ok("ann"));
    assert_eq!(stack.who(&signed("local", None), "ann").await, Err(403), "signed, but nobody");
    assert_eq!(stack.who(&signed("guess", Some("ann")), "ann").await, Err(403));
}
