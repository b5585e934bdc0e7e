//! What a protocol file costs per message: the rules of a file beside a struct written for its messages, templates beside
//! written serialisation.

use std::borrow::Cow;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use protocol::protocol::{Read, Request, Sending};
use protocol::{FileProtocol, Meaning, Protocol, Values, marker, shipped};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Text of 128 bytes, with its marker.
const TEXT: &str = "lg1:0000002a:0000000000000001:\
    ..................................................................................................";
const ACK: &str = r#"{"type":"ack","id":"123","statusCode":200,"body":{"message":"Message(s) Sent"}}"#;

fn push() -> String {
    format!(
        r#"{{"type":"message","messageId":"0f8fad5b-d9cb-469f-a165-70867728950e","senderId":"player-000001","message":"{TEXT}","createdAt":1795338000123}}"#
    )
}

fn shipped(name: &str) -> FileProtocol {
    let text = shipped::text(name).expect("a protocol that ships");
    protocol::check(name, text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// The messages of the reference backend as code: the yardstick.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Frame<'a> {
    #[serde(borrow)]
    r#type: Option<Text<'a>>,
    #[serde(borrow)]
    id: Option<Text<'a>>,
    status_code: Option<u16>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<Text<'a>>,
    #[serde(borrow)]
    placement_id: Option<Text<'a>>,
    #[serde(borrow)]
    status: Option<Text<'a>>,
    #[serde(borrow)]
    connection_id: Option<Text<'a>>,
}

/// A text, borrowed where nothing in it is escaped: serde copies an `Option<Cow<str>>` whatever is in it.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Number and status of an acknowledgement, run and send of a message.
fn read_as_struct(message: &str) -> Option<(u64, u64)> {
    let frame = serde_json::from_str::<Frame<'_>>(message).ok()?;
    match frame.r#type?.0.as_ref() {
        "ack" => {
            black_box(frame.body);
            Some((frame.id?.0.parse().ok()?, frame.status_code?.into()))
        }
        "message" => marker::find(&frame.message?.0).map(|(run, send)| (run.into(), send)),
        _ => {
            black_box((frame.placement_id, frame.status, frame.connection_id).0.is_some());
            None
        }
    }
}

/// The same from what a protocol says.
fn read_as_protocol(protocol: &dyn Protocol, message: &str) -> Option<(u64, u64)> {
    let mut read = None;
    let taken = protocol.read(message, &mut |meaning| {
        read = match meaning {
            Meaning::Answer { to: Request::Id(id), outcome, .. } => {
                black_box(outcome);
                Some((id, 200))
            }
            Meaning::Push { .. } => marker::find(message).map(|(run, send)| (run.into(), send)),
            _ => None,
        };
        read.is_some()
    });
    read.filter(|_| taken == Read::Taken)
}

fn reading(c: &mut Criterion) {
    let reference = shipped("reference");
    let push = push();
    let mut group = c.benchmark_group("protocol_read");
    for (name, message, wanted) in [("ack", ACK, (123, 200)), ("push", push.as_str(), (42, 1))] {
        assert_eq!(read_as_struct(message), Some(wanted));
        assert_eq!(read_as_protocol(&reference, message), Some(wanted));
        group.bench_function(format!("{name}_struct"), |b| b.iter(|| read_as_struct(black_box(message))));
        group.bench_function(format!("{name}_file"), |b| {
            b.iter(|| read_as_protocol(&reference, black_box(message)));
        });
    }
    let others = [
        ("phoenix", "ack", r#"["1","123","room:1","phx_reply",{"status":"ok","response":{}}]"#.to_owned()),
        ("phoenix", "push", format!(r#"[null,null,"room:1","said",{{"text":"{TEXT}"}}]"#)),
        ("socket-io", "ack", "43123[{\"ok\":true}]".to_owned()),
        ("socket-io", "push", format!(r#"42["said","{TEXT}"]"#)),
    ];
    for (name, what, message) in others {
        let protocol = shipped(name);
        assert!(read_as_protocol(&protocol, &message).is_some(), "{name} {what}");
        group.bench_function(format!("{name}_{what}"), |b| {
            b.iter(|| read_as_protocol(&protocol, black_box(&message)));
        });
    }
    group.finish();
}

/// The values of one send.
struct Send {
    recipients: Vec<String>,
}

impl Values for Send {
    fn id(&self) -> u64 {
        123
    }

    fn player(&self) -> Cow<'_, str> {
        "player-000001".into()
    }

    fn recipients(&self) -> Cow<'_, [String]> {
        self.recipients.as_slice().into()
    }

    fn text(&self) -> Cow<'_, str> {
        TEXT.into()
    }

    fn token(&self) -> Option<Cow<'_, str>> {
        None
    }

    fn room(&self) -> Cow<'_, str> {
        "room-0".into()
    }

    fn now_ms(&self) -> u64 {
        0
    }

    fn kept(&self, _: usize) -> Option<Cow<'_, str>> {
        None
    }

    fn parameter(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}

/// Body of `sendMessage`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MessageBody<'a> {
    player_ids: &'a [String],
    message: &'a str,
}

fn write_as_struct(send: &Send) -> String {
    let body = MessageBody { player_ids: &send.recipients, message: TEXT };
    let body = serde_json::to_string(&body).unwrap_or_default();
    format!(r#"{{"route":"sendMessage","id":"{}","body":{body}}}"#, send.id())
}

fn writing(c: &mut Criterion) {
    let reference = shipped("reference");
    let what = reference.outline().operations.iter().position(|operation| operation.name == "send_message");
    let what = Sending::Operation(what.expect("its operation"));
    let mut group = c.benchmark_group("protocol_write");
    for fan_out in [1, 20] {
        let recipients = (0..fan_out).map(|player| format!("player-{player:06}")).collect();
        let send = Send { recipients };
        assert_eq!(reference.write(what, &send).ok(), Some(write_as_struct(&send)));
        group.bench_function(format!("send_struct_{fan_out}"), |b| {
            b.iter(|| write_as_struct(black_box(&send)))
        });
        group.bench_function(format!("send_file_{fan_out}"), |b| {
            b.iter(|| reference.write(what, black_box(&send)));
        });
    }
    group.finish();
}

criterion_group!(benches, reading, writing);
criterion_main!(benches);
