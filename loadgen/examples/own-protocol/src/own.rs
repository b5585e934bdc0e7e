//! The protocol: a game whose messages are [netstrings](super::netstrings), which no protocol file can take apart.
//!
//! ```text
//! > HELLO player                    < WELCOME session        the opening
//! > SAY session id text player…     < OK id, or NO id reason the answer
//!                                   < SAID sender text       to each of the players
//!                                   < PING number            > PONG number
//! ```

use std::collections::BTreeMap;

use protocol::outline::{Audience, Close, Operation, Outline, Push, Retry, Step, Tie};
use protocol::protocol::{
    HandshakeParts, Meaning, Missing, Outcome, Protocol, PushOutcome, Read, Request, Sending, Values,
};

use crate::netstrings::{join, split};

/// Numbers are positions in the outline's lists.
const HELLO: usize = 0;
const SAY: usize = 0;
const SAID: usize = 0;
const SESSION: usize = 0;

/// The protocol.
#[derive(Debug)]
pub(crate) struct Own {
    outline: Outline,
}

impl Own {
    /// With what scenarios, thresholds and reports have to know of it.
    pub(crate) fn new() -> Self {
        let hello = Step { name: "hello".into(), sends: true, awaits: true, ..Step::default() };
        let say = Operation {
            name: "say".into(),
            description: "Says a text to the players that it names.".into(),
            answered: true,
            answer: "OK or NO with its number".into(),
            push: Some(SAID),
            text: true,
            recipients: true,
            bytes: 24,
            ..Operation::default()
        };
        let said = Push {
            name: "said".into(),
            operation: SAY,
            tie: Tie::Marker,
            to: Audience::Recipients,
            shape: "SAID in its first part".into(),
            ..Push::default()
        };
        let banned = Close { class: "banned".into(), retry: Retry::No };
        Self {
            outline: Outline {
                name: "own".into(),
                description: "A game with messages of its own format.".into(),
                opening: vec![hello],
                operations: vec![say],
                pushes: vec![said],
                kept: vec!["session".into()],
                close: BTreeMap::from([(4403, banned)]),
                ..Outline::default()
            },
        }
    }
}

impl Protocol for Own {
    fn outline(&self) -> &Outline {
        &self.outline
    }

    fn write(&self, what: Sending, values: &dyn Values) -> Result<String, Missing> {
        match what {
            Sending::Step(HELLO) => Ok(join(["HELLO", &*values.player()])),
            Sending::Operation(SAY) => {
                // Nothing is sent where a value is missing: the send counts as unsent.
                let session = values.kept(SESSION).ok_or_else(|| missing("session"))?;
                let (id, text, recipients) = (values.id().to_string(), values.text(), values.recipients());
                let first = ["SAY", &*session, &*id, &*text];
                Ok(join(first.into_iter().chain(recipients.iter().map(String::as_str))))
            }
            // The outline has no others.
            Sending::Step(_) | Sending::Operation(_) | Sending::Heartbeat => Err(missing("message")),
        }
    }

    fn field(&self, _operation: usize, _values: &dyn Values) -> Option<String> {
        // Answers have the number of their request.
        None
    }

    fn handshake(&self, _values: &dyn Values) -> Result<HandshakeParts, Missing> {
        Ok(HandshakeParts::default())
    }

    fn read(&self, message: &str, take: &mut dyn FnMut(Meaning<'_>) -> bool) -> Read {
        let parts = split(message).unwrap_or_default();
        let meaning = match parts.as_slice() {
            ["PING", number] => Meaning::Reply(join(["PONG", number])),
            ["WELCOME", session] => Meaning::Opened {
                step: HELLO,
                id: None,
                failed: None,
                keep: vec![(SESSION, (*session).into())],
            },
            ["OK", id] => answer(id, Outcome::Ok),
            // A class has small letters, digits and `_`; loadgen makes one of any text.
            ["NO", id, reason] => answer(id, Outcome::Failed((*reason).into())),
            // The marker in the text says to which send it belongs, wherever it stands in the message.
            ["SAID", _sender, _text] => Meaning::Push { push: SAID, tie: None, outcome: PushOutcome::Final },
            _ => return Read::Unclassified,
        };
        // Whether it is taken depends on what is awaited.
        if take(meaning) { Read::Taken } else { Read::Known }
    }
}

/// The answer to the request of this number. One that is no number answers nothing: `0` is never given.
fn answer<'m>(id: &str, outcome: Outcome<'m>) -> Meaning<'m> {
    let to = Request::Id(id.parse().unwrap_or(0));
    Meaning::Answer { operation: SAY, to, outcome, keep: Vec::new() }
}

fn missing(name: &str) -> Missing {
    Missing { name: name.into() }
}

#[cfg(test)]
mod tests {
    use protocol::template::Sample;

    use super::*;

    /// What a message means at first, and what becomes of it where that is taken or not.
    fn read(message: &str, taken: bool) -> (Option<String>, Read) {
        let mut meant = None;
        let read = Own::new().read(message, &mut |meaning| {
            meant = Some(format!("{meaning:?}"));
            taken
        });
        (meant, read)
    }

    #[test]
    fn every_message_of_the_game_is_known() {
        for (parts, meant) in [
            (&["PING", "7"][..], "Reply(\"4:PONG,1:7,\")"),
            (&["WELCOME", "s1"], "Opened { step: 0"),
            (&["OK", "7"], "to: Id(7), outcome: Ok"),
            (&["NO", "7", "offline"], "to: Id(7), outcome: Failed(\"offline\")"),
            (&["SAID", "player-1", "lg1:"], "Push { push: 0"),
        ] {
            let message = join(parts.iter().copied());
            let (said, taken) = read(&message, true);
            assert!(said.is_some_and(|said| said.contains(meant)), "{message}");
            assert_eq!((taken, read(&message, false).1), (Read::Taken, Read::Known));
        }
        for message in ["", "3:SAY,", "OK 7", "2:OK,"] {
            assert_eq!(read(message, true), (None, Read::Unclassified), "{message}");
        }
    }

    #[test]
    fn what_players_say_is_written_once_the_session_is_known() {
        let own = Own::new();
        assert_eq!(own.write(Sending::Step(HELLO), &Sample::default()).unwrap(), "5:HELLO,8:player-0,");
        let unsent = own.write(Sending::Operation(SAY), &Sample::default());
        assert_eq!(unsent, Err(missing("session")));
        let session = ["s1".to_owned()];
        let sent = own.write(Sending::Operation(SAY), &Sample { kept: &session, ..Sample::default() });
        let parts = sent.unwrap();
        let parts = split(&parts).unwrap();
        assert_eq!(parts[..3], ["SAY", "s1", "1"]);
        assert!(parts[3].starts_with("lg1:"));
        assert_eq!(parts[4..], ["player-1", "player-2"]);
    }
}
