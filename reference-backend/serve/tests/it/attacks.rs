//! What a hostile client, or a page in a browser, tries on the real binary. Where the harm is memory, it is read from
//! `/proc`.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::common::Backend;
use crate::common::players::{PATIENCE, Socket, connect, in_time, push, say};

const MIB: u64 = 1_024 * 1_024;

/// Memory of the backend's process at its highest, so far.
fn peak(backend: &mut Backend) -> u64 {
    let process = procfs::process::Process::new(i32::try_from(backend.child().id()).unwrap()).unwrap();
    process.status().unwrap().vmhwm.unwrap() * 1_024
}

fn address(url: &str) -> SocketAddr {
    url.split('/').nth(2).unwrap().parse().unwrap()
}

/// An open socket of a player, as the bytes that it is.
fn raw(backend: &Backend, player: &str) -> TcpStream {
    let url = &backend.endpoints.websocket;
    let mut stream = TcpStream::connect(address(url)).unwrap();
    let head = format!(
        "GET /Development HTTP/1.1\r\nHost: {}\r\nX-Player-Id: {player}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        address(url)
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
    stream
}

async fn pings_without_reading(arguments: &[&str]) {
    let mut backend = Backend::start(arguments, "");
    let mut attacker = raw(&backend, "mallory");
    let before = peak(&mut backend);
    // Masked with zeros; as long as a control frame may be.
    let ping = [&[0x89, 0x80 | 125, 0, 0, 0, 0][..], &[b'x'; 125]].concat();
    let flood = ping.repeat(1_000);
    attacker.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    let mut sent = 0;
    // The end that is hoped for: the backend reads no more, and this side can write no more.
    let stopped = loop {
        match attacker.write(&flood) {
            Ok(bytes) => sent += bytes as u64,
            Err(error) => break error,
        }
        if sent > 200 * MIB {
            break ErrorKind::Other.into();
        }
    };
    assert!(
        matches!(stopped.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        "{sent} bytes of pings were taken: {stopped}"
    );
    let grown = peak(&mut backend) - before;
    assert!(grown < 16 * MIB, "{grown} bytes for {sent} bytes of pings");
    // Who reads again is served again, and so is everybody else.
    attacker.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut pong = [0; 127];
    attacker.read_exact(&mut pong).unwrap();
    assert_eq!(pong[..2], [0x8a, 125]);
    let mut ann = connect(&backend, "ann").await.unwrap();
    ann.send(Message::Ping("here".into())).await.unwrap();
    assert_eq!(in_time("a pong", ann.next()).await.unwrap().unwrap(), Message::Pong("here".into()));
}

#[tokio::test]
async fn pings_without_reading_cost_no_memory() {
    pings_without_reading(&[]).await;
}

#[tokio::test]
async fn pings_without_reading_cost_no_memory_behind_a_front_door() {
    pings_without_reading(&["--front-doors", "1"]).await;
}

fn message(id: usize, to: &[&str], text: &str) -> Value {
    json!({ "route": "sendMessage", "id": id, "body": { "playerIds": to, "message": text } })
}

/// One shard, so that there is no way around.
#[tokio::test]
async fn a_player_who_never_reads_keeps_nobody_waiting() {
    let profile = "[tables]\nstream_shards = 1\n[gateway]\noutgoing_bytes_per_connection = 40000";
    let backend = Backend::start(&[], profile);
    let mute = raw(&backend, "mute");
    let mut ann = connect(&backend, "ann").await.unwrap();
    let long = "x".repeat(30_000);
    // What the kernel keeps for a socket that is not read is some megabytes; then the gateway's own room is full.
    for id in 0..500 {
        say(&mut ann, &message(id, &["mute"], &long)).await;
        assert_eq!(push(&mut ann, "ack").await["statusCode"], 200);
    }
    let begin = Instant::now();
    for id in 500..540 {
        let text = id.to_string();
        say(&mut ann, &message(id, &["mute", "ann"], &format!("{text} {long}"))).await;
        let got = push(&mut ann, "message").await;
        assert!(got["message"].as_str().unwrap().starts_with(&text), "in order");
    }
    assert!(begin.elapsed() < PATIENCE, "40 messages took {:?}", begin.elapsed());
    drop(mute);
}

#[tokio::test]
async fn a_large_fan_out_costs_no_more_than_it_may() {
    let mut backend = Backend::start(&[], "");
    let players: Vec<String> = (0..400).map(|player| format!("p{player}")).collect();
    let mut sockets: Vec<Socket> = Vec::new();
    for player in &players {
        sockets.push(connect(&backend, player).await.unwrap());
    }
    let before = peak(&mut backend);
    let to: Vec<&str> = players.iter().map(String::as_str).collect();
    for id in 0..10 {
        // A message of several frames, each as long as it may be.
        let text = message(id, &to, &"x".repeat(110_000)).to_string();
        let mut frames = text.as_bytes().chunks(32_000).peekable();
        let mut first = true;
        while let Some(frame) = frames.next() {
            use tokio_tungstenite::tungstenite::protocol::frame::Frame;
            use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
            let code = if first { Data::Text } else { Data::Continue };
            first = false;
            let frame = Frame::message(frame.to_vec(), OpCode::Data(code), frames.peek().is_none());
            sockets[0].send(Message::Frame(frame)).await.unwrap();
        }
        let answer = push(&mut sockets[0], "ack").await;
        assert_eq!(answer["statusCode"], 413, "{answer}");
        assert!(
            answer["body"].as_str().unwrap().starts_with("Message Too Large [400 recipients"),
            "{answer}"
        );
    }
    let grown = peak(&mut backend) - before;
    assert!(grown < 48 * MIB, "{grown} bytes");
}

#[tokio::test]
async fn a_path_of_wildcards_is_only_long() {
    let backend = Backend::start(&[], "");
    let status = async |path: &str| {
        let url = format!("{}/placements/{path}", backend.endpoints.rest);
        let request = reqwest::Client::new().get(url).header("x-player-id", "ann");
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(status(&"*".repeat(60_000)).await, 414);
    assert_eq!(status(&"*".repeat(3_000)).await, 404, "a wildcard in its own policy");
    assert_eq!(status(&"x".repeat(2_049)).await, 404, "no key of DynamoDB");
    assert_eq!(status("none").await, 404);
}

#[tokio::test]
async fn a_recipient_whose_id_is_too_long_is_nobody() {
    let backend = Backend::start(&[], "");
    let mut ann = connect(&backend, "ann").await.unwrap();
    say(&mut ann, &message(1, &[&"x".repeat(2_049), "", "ann"], "hi")).await;
    assert_eq!(push(&mut ann, "message").await["message"], "hi");
    let long = "x".repeat(2_049);
    let refused = connect(&backend, &long).await.unwrap_err();
    assert!(refused.to_string().contains("403"), "{refused}");
}

#[tokio::test]
async fn any_token_of_a_page_is_answered() {
    let backend = Backend::start(&[], "");
    // Base64 of 18446744073709551615.
    let token = "MTg0NDY3NDQwNzM3MDk1NTE2MTU";
    let stat = json!({ "Metric": { "Namespace": "N", "MetricName": "M" }, "Period": 60, "Stat": "Sum" });
    let query = json!([{ "Id": "a", "MetricStat": stat }]);
    for (operation, parameters) in [
        ("ListMetrics", json!({ "NextToken": token })),
        (
            "GetMetricData",
            json!({ "NextToken": token, "StartTime": 0, "EndTime": 60, "MetricDataQueries": query }),
        ),
    ] {
        let request = reqwest::Client::new()
            .post(&backend.endpoints.cloudwatch)
            .header("x-amz-target", format!("GraniteServiceVersion20100801.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            .body(parameters.to_string());
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 400, "{operation}");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["__type"], "InvalidNextToken", "{operation}: {body}");
    }
}

/// Status of a request to the control plane, with headers that a browser would send.
async fn asked(backend: &Backend, method: &str, path: &str, headers: &[(&str, &str)]) -> u16 {
    let url = format!("{}{path}", backend.endpoints.cloudwatch);
    let mut request = reqwest::Client::new().request(method.parse().unwrap(), url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let json = request.header("content-type", "application/json").body(r#"{"playerId":"ann"}"#);
    json.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn pages_in_a_browser_do_not_reach_the_control_plane() {
    let backend = Backend::start(&["--allow-host", "backend.test"], "");
    let everything = [
        ("POST", "/"),
        ("POST", "/service/GraniteServiceVersion20100801/operation/ListMetrics"),
        ("POST", "/service/GameLift/operation/StartGameSessionPlacement"),
        ("POST", "/Development/@connections/eHrdFcnvvHcCE-w="),
        ("GET", "/Development/@connections/eHrdFcnvvHcCE-w="),
        ("DELETE", "/Development/@connections/eHrdFcnvvHcCE-w="),
        ("POST", "/token"),
        ("POST", "/tokens"),
        ("POST", "/keys/rotate"),
        ("POST", "/steam/token"),
        ("POST", "/steam/tokens"),
        ("GET", "/.well-known/jwks.json"),
        ("GET", "/ISteamUserAuth/AuthenticateUserTicket/v1/"),
        ("GET", "/faults"),
    ];
    for (method, path) in everything {
        for foreign in [
            &[("host", "rebound.example:8081")][..],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
            &[("sec-fetch-site", "cross-site")],
        ] {
            let status = asked(&backend, method, path, foreign).await;
            assert_eq!(status, 403, "{method} {path} {foreign:?}");
        }
    }
    for own in [
        &[][..],
        &[("host", "localhost:1")],
        &[("host", "backend.test")],
        &[("origin", "http://localhost:3000"), ("sec-fetch-site", "same-site")],
    ] {
        assert_eq!(asked(&backend, "GET", "/faults", own).await, 200, "{own:?}");
        assert_eq!(asked(&backend, "POST", "/token", own).await, 200, "{own:?}");
    }
}

/// Sockets and the REST API are for whoever has credentials, which a page of another site has not: a browser game may be
/// tested from wherever it is served, as on AWS.
#[tokio::test]
async fn players_come_from_any_origin() {
    let backend = Backend::start(&[], "");
    let headers = [("x-player-id", "ann"), ("origin", "https://game.example"), ("host", "game.example")];
    assert_eq!(asked(&backend, "GET", "/Development/placements/none", &headers).await, 404);
    let mut request = backend.endpoints.websocket.as_str().into_client_request().unwrap();
    request.headers_mut().insert("x-player-id", "ann".parse().unwrap());
    request.headers_mut().insert("origin", "https://game.example".parse().unwrap());
    let stream = tokio::net::TcpStream::connect(address(&backend.endpoints.websocket)).await.unwrap();
    client_async(request, stream).await.unwrap();
}

#[tokio::test]
async fn nobody_takes_for_ever_to_say_what_they_want() {
    let backend = Backend::start(&[], "[gateway]\nhandshake_timeout_s = 0.3");
    for url in [&backend.endpoints.websocket, &backend.endpoints.cloudwatch] {
        for start in ["", "GET /Develop", "GET /Development HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "] {
            let mut stream = TcpStream::connect(address(url)).unwrap();
            stream.write_all(start.as_bytes()).unwrap();
            stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
            let begin = Instant::now();
            let mut rest = [0; 1_024];
            loop {
                match stream.read(&mut rest) {
                    Ok(0) => break,
                    Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
                    Ok(_) => {}
                    // Drop by drop, so that it never rests.
                    Err(_) => drop(stream.write_all(if start.is_empty() { b"" } else { b"x" })),
                }
                assert!(begin.elapsed() < PATIENCE, "{url} still waits after {start:?}");
            }
        }
    }
    assert_eq!(asked(&backend, "GET", "/faults", &[]).await, 200);
}
