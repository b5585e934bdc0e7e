//! The shape of an operation, of its answer and of its push. The doc comments become the JSON Schema's descriptions and the
//! remedies in messages.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::rule::{Rule, Rules};

/// What players can do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Operation {
    /// What it does, in a sentence.
    pub description: String,
    /// The message, e.g. `'{"action":"say","id":"${id}","text":"${text}"}'`; it may hold `${id}`, `${player}`, `${recipients}`, `${recipient}`, `${text}`, `${token}`, `${room}`, `${now_ms}`, kept values and parameters.
    pub send: Option<String>,
    /// Names that a scenario may set in `[operations.NAME]`, with their defaults, e.g. `{ mode = "ranked" }`.
    pub parameters: BTreeMap<String, Value>,
    /// How the names of the Lambda functions end that do its work, in the order in which it passes them, e.g. `["SendMessage", "OnMessageInserted"]`.
    pub functions: Vec<String>,
    /// How the names of the DynamoDB tables end that they read or write, e.g. `["Messages"]`.
    pub tables: Vec<String>,
    /// How the names of the GameLift queues end that it waits for, e.g. `["Queue"]`.
    pub queues: Vec<String>,
    /// What one of it asks of AWS beside its own messages, for forecasts, e.g. `{ invocations = 1.0 }`.
    pub work: Work,
    /// Its answer, e.g. `{ by = "id", at = "/id", ok = { "/status" = "ok" } }`; `{ by = "none" }` if there is none.
    pub answer: Option<Answer>,
    /// Several forms of its answer, tried in order.
    pub answers: Option<Vec<Answer>>,
    /// Requests to the REST API instead of a message over the socket.
    pub poll: Option<Poll>,
    /// What it leads to: a push to other players, or the outcome of what was asked for.
    pub push: Option<Push>,
}

/// What is asked of AWS, for forecasts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Work {
    /// Lambda invocations.
    #[schemars(range(min = 0.0, max = 1_000_000.0))]
    pub invocations: f64,
    /// DynamoDB read units.
    #[schemars(range(min = 0.0, max = 1_000_000.0))]
    pub reads: f64,
    /// Items that are written to DynamoDB, indexes included; each is as large as the message.
    #[schemars(range(min = 0.0, max = 1_000_000.0))]
    pub writes: f64,
    /// SNS publishes.
    #[schemars(range(min = 0.0, max = 1_000_000.0))]
    pub publishes: f64,
    /// Records that a stream hands over.
    #[schemars(range(min = 0.0, max = 1_000_000.0))]
    pub stream_records: f64,
    /// WebSocket messages that the protocol does not tell of.
    #[schemars(range(min = 0.0, max = 1_000_000.0))]
    pub messages: f64,
}

/// How an answer finds its request, and whether it is a good one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// `id` (it holds the number of the request's message), `field` (it holds a value of the request's), `echo` (it holds the request's text), `order` (it answers the oldest request of the operation) or `none`.
    pub by: By,
    /// Pointer to the number or the value, e.g. `"/id"`.
    #[serde(default)]
    pub at: Option<String>,
    /// With `by = "field"`: the value that the request held, e.g. `"room:${room}"`.
    #[serde(default)]
    pub is: Option<String>,
    /// What else must hold of it, e.g. `{ "/type" = "ack" }`.
    #[serde(default)]
    pub when: Option<Rule>,
    /// A good answer, e.g. `{ "/statusCode" = { from = 200, to = 299 } }`.
    #[serde(default)]
    pub ok: Option<Rules>,
    /// A bad one, e.g. `{ "/error" = true }`.
    #[serde(default)]
    pub failed: Option<Rules>,
    /// One that does not end the request.
    #[serde(default)]
    pub ignore: Option<Rules>,
    /// Values of a good answer that are kept for later messages and pushes, e.g. `{ ticket = "/ticket" }`.
    #[serde(default)]
    pub keep: BTreeMap<String, String>,
    /// Error class of a bad one, e.g. `"status_${/statusCode}"`. Default: `answer_failed`.
    #[serde(default)]
    pub class: Option<String>,
}

impl Answer {
    /// How it is known and judged, in words; `None` where there is none.
    #[must_use]
    pub fn words(&self) -> Option<String> {
        let at = self.at.as_deref().unwrap_or("the place of `${id}`");
        let found = match self.by {
            By::Id => format!("one with the request's number at {at}"),
            By::Field => format!("one with `{}` at {at}", self.is.as_deref().unwrap_or_default()),
            By::Echo => "one that repeats the text".to_owned(),
            By::Order => "one for the oldest open request".to_owned(),
            By::None => return None,
        };
        let otherwise = match (self.by, &self.ok, &self.failed) {
            (By::Order, ..) => None,
            (_, Some(_), _) => Some("failed otherwise"),
            (_, None, Some(_)) => Some("good otherwise"),
            (_, None, None) => Some("always good"),
        };
        let when = self.when.as_ref().map(|when| format!(" where {}", when.words()));
        let judged = [
            self.ignore.as_ref().map(|ignore| format!("another will follow where {}", ignore.words())),
            self.failed.as_ref().map(|failed| format!("failed where {}", failed.words())),
            self.ok.as_ref().map(|ok| format!("good where {}", ok.words())),
            otherwise.map(str::to_owned),
        ];
        let judged: Vec<_> = judged.into_iter().flatten().collect();
        Some(format!(
            "{found}{} ({}{}{})",
            when.unwrap_or_default(),
            judged.join(", "),
            class_words(self.class.as_deref()),
            keep_words(&self.keep)
        ))
    }
}

/// The error class that a file gives, in words.
fn class_words(class: Option<&str>) -> String {
    class.map_or_else(String::new, |class| format!("; error class `{class}`"))
}

/// What is kept, in words.
fn keep_words(keep: &BTreeMap<String, String>) -> String {
    let kept = keep.iter().map(|(name, at)| format!("; `{name}` is kept from {at}"));
    kept.collect()
}

/// How an answer finds its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// By the number of the request's message.
    Id,
    /// By a value that the request held.
    Field,
    /// By the text that the request held.
    Echo,
    /// It answers the oldest request of the operation.
    Order,
    /// There is no answer.
    None,
}

/// What is pushed, to whom, and what links it to its send.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Push {
    /// Its name in reports and thresholds. Default: the operation's.
    #[serde(default)]
    pub name: Option<String>,
    /// How it is known, e.g. `{ "/type" = "message" }`.
    pub when: Rule,
    /// What links it to its send: `marker` (the text that the operation sent, anywhere in it), `{ kept = "ticket", at = "/ticket" }` (a value that the answer brought), or `{ player = true }` (the oldest open request of the player that receives it).
    #[serde(default)]
    pub tie: Tie,
    /// Who gets it: `recipients` (whom the message names), `room`, `everyone` or `sender`. Default: `recipients` where the message names them, `sender` where it is tied by a kept value or the player.
    #[serde(default)]
    pub to: Option<To>,
    /// Whether the sender gets it too, where it goes to several.
    #[serde(default)]
    pub sender: bool,
    /// The one that is awaited, where others come before it, e.g. `{ "/state" = "READY" }`.
    #[serde(default, rename = "final")]
    pub last: Option<Rules>,
    /// The one that says that what was asked for has failed.
    #[serde(default)]
    pub failed: Option<Rules>,
    /// Error class of what failed, e.g. `"placement_${/state}"`; without `failed`, whatever is not `final` has failed. Default: `push_failed`.
    #[serde(default)]
    pub class: Option<String>,
    /// What each push asks of AWS beside its own message, for forecasts.
    #[serde(default)]
    pub work: Work,
}

impl Push {
    /// How it is known and judged, in words.
    #[must_use]
    pub fn words(&self) -> String {
        let otherwise = match (&self.last, &self.failed, &self.class) {
            (None, None, _) => None,
            (None, Some(_), _) => Some("awaited otherwise"),
            (Some(_), None, Some(_)) => Some("failed otherwise"),
            (Some(_), ..) => Some("another will follow otherwise"),
        };
        let judged = [
            self.failed.as_ref().map(|failed| format!("failed where {}", failed.words())),
            self.last.as_ref().map(|last| format!("awaited where {}", last.words())),
            otherwise.map(str::to_owned),
        ];
        let judged: Vec<_> = judged.into_iter().flatten().collect();
        let when = self.when.words();
        if judged.is_empty() {
            return when;
        }
        format!("{when} ({}{})", judged.join(", "), class_words(self.class.as_deref()))
    }
}

/// What links a push to its send.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Tie {
    /// A word.
    Word(TieWord),
    /// A kept value, or the player.
    Value(TieValue),
}

impl Default for Tie {
    fn default() -> Self {
        Self::Word(TieWord::Marker)
    }
}

/// The one tie that is a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TieWord {
    /// The marker in the text.
    Marker,
}

/// `{ kept = "ticket", at = "/ticket" }` or `{ player = true }`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TieValue {
    /// Name of a value that the operation's answer keeps.
    pub kept: Option<String>,
    /// Pointer to the same value in the push, e.g. `"/ticket"`.
    pub at: Option<String>,
    /// The player that receives it.
    pub player: bool,
}

/// Who gets a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum To {
    /// The players that the message names.
    Recipients,
    /// Everyone in the sender's room.
    Room,
    /// Every player.
    Everyone,
    /// The sender alone.
    Sender,
}

/// An operation over REST: asked for once, and again until it has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Poll {
    /// The first request: method and path below the REST API's URL, e.g. `"POST /placements"`. Values are percent-encoded.
    pub start: String,
    /// Every further one, e.g. `"GET /placements/${placement}"`. Values are percent-encoded.
    pub again: String,
    /// Values of an answer that are kept for the next request, e.g. `{ placement = "/placementId" }`.
    #[serde(default)]
    pub keep: BTreeMap<String, String>,
    /// The answer that is awaited, e.g. `{ "/status" = "FULFILLED" }`.
    #[serde(rename = "final")]
    pub last: Rules,
    /// Answers after which it is asked again. Default: all that are neither `final` nor `failed`.
    #[serde(default)]
    pub pending: Option<Rules>,
    /// Answers that say that it has failed. Default: all that are neither `final` nor `pending`.
    #[serde(default)]
    pub failed: Option<Rules>,
    /// Error class of what failed, e.g. `"placement_${/status}"`. Default: `answer_failed`.
    #[serde(default)]
    pub class: Option<String>,
}

impl Poll {
    /// What is asked and how its answers are judged, in words.
    #[must_use]
    pub fn words(&self) -> String {
        let Self { start, again, keep, last, pending, failed, class } = self;
        let otherwise = match (pending, failed) {
            (None, _) => Some("asked again otherwise"),
            (Some(_), None) => Some("failed otherwise"),
            (Some(_), Some(_)) => None,
        };
        let judged = [
            Some(format!("good where {}", last.words())),
            failed.as_ref().map(|failed| format!("failed where {}", failed.words())),
            pending.as_ref().map(|pending| format!("asked again where {}", pending.words())),
            otherwise.map(str::to_owned),
        ];
        let judged: Vec<_> = judged.into_iter().flatten().collect();
        format!(
            "`{start}`, then `{again}` until it is settled ({}{}{})",
            judged.join(", "),
            class_words(class.as_deref()),
            keep_words(keep)
        )
    }
}
