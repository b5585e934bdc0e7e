//! `serve --data`: what was acknowledged is there again, and what was not delivered is delivered, whatever ended the
//! process before.

use std::collections::HashSet;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::common::players::{PATIENCE, Socket, connect, dynamodb, in_time, push, say};
use crate::common::{Backend, serve};
use futures_util::{SinkExt as _, StreamExt as _};
use reference_backend::function::{Deployment, Table};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

fn pid(backend: &mut Backend) -> Pid {
    Pid::from_raw(i32::try_from(backend.child().id()).unwrap()).unwrap()
}

/// Ends a backend and waits for that; returns its exit code, if it had time for one.
async fn end(backend: &mut Backend, signal: Signal) -> Option<i32> {
    kill_process(pid(backend), signal).unwrap();
    let begin = Instant::now();
    loop {
        if let Some(status) = backend.child().try_wait().unwrap() {
            return status.code();
        }
        assert!(begin.elapsed() < PATIENCE, "it should have ended");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn message(id: usize, to: &[&str], text: &str) -> Value {
    json!({ "route": "sendMessage", "id": id, "body": { "playerIds": to, "message": text } })
}

/// Texts of all messages that the table has for a player.
async fn stored(backend: &Backend, player: &str) -> HashSet<String> {
    let query = json!({
        "TableName": Deployment::default().table_name(Table::Messages),
        "IndexName": Table::Messages.index_name(),
        "KeyConditionExpression": "recipientId = :player",
        "ExpressionAttributeValues": { ":player": { "S": player } },
    });
    let answer = dynamodb(backend, "Query", query).await;
    let items = answer["Items"].as_array().unwrap_or_else(|| panic!("{answer}"));
    items.iter().map(|item| item["message"]["S"].as_str().unwrap().to_owned()).collect()
}

/// Whether a player has a connection on record.
async fn registered(backend: &Backend, player: &str) -> bool {
    let table = Deployment::default().table_name(Table::Connections);
    let answer =
        dynamodb(backend, "GetItem", json!({ "TableName": table, "Key": { "playerId": { "S": player } } }))
            .await;
    answer.get("Item").is_some()
}

/// Has a player's connection on record begin a minute earlier: a younger one may still be opening.
async fn a_minute_ago(backend: &Backend, player: &str) {
    let table = Deployment::default().table_name(Table::Connections);
    let key = json!({ "TableName": table, "Key": { "playerId": { "S": player } } });
    let mut item = dynamodb(backend, "GetItem", key).await["Item"].take();
    let at: i64 = item["connectedAt"]["N"].as_str().unwrap().parse().unwrap();
    item["connectedAt"]["N"] = json!((at - 60_000).to_string());
    dynamodb(backend, "PutItem", json!({ "TableName": table, "Item": item })).await;
}

type Seen = Arc<Mutex<HashSet<(&'static str, String)>>>;

/// Notes the messages that a player gets, for as long as the connection lasts.
async fn collect(player: &'static str, mut socket: Socket, seen: Seen) {
    while let Some(Ok(frame)) = socket.next().await {
        let frame: Value = serde_json::from_str(frame.to_text().unwrap_or_default()).unwrap_or_default();
        if frame["type"] == "message" {
            seen.lock().unwrap().insert((player, frame["message"].as_str().unwrap().to_owned()));
        }
    }
}

const PLAYERS: [&str; 4] = ["p0", "p1", "p2", "p3"];
/// Slow enough that there is always something undelivered.
const SLOW_STREAM: &str = "[streams]\npoll_interval_ms = 400";

async fn listen(backend: &Backend, seen: &Seen) -> Vec<tokio::task::JoinHandle<()>> {
    let mut listening = Vec::new();
    for player in PLAYERS {
        let socket = connect(backend, player).await.unwrap();
        listening.push(tokio::spawn(collect(player, socket, Arc::clone(seen))));
    }
    listening
}

/// Sends many messages at once, kills the backend after so many acknowledgements, and returns the texts of all that
/// were seen to be acknowledged.
async fn send_and_kill(backend: &mut Backend, round: usize, acknowledgements: usize) -> Vec<String> {
    let text = |id: u64| format!("{round}/{id}");
    let (mut out, mut back) = connect(backend, "sender").await.unwrap().split();
    let sending = tokio::spawn(async move {
        for id in 0..400 {
            let frame = message(id, &PLAYERS, &format!("{round}/{id}"));
            if out.send(Message::text(frame.to_string())).await.is_err() {
                return;
            }
        }
    });
    let mut acknowledged = Vec::new();
    while let Some(Ok(frame)) = in_time("an acknowledgement", back.next()).await {
        let frame: Value = serde_json::from_str(frame.to_text().unwrap_or_default()).unwrap_or_default();
        if frame["type"] == "ack" {
            assert_eq!(frame["statusCode"], 200, "{frame}");
            acknowledged.push(text(frame["id"].as_u64().unwrap()));
        }
        if acknowledged.len() == acknowledgements {
            // Those that are on their way to the client count, too.
            kill_process(pid(backend), Signal::KILL).unwrap();
        }
    }
    sending.await.unwrap();
    backend.child().wait().unwrap();
    acknowledged
}

async fn nothing_acknowledged_is_lost(arguments: &[&str]) {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("tables");
    let arguments = [&["--data", data.to_str().unwrap(), "--data-wait", "120"], arguments].concat();
    let (mut acknowledged, mut undelivered, seen) = (Vec::new(), 0, Seen::default());
    let lacking = |acknowledged: &[String], seen: &Seen| {
        let seen = seen.lock().unwrap();
        let wanted = acknowledged.iter().flat_map(|text| PLAYERS.map(|player| (player, text.clone())));
        wanted.filter(|one| !seen.contains(one)).count()
    };
    for round in 0..3 {
        let mut backend = Backend::start(&arguments, SLOW_STREAM);
        let listening = listen(&backend, &seen).await;
        acknowledged.extend(send_and_kill(&mut backend, round, 40 + 60 * round).await);
        for player in listening {
            in_time("the end of a connection", player).await.unwrap();
        }
        undelivered += lacking(&acknowledged, &seen);
    }
    assert!(undelivered > 0, "the process was to end in the middle of its work");

    let backend = Backend::start(&arguments, SLOW_STREAM);
    for player in PLAYERS {
        let stored = stored(&backend, player).await;
        let lost: Vec<_> = acknowledged.iter().filter(|text| !stored.contains(*text)).collect();
        assert!(lost.is_empty(), "{player}: {lost:?}");
    }
    let listening = listen(&backend, &seen).await;
    let begin = Instant::now();
    while lacking(&acknowledged, &seen) > 0 {
        assert!(begin.elapsed() < PATIENCE, "{} are not delivered", lacking(&acknowledged, &seen));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(backend);
    for player in listening {
        in_time("the end of a connection", player).await.unwrap();
    }
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_by_kill_9() {
    nothing_acknowledged_is_lost(&[]).await;
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_behind_front_doors() {
    nothing_acknowledged_is_lost(&["--front-doors", "2"]).await;
}

#[tokio::test]
async fn what_a_stop_leaves_undelivered_is_delivered_by_the_next_process() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["--data", directory.path().to_str().unwrap()];
    // A long poll interval would not do: the first poll may come after the message.
    let mut backend = Backend::start(&arguments, "[lambda.functions.OnMessageInserted]\nthrottle_rate = 1.0");
    let mut ann = connect(&backend, "ann").await.unwrap();
    say(&mut ann, &message(1, &["ann"], "to be continued")).await;
    assert_eq!(push(&mut ann, "ack").await["statusCode"], 200);
    assert_eq!(end(&mut backend, Signal::TERM).await, Some(0));

    let mut backend = Backend::start(&arguments, "");
    let mut ann = connect(&backend, "ann").await.unwrap();
    assert_eq!(push(&mut ann, "message").await["message"], "to be continued");
    say(&mut ann, &message(2, &["ann"], "the end")).await;
    assert_eq!(push(&mut ann, "message").await["message"], "the end");
    assert_eq!(end(&mut backend, Signal::TERM).await, Some(0));

    let backend = Backend::start(&arguments, "");
    let mut ann = connect(&backend, "ann").await.unwrap();
    say(&mut ann, &message(3, &["ann"], "an encore")).await;
    assert_eq!(
        push(&mut ann, "message").await["message"],
        "an encore",
        "what was delivered does not come again"
    );
    assert_eq!(stored(&backend, "ann").await.len(), 3);
}

#[tokio::test]
async fn a_connection_of_the_killed_process_is_gone_and_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["--data", directory.path().to_str().unwrap(), "--data-wait", "0"];
    let mut backend = Backend::start(&arguments, "");
    let _lost = connect(&backend, "lost").await.unwrap();
    let mut ann = connect(&backend, "ann").await.unwrap();
    end(&mut backend, Signal::KILL).await;
    assert!(ann.next().await.is_none_or(|frame| frame.is_err()));

    let backend = Backend::start(&arguments, "");
    let mut ann = connect(&backend, "ann").await.unwrap();
    a_minute_ago(&backend, "lost").await;
    say(&mut ann, &message(1, &["lost", "ann"], "first")).await;
    assert_eq!(push(&mut ann, "message").await["message"], "first");
    let begin = Instant::now();
    while registered(&backend, "lost").await {
        assert!(begin.elapsed() < PATIENCE, "a push to it should have been refused");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    say(&mut ann, &message(2, &["lost", "ann"], "second")).await;
    assert_eq!(push(&mut ann, "message").await["message"], "second");
    assert_eq!(stored(&backend, "lost").await, HashSet::from(["first".to_owned()]));
}

#[tokio::test]
async fn a_placement_that_was_pending_still_comes_to_an_end() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["--data", directory.path().to_str().unwrap()];
    let slow = "[gamelift]\nplacement = { p50_ms = 60000 }\nqueue_timeout_s = 600";
    let mut backend = Backend::start(&arguments, slow);
    let mut ann = connect(&backend, "ann").await.unwrap();
    say(&mut ann, &json!({ "route": "sessionPlacementRequest", "id": 1, "body": {} })).await;
    let asked = push(&mut ann, "ack").await;
    assert_eq!(asked["body"]["status"], "PENDING", "{asked}");
    end(&mut backend, Signal::KILL).await;

    let backend = Backend::start(&arguments, "");
    let mut ann = connect(&backend, "ann").await.unwrap();
    let outcome = push(&mut ann, "placement").await;
    assert_eq!(outcome["placementId"], asked["body"]["placementId"]);
    assert_eq!(outcome["status"], "FULFILLED");
}

/// A disk that is full, as the system tells it: no file may grow beyond this.
const ROOM: u64 = 100_000;

#[tokio::test]
async fn a_full_disk_refuses_writes_and_loses_none_that_were_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["--data", directory.path().to_str().unwrap()];
    let (inner, profile) = serve(&arguments, "");
    // Without this, the system ends a process that writes too much.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"]).arg(inner.get_program()).args(inner.get_args());
    command.env("RUST_LOG", "error").stderr(Stdio::piped());
    let mut backend = Backend::from(command, profile);
    let mut stderr = backend.child().stderr.take().unwrap();
    let maximum = getrlimit(Resource::Fsize).maximum;
    prlimit(Some(pid(&mut backend)), Resource::Fsize, Rlimit { current: Some(ROOM), maximum }).unwrap();

    let mut ann = connect(&backend, "ann").await.unwrap();
    let mut acknowledged = Vec::new();
    let refused = loop {
        let text = acknowledged.len().to_string();
        say(&mut ann, &message(acknowledged.len(), &["ann"], &text)).await;
        let answer = push(&mut ann, "ack").await;
        if answer["statusCode"] != 200 {
            break answer;
        }
        acknowledged.push(text);
        assert!((acknowledged.len() as u64) < ROOM, "it is never full");
    };
    assert!(!acknowledged.is_empty());
    assert_eq!(refused["statusCode"], 500, "{refused}");
    say(&mut ann, &message(0, &["ann"], "again")).await;
    assert_eq!(push(&mut ann, "ack").await["statusCode"], 500, "it stays so");
    let before = stored(&backend, "ann").await;
    assert!(acknowledged.iter().all(|text| before.contains(text)), "what is there can still be read");
    end(&mut backend, Signal::KILL).await;
    let mut said = String::new();
    stderr.read_to_string(&mut said).unwrap();
    assert!(said.contains("writes can no longer be kept and are refused from now on"), "{said}");

    let backend = Backend::start(&arguments, "");
    let after = stored(&backend, "ann").await;
    let lost: Vec<_> = acknowledged.iter().filter(|text| !after.contains(*text)).collect();
    assert!(lost.is_empty(), "{lost:?}");
    let mut ann = connect(&backend, "ann").await.unwrap();
    say(&mut ann, &message(1, &["ann"], "room again")).await;
    assert_eq!(push(&mut ann, "ack").await["statusCode"], 200);
}

/// Exit code and words of a start that must fail, before anything is announced.
fn refused(data: &Path, more: &[&str]) -> (Option<i32>, String) {
    let (mut command, _profile) = serve(&[&["--data", data.to_str().unwrap()], more].concat(), "");
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.stdout.is_empty(), "nothing is announced");
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[tokio::test]
async fn a_directory_that_cannot_be_used_is_refused_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("tables");
    let mut backend = Backend::start(&["--data", data.to_str().unwrap()], "");
    let (code, text) = refused(&data, &[]);
    assert_eq!(code, Some(1));
    assert!(text.contains("is in use by another process"), "{text}");
    // The first one has taken no harm.
    let mut ann = connect(&backend, "ann").await.unwrap();
    say(&mut ann, &message(1, &["ann"], "hi")).await;
    assert_eq!(push(&mut ann, "message").await["message"], "hi");
    end(&mut backend, Signal::KILL).await;

    let (code, text) = refused(&data, &["--game", "other"]);
    assert_eq!(code, Some(2));
    assert!(text.contains("the tables of reference-Development, not of other-Development"), "{text}");

    std::fs::write(data.join("version"), b"FJL\x02").unwrap();
    let (code, text) = refused(&data, &[]);
    assert_eq!(code, Some(2));
    assert!(text.contains("and this version reads format"), "{text}");

    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let (code, text) = refused(&file, &[]);
    assert_eq!(code, Some(1));
    assert!(text.contains("give a directory that can be written to"), "{text}");

    let (code, _) = refused(&data, &["--data-wait", "soon"]);
    assert_eq!(code, Some(2));
}
