//! The trait behind which every protocol stands, and what is exchanged with it.

use std::borrow::Cow;
use std::fmt;

pub use crate::class::ErrorClass;
use crate::outline::Outline;
pub use crate::values::{Missing, Values};

/// How a backend talks. One object serves all players of a process; it keeps no state of a socket.
pub trait Protocol: Send + Sync + fmt::Debug {
    /// What the protocol has. Always the same.
    fn outline(&self) -> &Outline;

    /// The message of a send.
    ///
    /// # Errors
    /// [`Missing`] where a value that it needs is not there.
    fn write(&self, what: Sending, values: &dyn Values) -> Result<String, Missing>;

    /// What an answer to the operation holds that is matched by a field ([`Request::Field`]); `None` where it is matched
    /// otherwise.
    fn field(&self, operation: usize, values: &dyn Values) -> Option<String>;

    /// A part of the handshake that differs from player to player.
    ///
    /// # Errors
    /// [`Missing`] where a value that it needs is not there.
    fn handshake(&self, values: &dyn Values) -> Result<HandshakeParts, Missing>;

    /// A request of an operation that is polled over REST, the first one or a further one; `None` where it is not polled.
    ///
    /// # Errors
    /// [`Missing`] where a value that it needs is not there.
    fn ask(
        &self,
        operation: usize,
        asked: Asked,
        values: &dyn Values,
    ) -> Result<Option<RestRequest>, Missing> {
        let _ = (operation, asked, values);
        Ok(None)
    }

    /// Reads the answer to a request of an operation that is polled; `None` where it means nothing that the protocol knows.
    fn read_polled<'f>(&'f self, operation: usize, body: &'f str) -> Option<Polled<'f>> {
        let _ = (operation, body);
        None
    }

    /// The stamps of a push, in epoch microseconds and in the order of the [outline](crate::outline::Push::stamps); `None` where
    /// one is missing. Asked for only in traced runs, of a message that was read as this push.
    fn stamps(&self, push: usize, message: &str) -> Option<Vec<i64>> {
        let _ = (push, message);
        None
    }

    /// Reads a received message: offers each meaning that it may have, in the protocol's order, until one is taken.
    /// Returns what became of it.
    fn read(&self, message: &str, take: &mut dyn FnMut(Meaning<'_>) -> bool) -> Read;
}

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    /// An operation, by its number.
    Operation(usize),
    /// A step of the opening, by its number.
    Step(usize),
    /// The heartbeat.
    Heartbeat,
}

/// What became of a message that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// A meaning was taken.
    Taken,
    /// It has meanings, but none was taken: the answer to nothing that is awaited.
    Known,
    /// It means nothing that the protocol knows.
    Unclassified,
}

/// Which request of an operation that is polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// The one that asks for it.
    First,
    /// One that asks how it stands.
    Again,
}

/// A request to the target's REST API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestRequest {
    /// Its method, in capitals.
    pub method: &'static str,
    /// Its path below the API's URL, percent-encoded.
    pub path: String,
}

/// What the answer to a request of a polled operation says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Polled<'f> {
    /// How it stands.
    pub outcome: Outcome<'f>,
    /// Values to keep: number, value.
    pub keep: Vec<(usize, Cow<'f, str>)>,
}

/// What a handshake is made of beside the target's URL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HandshakeParts {
    /// Replaces the URL's path.
    pub path: Option<String>,
    /// Query parameters beside the URL's.
    pub query: Vec<(String, String)>,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Subprotocols that are offered.
    pub subprotocols: Vec<String>,
}

/// What a received message may mean.
#[derive(Debug, Clone, PartialEq)]
pub enum Meaning<'f> {
    /// The answer to a request.
    Answer {
        /// The operation.
        operation: usize,
        /// Which request.
        to: Request<'f>,
        /// How it ended.
        outcome: Outcome<'f>,
        /// Values to keep: number, value.
        keep: Vec<(usize, Cow<'f, str>)>,
    },
    /// A push.
    Push {
        /// Its number.
        push: usize,
        /// What links it to its send; `None` where the marker does.
        tie: Option<Cow<'f, str>>,
        /// Whether more pushes of the same send follow.
        outcome: PushOutcome<'f>,
    },
    /// An error that names no request: it fails one that is awaited.
    Error {
        /// What it says.
        said: Cow<'f, str>,
    },
    /// A step of the opening has been answered.
    Opened {
        /// Its number.
        step: usize,
        /// The number of the step's message, where the answer has it.
        id: Option<u64>,
        /// Why it failed, if it did.
        failed: Option<Cow<'f, str>>,
        /// Values to keep.
        keep: Vec<(usize, Cow<'f, str>)>,
    },
    /// The heartbeat has been answered.
    HeartbeatAnswer {
        /// Which one, where the answer has the number of its message.
        id: Option<u64>,
    },
    /// Something that is to be answered at once with this message.
    Reply(String),
    /// Something that the protocol has and that nobody waits for.
    Ignored,
}

impl Meaning<'_> {
    /// A copy that outlives the message, each of its texts as `shown` makes it.
    #[must_use]
    pub fn shown(&self, shown: &dyn Fn(&str) -> String) -> Meaning<'static> {
        let text = |text: &Cow<'_, str>| Cow::Owned(shown(text));
        let kept = |keep: &[(usize, Cow<'_, str>)]| {
            keep.iter().map(|(number, value)| (*number, text(value))).collect::<Vec<_>>()
        };
        match self {
            Self::Answer { operation, to, outcome, keep } => Meaning::Answer {
                operation: *operation,
                to: match to {
                    Request::Id(id) => Request::Id(*id),
                    Request::Field(value) => Request::Field(text(value)),
                    Request::Echo => Request::Echo,
                    Request::Oldest => Request::Oldest,
                },
                outcome: outcome.shown(shown),
                keep: kept(keep),
            },
            Self::Push { push, tie, outcome } => Meaning::Push {
                push: *push,
                tie: tie.as_ref().map(text),
                outcome: match outcome {
                    PushOutcome::Final => PushOutcome::Final,
                    PushOutcome::Failed(class) => PushOutcome::Failed(shown(class).into()),
                    PushOutcome::Progress => PushOutcome::Progress,
                },
            },
            Self::Error { said } => Meaning::Error { said: text(said) },
            Self::Opened { step, id, failed, keep } => {
                Meaning::Opened { step: *step, id: *id, failed: failed.as_ref().map(text), keep: kept(keep) }
            }
            Self::HeartbeatAnswer { id } => Meaning::HeartbeatAnswer { id: *id },
            Self::Reply(reply) => Meaning::Reply(shown(reply)),
            Self::Ignored => Meaning::Ignored,
        }
    }
}

/// Which request an answer belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request<'f> {
    /// The one whose message has this number.
    Id(u64),
    /// The one whose message held this value.
    Field(Cow<'f, str>),
    /// The one whose marker the message holds.
    Echo,
    /// The oldest of the operation.
    Oldest,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<'f> {
    /// As expected.
    Ok,
    /// Otherwise.
    Failed(ErrorClass<'f>),
    /// It has not ended: more will come.
    Pending,
}

impl Outcome<'_> {
    /// A copy that outlives the message, its text as `shown` makes it.
    #[must_use]
    pub fn shown(&self, shown: &dyn Fn(&str) -> String) -> Outcome<'static> {
        match self {
            Self::Ok => Outcome::Ok,
            Self::Failed(class) => Outcome::Failed(shown(class).into()),
            Self::Pending => Outcome::Pending,
        }
    }
}

/// What a push says of its send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushOutcome<'f> {
    /// It is the one that was awaited.
    Final,
    /// It is the one, and says that what was asked for has failed.
    Failed(ErrorClass<'f>),
    /// The one that is awaited will follow.
    Progress,
}
