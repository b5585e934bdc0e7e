//! Backends of others, by the protocol files that ship: what was made to go wrong comes out as it was made.

use std::process::Stdio;

use reports::format::Summary;

use crate::common::servers::{Server, Truth, script};
use crate::common::{Ran, Scene, assert_balanced, assert_balanced_but};

/// Every so many pushes one goes wrong; no two numbers have a factor in common.
const FAULTS: [&str; 8] =
    ["--lose-every", "47", "--duplicate-every", "41", "--reorder-every", "37", "--early-every", "29"];

/// What is said in each test.
const MESSAGES: u64 = 1_000;

/// Players who speak a protocol for so many seconds.
fn scene(protocol: &str, players: u32, seconds: u32, operations: &str) -> Scene {
    Scene::new(&scenario(protocol, players, seconds, operations))
}

fn scenario(protocol: &str, players: u32, seconds: u32, operations: &str) -> String {
    format!(
        r#"
name = "protocols"
protocol = "{protocol}"
players = {players}
thresholds = []

[auth]
mode = "header"

[sockets]
connect_rate = 100.0

[[phases]]
kind = "hold"
duration = "{seconds}s"

[deliveries]
timeout = "5s"

{operations}
"#
    )
}

/// A protocol that ships, with something else in one place.
fn but(shipped: &str, from: &str, to: &str) -> String {
    assert_eq!(shipped.matches(from).count(), 1, "{from}");
    shipped.replace(from, to)
}

const TUTORIAL: &str = include_str!("../../../scenarios/protocols/tutorial.toml");
const GRAPHQL: &str = include_str!("../../../scenarios/protocols/graphql-ws.toml");
const SOCKET_IO: &str = include_str!("../../../scenarios/protocols/socket-io.toml");

/// Nothing was misunderstood, no request failed, and every push became what the server made of it.
fn assert_true(summary: &Summary, operation: &str, push: &str, truth: Truth) {
    let frames = summary.frames.as_ref().unwrap();
    assert_eq!(frames.unclassified, 0, "{frames:?}");
    let sent = &summary.operations[operation];
    assert_eq!((sent.sent, sent.failed, sent.timed_out), (truth.requests, 0, 0), "{sent:?}");
    let delivery = &summary.deliveries[push];
    let counted = [delivery.expected, delivery.lost, delivery.duplicated, delivery.out_of_order];
    assert_eq!(counted, [truth.due, truth.lost, truth.duplicated, truth.reordered], "{delivery:?} {truth:?}");
    assert_eq!(delivery.unexpected, 0, "{delivery:?}");
    // Every socket was made ready once, and that was timed.
    if let Some(ready) = summary.operations.get("ready") {
        let opened = summary.sockets.opened;
        assert_eq!((ready.offered, ready.sent, ready.completed), (opened, opened, opened), "{ready:?}");
        assert_eq!(ready.response_time_us.count, opened, "{ready:?}");
    }
}

/// Runs a scene against a server whose pushes go wrong, and compares what is said with what happened.
fn tell_the_truth(server: &str, scene: Scene, operation: &str, push: &str) {
    if let Some(ran) = run_with_faults(server, scene, operation, push, &[]) {
        assert_balanced(&ran.summary());
    }
}

/// The same, with more arguments: the run, where there was one.
fn run_with_faults(
    server: &str,
    scene: Scene,
    operation: &str,
    push: &str,
    arguments: &[&str],
) -> Option<Ran> {
    let server = Server::start(server, &FAULTS)?;
    let ran = scene.run(&[&["--target", server.websocket()], arguments].concat());
    let summary = ran.exits(0).summary();
    let truth = server.truth()["message"];
    assert_true(&summary, operation, push, truth);
    assert_eq!(truth.requests, MESSAGES);
    let wrong = [truth.lost, truth.duplicated, truth.reordered];
    assert!(wrong.iter().all(|count| *count > 20), "enough went wrong: {truth:?}");
    Some(ran)
}

#[test]
fn graphql_ws_comes_out_exactly() {
    let scene = scene("graphql-ws", 5, 20, "[operations.say]\nrate = 50.0");
    tell_the_truth("graphql-ws", scene, "say", "said");
}

/// The credential is in a message of the opening, where only the protocol says what a code of its own means.
#[test]
fn graphql_ws_refuses_a_wrong_credential_by_a_close_code() {
    let Some(server) = Server::start("graphql-ws", &["--token", "a-ticket"]) else { return };
    let own = but(
        GRAPHQL,
        r#"'{"type":"connection_init"}'"#,
        r#"'{"type":"connection_init","payload":{"token":"${token}"}}'"#,
    );
    let run = |token: &str| {
        let text = scenario("own.toml", 5, 3, "[operations.say]\nrate = 10.0").replace(
            "mode = \"header\"",
            &format!("command = {{ argv = [\"sh\", \"-c\", \"echo {token}\", \"{{player}}\"] }}"),
        );
        Scene::new(&text).with("own.toml", &own).run(&["--target", server.websocket()])
    };
    let right = run("a-ticket").exits(0).summary();
    assert_eq!((right.operations["ready"].completed, right.sockets.dropped), (5, 0));
    assert_eq!(right.operations["say"].completed, 30);

    let wrong = run("a-guess");
    let summary = wrong.summary();
    assert_balanced(&summary);
    let ready = &summary.operations["ready"];
    assert_eq!((ready.sent, ready.failed), (5, 5), "{ready:?}");
    assert_eq!(ready.errors["unauthorized"], 5, "{ready:?}");
    assert_eq!(summary.frames.as_ref().unwrap().unclassified, 0);
    assert_eq!(summary.operations["say"].unsent, 30, "nobody was ever ready");
}

#[test]
fn socket_io_comes_out_exactly() {
    let scene = scene("socket-io", 5, 20, "[operations.say]\nrate = 50.0");
    tell_the_truth("socket-io", scene, "say", "said");
}

/// What everyone is pushed is received by players of both.
#[test]
fn two_workers_count_the_same() {
    let scene = scene("socket-io", 6, 20, "[operations.say]\nrate = 50.0");
    let Some(ran) = run_with_faults("socket-io", scene, "say", "said", &["--workers", "2"]) else { return };
    assert_balanced(&ran.summary());
}

/// A server of Socket.IO cuts whoever does not answer its pings in time.
#[test]
fn pings_of_the_server_are_answered() {
    let Some(server) = Server::start("socket-io", &["--ping", "1000"]) else { return };
    let run = |protocol: &str| {
        let scene = scene("own.toml", 3, 6, "[operations.say]\nrate = 5.0").with("own.toml", protocol);
        scene.run(&["--target", server.websocket()]).summary()
    };
    let answering = run(SOCKET_IO);
    assert_eq!((answering.sockets.dropped, answering.frames.unwrap().unclassified), (0, 0));
    assert_eq!(answering.operations["say"].completed, 30);
    let silent = run(&but(
        SOCKET_IO,
        "[[replies]]\nwhen = { text = \"2\" }\nsend = \"3\"",
        "[[ignore]]\nwhen = { text = \"2\" }",
    ));
    assert_eq!((silent.sockets.dropped, silent.frames.unwrap().unclassified), (3, 0));
}

#[test]
fn json_rpc_comes_out_exactly() {
    let scene = scene("json-rpc", 5, 20, "[operations.say]\nrate = 50.0");
    tell_the_truth("json-rpc", scene, "say", "said");
}

#[test]
fn phoenix_comes_out_exactly() {
    let rooms = "[operations.say]\nrate = 50.0\n\n[rooms]\nsize = 5";
    tell_the_truth("phoenix", scene("phoenix", 10, 20, rooms), "say", "said");
}

#[test]
fn the_official_client_of_phoenix_understands_our_stub() {
    let Some(mut proof) = script("phoenix", "prove") else { return };
    let output = proof.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_chat_sample_comes_out_exactly() {
    let scene = scene("chat", 4, 20, "[operations.send_message]\nrate = 50.0");
    let Some(ran) = run_with_faults("chat", scene, "send_message", "message", &[]) else { return };
    // What is not answered has counts and no time.
    assert_balanced_but(&ran.summary(), Some("send_message"));
    let row = ran.stdout.lines().find(|line| line.starts_with("send_message")).unwrap();
    assert!(row.contains('–'), "{row}");
}

#[test]
fn a_tutorials_backend_comes_out_exactly() {
    let scene = scene("tutorial", 10, 20, "[operations.send_message]\nrate = 50.0\nfan_out = 3");
    tell_the_truth("tutorial", scene, "send_message", "message");
}

/// Functions under `serverless offline` take their time, as on AWS.
#[test]
fn a_tutorials_functions_come_out_exactly() {
    let scene = scene("tutorial", 5, 40, "[operations.send_message]\nrate = 25.0\nfan_out = 2");
    tell_the_truth("tutorial-offline", scene, "send_message", "message");
}

/// Both operations at once on the same sockets, answered in plain texts; a player has few placements at a time, since
/// nothing but the player tells whose a push is.
#[test]
fn placements_are_told_by_their_player() {
    for (server, rate) in [("tutorial", 20.0), ("tutorial-offline", 5.0)] {
        let Some(server) = Server::start(server, &["--lose-every", "19"]) else { return };
        let operations = format!(
            "[operations.send_message]\nrate = {rate:?}\nfan_out = 2\n\n[operations.placement]\nrate = 2.0"
        );
        let ran = scene("tutorial", 40, 20, &operations).run(&["--target", server.websocket()]);
        let summary = ran.exits(0).summary();
        assert_balanced(&summary);
        assert_true(&summary, "send_message", "message", server.truth()["message"]);
        assert_true(&summary, "placement", "placement", server.truth()["placement"]);
        assert_eq!(server.truth()["placement"].lost, 2);
    }
}

/// The same backend by a file of one's own, which ties a push by the ticket that the answer has brought: with pushes
/// that come before that answer, beside messages between players whose order is looked at.
#[test]
fn pushes_before_their_answer_wait_for_what_it_brings() {
    let Some(server) = Server::start("tutorial", &FAULTS) else { return };
    let by_ticket = but(TUTORIAL, "tie = { player = true }", r#"tie = { kept = "ticket", at = "/ticket" }"#);
    let by_ticket = but(
        &by_ticket,
        "[operations.placement.answer]\n",
        "[operations.placement.answer]\nkeep = { ticket = \"/ticket\" }\n",
    );
    let operations =
        "[operations.placement]\nrate = 50.0\n\n[operations.send_message]\nrate = 20.0\nfan_out = 3";
    let scene = scene("tickets.toml", 10, 20, operations);
    let ran = scene.with("tickets.toml", &by_ticket).run(&["--target", server.websocket()]);
    let summary = ran.exits(0).summary();
    assert_balanced(&summary);
    let truth = server.truth()["placement"];
    assert_true(&summary, "placement", "placement", truth);
    assert_eq!(truth.requests, MESSAGES);
    assert!(truth.early > 20 && truth.lost > 20 && truth.duplicated > 20, "{truth:?}");
    let truth = server.truth()["message"];
    assert_true(&summary, "send_message", "message", truth);
    let wrong = [truth.early, truth.lost, truth.duplicated, truth.reordered];
    assert!(wrong.iter().all(|count| *count > 10), "enough went wrong: {truth:?}");
}

/// A backend built along the same lines takes the requests of the reference protocol, answers in plain texts and pushes
/// what it has stored. Not one of its pushes is lost; it is only not understood, and that is what is said.
/// Asks for a place, and says with each message which one it is.
const TICKETS: &str = r#"
name = "tickets"

[operations.join]
send = '{"action":"requestPlacement","skill":${skill},"mode":"${mode}"}'
parameters = { skill = 1, mode = "any" }

[operations.join.answer]
by = "order"
ok = { "/ticket" = true, "/state" = false }
keep = { ticket = "/ticket" }

[operations.join.push]
when = { "/ticket" = true, "/state" = true }
tie = { kept = "ticket", at = "/ticket" }
final = { "/state" = "READY" }

[operations.chat]
send = '{"action":"sendMessage","to":${recipients},"body":"${text}","ticket":"${ticket}"}'
answer = { by = "order", ok = { text = "Message(s) Sent" } }
push = { name = "message", when = { "/itemId" = true } }
"#;

#[test]
fn what_a_journey_is_given_and_keeps_is_sent_later_on_it() {
    let Some(server) = Server::start("tutorial", &[]) else { return };
    let operations = r#"
[[feeders]]
file = "players.csv"

[operations.join]
skill = "${skill}"
mode = "${mode}"

[operations.chat]
fan_out = 2

[[journeys]]
name = "evening"
loop = false
steps = [{ do = "join", until = "push" }, { do = "chat", times = 3, pause = "100ms" }]
"#;
    let scene = scene("tickets.toml", 6, 4, operations)
        .with("tickets.toml", TICKETS)
        .with("players.csv", "skill,mode\n7,ranked\n9,\"casual \"\"x\"\"\"\n");
    let ran = scene.run(&["--target", server.websocket(), "--workers", "2"]);
    let summary = ran.summary();
    assert_balanced(&summary);
    let done = |name: &str| (summary.operations[name].offered, summary.operations[name].completed);
    assert_eq!((done("evening"), done("join"), done("chat")), ((6, 6), (6, 6), (18, 18)), "{summary:?}");
    let received = |name: &str| (summary.deliveries[name].expected, summary.deliveries[name].received);
    assert_eq!((received("join"), received("message")), ((6, 6), (36, 36)));
    assert_eq!(summary.frames.as_ref().map(|frames| frames.unclassified), Some(0));
}

#[test]
fn a_protocol_that_does_not_fit_is_said_first_and_no_delivery_is_judged() {
    let Some(server) = Server::start("tutorial", &[]) else { return };
    let run = |protocol: &str, placement: &str| {
        let operations = format!(
            "[operations.send_message]\nrate = 25.0\nfan_out = 3\n\n[operations.{placement}]\nrate = 2.0\ntimeout = \"1s\""
        );
        let rules =
            r#"thresholds = ["message.lost == 0", "message.each.p99 < 5s", "send_message.failed == 0"]"#;
        let text = scenario(protocol, 40, 8, &operations).replace("thresholds = []", rules);
        Scene::new(&text).run(&["--target", server.websocket()])
    };
    let ran = run("reference", "placement_request");
    let summary = ran.exits(4).summary();
    let frames = summary.frames.as_ref().unwrap();
    // 600 pushes of messages; each placement's answer and push.
    assert_eq!((frames.received, frames.unclassified), (800 + 32, 600 + 32), "{frames:?}");
    assert_eq!(summary.deliveries["message"].received, 0);
    assert_eq!(summary.operations["send_message"].completed, 200, "plain texts are known");
    assert_eq!(summary.operations["placement_request"].timed_out, 16, "what is not understood fails nothing");
    let first = &summary.verdict.invalid_reasons[0];
    assert!(first.starts_with("632 of 832 frames arrived but were not understood"), "{first}");
    let unjudged: Vec<_> = summary.thresholds.iter().map(|rule| rule.not_judged.is_some()).collect();
    assert_eq!(unjudged, [true, true, false], "{:?}", summary.thresholds);
    let (misfit, lost) = (ran.stdout.find("frames arrived but were not understood"), ran.stdout.find("lost"));
    assert!(misfit.is_some() && misfit < lost, "{}", ran.stdout);
    let samples = ran.folder().errors;
    assert!(samples.iter().any(|sample| sample.operation == "unclassified"), "{samples:?}");

    let ran = run("tutorial", "placement");
    let summary = ran.exits(0).summary();
    assert_eq!(summary.frames.as_ref().unwrap().unclassified, 0);
    let delivery = &summary.deliveries["message"];
    assert_eq!((delivery.expected, delivery.received, delivery.lost), (600, 600, 0), "{delivery:?}");
    assert_eq!(summary.deliveries["placement"].received, 16);
}

/// The answers that come have the form of another operation's, which nobody does.
#[test]
fn answers_of_what_is_not_done_are_not_understood() {
    let Some(server) = Server::start("tutorial", &[]) else { return };
    let wrong = but(TUTORIAL, r#"ok = { text = "Message(s) Sent" }"#, r#"ok = { text = "OK" }"#)
        + "\n[operations.other]\nsend = '{\"action\":\"other\"}'\nanswer = { by = \"order\", ok = { text = \"Message(s) Sent\" } }\n";
    let scene =
        scene("wrong.toml", 5, 3, "[operations.send_message]\nrate = 10.0\nfan_out = 1\ntimeout = \"1s\"");
    let ran = scene.with("wrong.toml", &wrong).run(&["--target", server.websocket()]);
    let summary = ran.exits(4).summary();
    assert_eq!(summary.frames.as_ref().unwrap().unclassified, 30);
    assert_eq!(summary.operations["send_message"].timed_out, 30);
    assert_eq!(summary.deliveries["message"].received, 30, "pushes are understood all the same");
}
