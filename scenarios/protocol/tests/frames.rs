//! Frames as the servers of each shipped protocol send them, and what they are taken for.

use std::borrow::Cow;
use std::sync::Arc;

use protocol::protocol::{Asked, Meaning, Outcome, PushOutcome, Read, Request, RestRequest, Sending, Values};
use protocol::template::Sample;
use protocol::{Protocol, load_named};

const TEXT: &str = "lg1:0000002a:0000000000000007:hello";

fn load(name: &str) -> Arc<dyn Protocol> {
    load_named(name).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// Every meaning that a message is offered as, in order, when nothing takes any of them.
fn offered(protocol: &dyn Protocol, message: &str) -> Vec<String> {
    let mut all = Vec::new();
    protocol.read(message, &mut |meaning| {
        all.push(words(protocol, &meaning));
        false
    });
    all
}

fn words(protocol: &dyn Protocol, meaning: &Meaning<'_>) -> String {
    let outline = protocol.outline();
    let kept = |keep: &[(usize, Cow<'_, str>)]| {
        keep.iter().map(|(number, value)| format!(" {}={value}", outline.kept[*number])).collect::<String>()
    };
    match meaning {
        Meaning::Answer { operation, to, outcome, keep } => {
            let to = match to {
                Request::Id(id) => format!("#{id}"),
                Request::Field(value) => format!("({value})"),
                Request::Echo => "echo".into(),
                Request::Oldest => "oldest".into(),
            };
            let outcome = match outcome {
                Outcome::Ok => "ok".into(),
                Outcome::Failed(class) => format!("failed {class}"),
                Outcome::Pending => "pending".into(),
            };
            format!("{} {to} {outcome}{}", outline.operations[*operation].name, kept(keep))
        }
        Meaning::Push { push, tie, outcome } => {
            let tie = tie.as_ref().map_or(String::new(), |tie| format!(" tie={tie}"));
            let outcome = match outcome {
                PushOutcome::Final => String::new(),
                PushOutcome::Failed(class) => format!(" failed {class}"),
                PushOutcome::Progress => " progress".into(),
            };
            format!("push {}{tie}{outcome}", outline.pushes[*push].name)
        }
        Meaning::Error { said } => format!("error {said}"),
        Meaning::Opened { step, id, failed, keep } => {
            let id = id.map_or(String::new(), |id| format!(" #{id}"));
            let failed = failed.as_ref().map_or(String::new(), |class| format!(" failed {class}"));
            format!("opened {}{id}{failed}{}", outline.opening[*step].name, kept(keep))
        }
        Meaning::HeartbeatAnswer { id } => format!("heartbeat {id:?}"),
        Meaning::Reply(text) => format!("reply {text}"),
        Meaning::Ignored => "ignored".into(),
    }
}

fn taken_for(name: &str, frames: &[(&str, &[&str])]) {
    let protocol = load(name);
    for (frame, expected) in frames {
        let frame = frame.replace("TEXT", TEXT);
        assert_eq!(offered(&*protocol, &frame), *expected, "{name}: {frame}");
        let read = protocol.read(&frame, &mut |_| true);
        assert_eq!(
            read,
            if expected.is_empty() { Read::Unclassified } else { Read::Taken },
            "{name}: {frame}"
        );
    }
}

fn sent(protocol: &dyn Protocol, what: Sending) -> String {
    let sample = Sample { kept: &protocol.outline().kept, parameters: Default::default() };
    protocol.write(what, &sample).expect("every value is there")
}

#[test]
fn the_reference_backend_is_understood() {
    let all = |id: &str, status: &str, placed: &str| {
        vec![
            format!("send_message #{id} {status}"),
            format!("placement_request #{id} {placed}"),
            format!(
                "unknown_route #{id} {}",
                if status == "failed status_404" { "ok" } else { "failed status_200" }
            ),
        ]
    };
    let acks = [
        (
            r#"{"type":"ack","id":"7","statusCode":200,"body":"Message(s) Sent"}"#,
            all("7", "ok", "failed status_200"),
        ),
        (
            r#"{"type":"ack","id":"8","statusCode":200,"body":{"placementId":"x-1","status":"PENDING"}}"#,
            all("8", "ok", "ok placement=x-1"),
        ),
        (
            r#"{"type":"ack","id":"9","statusCode":404,"body":"Route [x] Not Found"}"#,
            all("9", "failed status_404", "failed status_404"),
        ),
    ];
    let protocol = load("reference");
    for (frame, expected) in acks {
        assert_eq!(offered(&*protocol, frame), expected, "{frame}");
    }
    taken_for(
        "reference",
        &[
            (
                r#"{"type":"message","messageId":"1","senderId":"a","message":"h\u00e9","createdAt":1}"#,
                &["push message"],
            ),
            (
                r#"{"type":"placement","placementId":"x-1","status":"FULFILLED","port":"7777"}"#,
                &["push placement tie=x-1"],
            ),
            (
                r#"{"type":"placement","placementId":"x-1","status":"TIMED_OUT"}"#,
                &["push placement tie=x-1 failed placement_TIMED_OUT"],
            ),
            (
                r#"{"message": "Internal server error", "connectionId":"c=", "requestId":"r="}"#,
                &["error Internal server error"],
            ),
            ("Message(s) Sent", &["send_message oldest ok"]),
            ("Missing Params [message(string)]", &["send_message oldest failed status_400"]),
            ("Route [x] Not Found", &["unknown_route oldest ok"]),
            (r#"{"placementId":"x-2","status":"PENDING"}"#, &["placement_request oldest ok placement=x-2"]),
            ("", &[]),
            ("{}", &[]),
            ("[1]", &[]),
            ("hello", &[]),
            (r#"{"type":"ack"}"#, &[]),
            (r#"{"type":"ack","id":"m","statusCode":200}"#, &[]),
            (r#"{"type":"other","message":"x"}"#, &[]),
        ],
    );
}

#[test]
fn the_reference_backend_is_asked_as_ever() {
    let protocol = load("reference");
    let names: Vec<_> =
        protocol.outline().operations.iter().map(|operation| operation.name.as_str()).collect();
    assert_eq!(names, ["send_message", "placement_request", "unknown_route", "placement_poll"]);
    assert_eq!(
        sent(&*protocol, Sending::Operation(0)),
        r#"{"route":"sendMessage","id":"1","body":{"playerIds":["player-1","player-2"],"message":"lg1:00000001:0000000000000000:"}}"#
    );
    assert_eq!(
        sent(&*protocol, Sending::Operation(1)),
        r#"{"route":"sessionPlacementRequest","id":"1","body":{}}"#
    );
    assert_eq!(
        sent(&*protocol, Sending::Operation(2)),
        r#"{"route":"loadgenUnknownRoute","id":"1","body":{}}"#
    );
    assert!(protocol.write(Sending::Operation(3), &Sample::default()).is_err(), "it is polled");
}

#[test]
fn a_traced_request_asks_for_stamps_and_is_otherwise_the_same() {
    struct Traced(Sample<'static>);
    impl Values for Traced {
        fn id(&self) -> u64 {
            self.0.id()
        }
        fn player(&self) -> Cow<'_, str> {
            self.0.player()
        }
        fn recipients(&self) -> Cow<'_, [String]> {
            self.0.recipients()
        }
        fn text(&self) -> Cow<'_, str> {
            self.0.text()
        }
        fn token(&self) -> Option<Cow<'_, str>> {
            self.0.token()
        }
        fn room(&self) -> Cow<'_, str> {
            self.0.room()
        }
        fn now_ms(&self) -> u64 {
            self.0.now_ms()
        }
        fn kept(&self, number: usize) -> Option<Cow<'_, str>> {
            self.0.kept(number)
        }
        fn parameter(&self, name: &str) -> Option<Cow<'_, str>> {
            self.0.parameter(name)
        }
        fn traced(&self) -> bool {
            true
        }
    }
    let protocol = load("reference");
    for operation in [0, 1] {
        let plain = sent(&*protocol, Sending::Operation(operation));
        let traced = protocol.write(Sending::Operation(operation), &Traced(Sample::default())).unwrap();
        assert_eq!(traced.replace(r#""trace":true,"#, ""), plain);
        assert_ne!(traced, plain);
    }
    // What has no such message is sent as ever.
    let traced = protocol.write(Sending::Operation(2), &Traced(Sample::default())).unwrap();
    assert_eq!(traced, sent(&*protocol, Sending::Operation(2)));
}

#[test]
fn stamps_are_read_in_the_order_of_the_outline_and_in_microseconds() {
    let protocol = load("reference");
    let names = |push: usize| -> Vec<_> {
        protocol.outline().pushes[push].stamps.iter().map(|stamp| stamp.name.as_str()).collect()
    };
    assert_eq!(names(0), ["gateway", "route", "table", "stream", "posted"]);
    assert_eq!(names(1), ["gateway", "route", "table", "event", "outcome", "stream", "posted"]);
    let push = |trace: &str| format!(r#"{{"type":"message","message":"x"{trace}}}"#);
    let stamps = |trace: &str| protocol.stamps(0, &push(trace));
    let all = r#","trace":{"posted":5,"stream":4,"table":"3","route":2,"gateway":1}"#;
    assert_eq!(stamps(all), Some(vec![1_000, 2, 3, 4, 5]));
    for missing in [
        "",
        r#","trace":true"#,
        r#","trace":{"gateway":1,"route":2,"table":3,"stream":4}"#,
        r#","trace":{"gateway":1,"route":2,"table":3.5,"stream":4,"posted":5}"#,
        r#","trace":{"gateway":1,"route":-2,"table":3,"stream":4,"posted":5}"#,
    ] {
        assert_eq!(stamps(missing), None, "{missing}");
    }
    assert_eq!(load("tutorial").stamps(0, &push(all)), None, "it declares none");
}

#[test]
fn a_polled_placement_is_asked_for_and_read() {
    struct Placed;
    impl Values for Placed {
        fn id(&self) -> u64 {
            1
        }
        fn player(&self) -> Cow<'_, str> {
            "p".into()
        }
        fn recipients(&self) -> Cow<'_, [String]> {
            Vec::new().into()
        }
        fn text(&self) -> Cow<'_, str> {
            "".into()
        }
        fn token(&self) -> Option<Cow<'_, str>> {
            None
        }
        fn room(&self) -> Cow<'_, str> {
            "".into()
        }
        fn now_ms(&self) -> u64 {
            0
        }
        fn kept(&self, _: usize) -> Option<Cow<'_, str>> {
            Some("../a b".into())
        }
        fn parameter(&self, _: &str) -> Option<Cow<'_, str>> {
            None
        }
    }
    let protocol = load("reference");
    let ask = |asked| protocol.ask(3, asked, &Placed).unwrap();
    let request = |method, path: &str| Some(RestRequest { method, path: path.into() });
    assert_eq!(ask(Asked::First), request("POST", "/placements"));
    assert_eq!(ask(Asked::Again), request("GET", "/placements/..%2Fa%20b"));
    assert_eq!(protocol.ask(0, Asked::First, &Placed), Ok(None));
    let read = |status: &str| {
        let body = format!(r#"{{"placementId":"x-1","status":"{status}"}}"#);
        let polled = protocol.read_polled(3, &body)?;
        assert_eq!(polled.keep.len(), 1);
        Some(match polled.outcome {
            Outcome::Ok => "ok".to_owned(),
            Outcome::Failed(class) => class.to_string(),
            Outcome::Pending => "pending".to_owned(),
        })
    };
    assert_eq!(read("FULFILLED").as_deref(), Some("ok"));
    assert_eq!(read("PENDING").as_deref(), Some("pending"));
    assert_eq!(read("FAILED").as_deref(), Some("placement_FAILED"));
    assert_eq!(protocol.read_polled(3, r#"{"status":"FULFILLED"}"#), None, "it lacks the id");
    assert_eq!(protocol.read_polled(3, "Bad Gateway"), None);
}

#[test]
fn a_tutorials_backend_is_understood() {
    taken_for(
        "tutorial",
        &[
            ("Message(s) Sent", &["send_message oldest ok"]),
            ("Missing Params [body(string)]", &["send_message oldest failed missing_params"]),
            (
                r#"{"itemId":"i-1","recipient":"player-2","sender":"player-1","body":"TEXT","expireAt":1}"#,
                &["push message"],
            ),
            (r#"{"ticket":"t-1"}"#, &["placement oldest ok"]),
            ("Placement Failed", &["placement oldest failed placement_refused"]),
            (r#"{"ticket":"t-1","player":"player-1","state":"READY","port":7777}"#, &["push placement"]),
            (r#"{"ticket":"t-1","state":"TIMED_OUT"}"#, &["push placement failed placement_TIMED_OUT"]),
            (r#"{"ticket":"t-1","state":"PENDING"}"#, &["push placement progress"]),
            ("Route [x] Not Found", &["error Route [x] Not Found"]),
        ],
    );
}

#[test]
fn a_chat_is_understood() {
    taken_for("chat", &[("TEXT", &["push message"]), ("hello", &[])]);
    let chat = load("chat");
    assert_eq!(
        sent(&*chat, Sending::Operation(0)),
        r#"{"action":"sendmessage","data":"lg1:00000001:0000000000000000:"}"#
    );
}

#[test]
fn graphql_over_websocket_is_understood() {
    taken_for(
        "graphql-ws",
        &[
            (r#"{"type":"connection_ack"}"#, &["opened init"]),
            (r#"{"type":"ping"}"#, &[r#"reply {"type":"pong"}"#]),
            (r#"{"type":"pong","payload":{}}"#, &["heartbeat None"]),
            (r#"{"id":"3","type":"next","payload":{"data":{"say":true}}}"#, &["say #3 ok"]),
            (r#"{"id":"3","type":"complete"}"#, &["say #3 pending", "ignored"]),
            (r#"{"id":"3","type":"error","payload":[{"message":"x"}]}"#, &["say #3 failed graphql_error"]),
            (
                r#"{"id":"3","type":"next","payload":{"data":null,"errors":[{"message":"x"}]}}"#,
                &["say #3 failed graphql_error"],
            ),
            (r#"{"id":"said","type":"next","payload":{"data":{"said":"TEXT"}}}"#, &["push said"]),
            (r#"{"id":"said","type":"complete"}"#, &[r#"error {"id":"said","type":"complete"}"#]),
        ],
    );
}

#[test]
fn json_rpc_is_understood() {
    taken_for(
        "json-rpc",
        &[
            (r#"{"jsonrpc":"2.0","result":{"said":"ok"},"id":1}"#, &["opened listen #1", "say #1 ok"]),
            (
                r#"{"jsonrpc":"2.0","result":{"said":"provided event invalid"},"id":1}"#,
                &["opened listen #1 failed opening_failed", "say #1 ok"],
            ),
            (r#"{"jsonrpc":"2.0","result":true,"id":2}"#, &["say #2 ok"]),
            (r#"{"notification":"said","params":{"text":"TEXT"}}"#, &["push said"]),
            (
                r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"Parse error"},"id":null}"#,
                &["error Parse error"],
            ),
        ],
    );
    let protocol = load("json-rpc");
    let error = r#"{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":2}"#;
    assert_eq!(offered(&*protocol, error).last().map(String::as_str), Some("say #2 failed rpc_-32601"));
    assert_eq!(
        sent(&*protocol, Sending::Operation(0)),
        r#"{"jsonrpc":"2.0","id":1,"method":"say","params":{"text":"lg1:00000001:0000000000000000:"}}"#
    );
}

#[test]
fn socket_io_is_understood() {
    taken_for(
        "socket-io",
        &[
            (
                r#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#,
                &["opened open"],
            ),
            (r#"40{"sid":"b"}"#, &["opened connect"]),
            (r#"44{"message":"Not authorized"}"#, &["opened connect failed opening_failed"]),
            ("2", &["reply 3"]),
            (r#"4312["ok"]"#, &["say #12 ok"]),
            (r#"4312[{"error":"full"}]"#, &["say #12 failed answer_failed"]),
            (r#"42["said","TEXT"]"#, &["push said"]),
            (r#"42["other","TEXT"]"#, &[]),
            ("41", &["error 41"]),
        ],
    );
    let protocol = load("socket-io");
    assert_eq!(sent(&*protocol, Sending::Operation(0)), r#"421["say","lg1:00000001:0000000000000000:"]"#);
}

#[test]
fn phoenix_is_understood() {
    taken_for(
        "phoenix",
        &[
            (
                r#"["1","1","room:room-1","phx_reply",{"status":"ok","response":{}}]"#,
                &["opened join #1 join_ref=1", "say #1 ok"],
            ),
            (
                r#"["1","4","room:room-1","phx_reply",{"status":"error","response":{"reason":"full"}}]"#,
                &["opened join #4 failed opening_failed", "say #4 failed reply_error"],
            ),
            (
                r#"[null,"5","phoenix","phx_reply",{"status":"ok","response":{}}]"#,
                &["heartbeat Some(5)", "opened join #5 join_ref=5", "say #5 ok"],
            ),
            (r#"[null,null,"room:room-1","said",{"text":"TEXT"}]"#, &["push said"]),
            (r#"["1","1","room:room-1","phx_error",{}]"#, &["error phx_error"]),
        ],
    );
    let protocol = load("phoenix");
    assert_eq!(
        sent(&*protocol, Sending::Operation(0)),
        r#"["join_ref","1","room:room-0","say",{"text":"lg1:00000001:0000000000000000:"}]"#
    );
    assert_eq!(sent(&*protocol, Sending::Heartbeat), r#"[null,"1","phoenix","heartbeat",{}]"#);
    let parts = protocol.handshake(&Sample::default()).unwrap();
    assert_eq!(parts.path.as_deref(), Some("/socket/websocket"));
    assert_eq!(parts.query, [("vsn".to_owned(), "2.0.0".to_owned())]);
}
