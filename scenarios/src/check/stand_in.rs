//! The reference protocol, as long as none is read from a file.

use protocol::outline::{Audience, Operation, Outline, Push, Tie, Work};
use protocol::protocol::{HandshakeParts, Meaning, Missing, Protocol, Read, Sending, Values};

/// The reference protocol's outline and messages.
#[derive(Debug)]
pub(super) struct StandIn(Outline);

impl Default for StandIn {
    fn default() -> Self {
        let operation =
            |name: &str, work| Operation { name: name.into(), answered: true, work, ..Operation::default() };
        let none = Work::default();
        let message = Work { invocations: 1.0, ..none };
        let placement =
            Work { invocations: 2.0, reads: 1.0, writes: 4.0, publishes: 1.0, stream_records: 2.0, ..none };
        let polled = Work { invocations: 3.0, reads: 2.5, messages: 1.0, ..placement };
        Self(Outline {
            name: "reference".into(),
            description: "The reference backend.".into(),
            operations: vec![
                Operation {
                    text: true,
                    recipients: true,
                    push: Some(0),
                    ..operation("send_message", message)
                },
                Operation { push: Some(1), ..operation("placement_request", placement) },
                operation("unknown_route", message),
                Operation { poll: true, ..operation("placement_poll", polled) },
            ],
            pushes: vec![
                Push {
                    name: "message".into(),
                    operation: 0,
                    work: Work { reads: 1.0, writes: 2.0, stream_records: 1.0, ..none },
                    ..Push::default()
                },
                Push {
                    name: "placement".into(),
                    operation: 1,
                    tie: Tie::Kept(0),
                    to: Audience::Sender,
                    work: Work { reads: 0.5, ..none },
                    ..Push::default()
                },
            ],
            kept: vec!["placement".into()],
            ..Outline::default()
        })
    }
}

impl Protocol for StandIn {
    fn outline(&self) -> &Outline {
        &self.0
    }

    fn write(&self, what: Sending, values: &dyn Values) -> Result<String, Missing> {
        let id = values.id();
        Ok(match what {
            Sending::Operation(0) => format!(
                r#"{{"route":"sendMessage","id":"{id}","body":{{"playerIds":{},"message":"{}"}}}}"#,
                serde_json::Value::from(values.recipients().into_owned()),
                values.text()
            ),
            Sending::Operation(1) => {
                format!(r#"{{"route":"sessionPlacementRequest","id":"{id}","body":{{}}}}"#)
            }
            _ => format!(r#"{{"route":"loadgenUnknownRoute","id":"{id}","body":{{}}}}"#),
        })
    }

    fn field(&self, _: usize, _: &dyn Values) -> Option<String> {
        None
    }

    fn handshake(&self, _: &dyn Values) -> Result<HandshakeParts, Missing> {
        Ok(HandshakeParts::default())
    }

    fn read(&self, _: &str, _: &mut dyn FnMut(Meaning<'_>) -> bool) -> Read {
        Read::Unclassified
    }
}
