//! `loadgen protocol`: what can be named, what each says, and every mistake of a file.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Message, WebSocket};

use crate::common::LOADGEN;
use crate::common::raw::serve;

/// Exit code, standard output and standard error.
fn protocol(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(LOADGEN).arg("protocol").args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn json(arguments: &[&str]) -> (i32, Value) {
    let (exit, printed, _) = protocol(&[arguments, &["--json"]].concat());
    (exit, serde_json::from_str(&printed).unwrap())
}

#[test]
fn every_protocol_that_is_listed_can_be_shown_and_what_is_shown_is_a_file() {
    let (exit, listed) = json(&["list"]);
    assert_eq!(exit, 0);
    let names: Vec<_> =
        listed["protocols"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"reference") && names.len() >= 7, "{names:?}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    for name in names {
        let (exit, shown, _) = protocol(&["show", name]);
        assert_eq!(exit, 0, "{name}");
        std::fs::write(&file, &shown).unwrap();
        let (exit, checked) = json(&["check", file.to_str().unwrap()]);
        assert_eq!((exit, &checked["mistakes"]), (0, &Value::Array(Vec::new())), "{name}: {shown}");
        let (_, of_name) = json(&["show", name]);
        assert_eq!(checked["operations"], of_name["operations"]);
        assert!(shown.ends_with(of_name["file"].as_str().unwrap()));
    }
}

#[test]
fn what_the_reference_sends_and_awaits_is_said_in_sentences() {
    let (_, shown, _) = protocol(&["show", "reference"]);
    for said in [
        "#   It sends `{\"route\":\"sendMessage\",\"id\":\"1\",\"body\":{\"playerIds\":[\"player-1\",\"player-2\"],\"message\":\"lg1:00000001:0000000000000000:\"}}`.\n",
        "one with the request's number at /id where",
        "good where /statusCode is 200 to 299, failed otherwise; error class `status_${/statusCode}`",
        "#   Each player that it names is pushed `message`, linked to its send by the marker in its text: a message where",
        "the `placement` that the answer brought",
        "It is polled over REST: `POST /placements`, then",
    ] {
        assert!(shown.contains(said), "{said}\n{shown}");
    }
    let (_, opened, _) = protocol(&["check", "graphql-ws"]);
    for said in [
        "It offers the subprotocol `graphql-transport-ws`",
        "step `init` sends `{\"type\":\"connection_init\"}`, then awaits a message where /type is \"connection_ack\".",
        "does nothing for 300ms.",
        "A message where /type is \"ping\" is answered at once with `{\"type\":\"pong\"}`.",
        "Every 5m each socket sends `{\"type\":\"ping\"}`",
        "4406 is `subprotocol_not_acceptable` (its player stays away)",
    ] {
        assert!(opened.contains(said), "{said}\n{opened}");
    }
}

#[test]
fn every_mistake_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    let text =
        "name = \"mine\"\n[operations.say]\nsend = '{\"text\":\"${txt}\"}'\nanswer = { by = \"order\" }\n";
    std::fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let (exit, printed, told) = protocol(&["check", file]);
    assert_eq!((exit, printed.as_str()), (2, ""));
    for said in [
        "2 mistakes",
        "mine.toml:3:1: `operations.say.send`",
        "`${text}` is meant?",
        "mine.toml:4:1: `operations.say.answer`",
    ] {
        assert!(told.contains(said), "{said}\n{told}");
    }
    let (exit, told) = json(&["check", file]);
    assert_eq!((exit, told["mistakes"].as_array().unwrap().len()), (2, 2));
    assert_eq!(told["exit_code"], 2);
    let (exit, _, told) = protocol(&["show", "referense"]);
    assert!(exit == 2 && told.contains("did you mean `reference`?"), "{told}");
}

#[test]
fn the_schema_is_the_one_that_is_checked_in() {
    let (exit, printed, _) = protocol(&["schema"]);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/protocols/protocol.schema.json");
    assert_eq!((exit, printed), (0, std::fs::read_to_string(path).unwrap()));
}

#[test]
fn a_try_shows_every_message_with_what_it_was_taken_for() {
    let (exit, shown, told) = protocol(&["try", "reference", "--target", "embedded"]);
    assert_eq!(exit, 0, "{shown}{told}");
    for said in [
        "player 1  · connected",
        "player 1  → {\"route\":\"sendMessage\"",
        "send_message, message 1",
        "answer to send_message (by id 1; rule operations.send_message.answer)",
        "push message of player 1's send_message (by the marker; rule operations.send_message.push.when)",
        "push placement of player 1's placement_request (by its placement; rule",
        "player 1  → POST /placements",
        "placement_poll is settled",
        "Everything that was expected came: 4 answers and 2 pushes.",
    ] {
        assert!(shown.contains(said), "{said}\n{shown}");
    }
    assert!(!shown.contains("unclassified"), "{shown}");
}

#[test]
fn a_try_says_what_did_not_come_and_prints_no_credential() {
    let token = "MARKERtokenOFaPLAYER0123456789";
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens.jsonl");
    std::fs::write(&tokens, format!("{{\"token\":\"{token}a\"}}\n{{\"token\":\"{token}b\"}}\n")).unwrap();
    let file = folder.path().join("mine.toml");
    let text = "name = \"mine\"\n[operations.say]\nsend = '{\"id\":${id},\"token\":\"${token}\"}'\n\
                answer = { by = \"id\", at = \"/id\" }\n\
                [[replies]]\nwhen = { \"/type\" = \"ping\" }\nsend = '{\"type\":\"pong\"}'\n";
    std::fs::write(&file, text).unwrap();
    // It sends the token back, in something that the protocol does not know.
    let address = serve(move |guest| {
        let mut socket = WebSocket::from_raw_socket(guest.accept(), Role::Server, None);
        let _ = socket.send(Message::text("{\"type\":\"ping\"}"));
        while let Ok(message) = socket.read() {
            if let Message::Text(text) = message {
                let _ = socket.send(Message::text(format!("{{\"unknown\":{text}}}")));
            }
        }
    });
    let tokens = format!("auth.feeder.file={}", tokens.display());
    let target = format!("ws://{address}/S");
    let arguments = [
        "try",
        file.to_str().unwrap(),
        "--target",
        &target,
        "--timeout",
        "1s",
        "--set",
        "auth.mode=token",
        "--set",
        &tokens,
    ];
    let (exit, shown, told) = protocol(&arguments);
    assert_eq!(exit, 3, "{shown}{told}");
    for said in [
        "answered at once (a rule of [[replies]])",
        "at once, as [[replies]] has it",
        "unclassified: no rule of the protocol takes it",
        "say of player 1 was not answered in time",
    ] {
        assert!(shown.contains(said), "{said}\n{shown}");
    }
    let (exit, lines, told) = protocol(&[&arguments[..], &["--json"]].concat());
    assert_eq!(exit, 3, "{lines}{told}");
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (outcome, messages) = lines.split_last().unwrap();
    assert_eq!((&outcome["exit_code"], outcome["missing"].as_array().unwrap().len()), (&Value::from(3), 1));
    assert!(messages.iter().any(|line| line["kind"] == "unclassified" && line["direction"] == "in"));
    let printed = format!("{shown}{told}{lines:?}");
    assert!(!printed.contains("MARKER") && printed.contains('…'), "{printed}");
}

#[test]
fn a_try_of_what_is_wrong_or_not_there_sends_nothing() {
    let (exit, _, told) = protocol(&["try", "referense", "--target", "embedded"]);
    assert!(exit == 2 && told.contains("did you mean `reference`?"), "{told}");
    let (exit, shown, told) =
        protocol(&["try", "tutorial", "--target", "ws://127.0.0.1:1/S", "--timeout", "1s"]);
    assert!(exit == 1 && shown.contains("could not connect: refused"), "{shown}{told}");
}
