//! What a protocol has: its operations, pushes and kept values by name, without their messages.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

/// What a protocol has. Numbers of operations, pushes, steps and kept values are positions in these lists.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outline {
    /// The protocol's name.
    pub name: String,
    /// What it is for, in a sentence.
    pub description: String,
    /// What a handshake is made of.
    pub handshake: Handshake,
    /// Whether the handshake or a message holds the player's credential (`${token}`).
    pub token: bool,
    /// Whether an operation's message or request, or the heartbeat's, does, so that it is needed as long as the socket is open.
    pub token_in_operations: bool,
    /// How messages lie in frames.
    pub frames: Frames,
    /// What happens on every new socket before its player is ready, in order; empty: nothing.
    pub opening: Vec<Step>,
    /// What keeps a quiet socket open.
    pub heartbeat: Option<Heartbeat>,
    /// What players can do.
    pub operations: Vec<Operation>,
    /// What is pushed to players.
    pub pushes: Vec<Push>,
    /// Names of the values that are kept from received messages.
    pub kept: Vec<String>,
    /// What the target's close codes mean.
    pub close: BTreeMap<u16, Close>,
    /// How everything else that is received is known.
    pub known: Known,
}

/// How what is received is known that is neither an answer nor a push, in words; empty where that is left unsaid.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// What each step of the opening awaits.
    pub opening: Vec<String>,
    /// What answers the heartbeat.
    pub heartbeat: String,
    /// What is answered at once.
    pub replies: Vec<Reply>,
    /// Errors that name no request.
    pub errors: Vec<String>,
    /// What is of no interest.
    pub ignored: Vec<String>,
}

/// What is answered at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// How it is known, in words.
    pub shape: String,
    /// The answer, with places for values.
    pub send: String,
}

/// What a handshake is made of beside the target's URL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Handshake {
    /// Whether path, query, headers and subprotocols differ from player to player.
    pub by_player: bool,
    /// How many subprotocols are offered; the answer must name one of them.
    pub subprotocols: usize,
    /// What does its work.
    pub resources: Resources,
}

/// The parts of a backend that do the work of an operation, as their names end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resources {
    /// Lambda functions, in the order in which the work passes them.
    pub functions: Vec<String>,
    /// DynamoDB tables that they read or write.
    pub tables: Vec<String>,
    /// GameLift queues that it waits for.
    pub queues: Vec<String>,
}

/// How messages lie in frames.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frames {
    /// What stands after each message that is sent.
    pub join: String,
    /// What parts the messages of a received frame.
    pub split: Split,
    /// Whether messages leave as binary frames.
    pub binary: bool,
}

/// What parts the messages of a received frame.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Split {
    /// A frame is a message.
    #[default]
    Whole,
    /// Each message ends with this text, or the frame does.
    At(String),
    /// A frame is a JSON array of messages.
    Array,
}

/// A step of the opening.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// Its name in messages.
    pub name: String,
    /// Whether something is sent.
    pub sends: bool,
    /// Whether something is awaited.
    pub awaits: bool,
    /// How long after it nothing else is done: for what the protocol does not confirm.
    pub settle: Duration,
}

/// What keeps a quiet socket open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heartbeat {
    /// How often it is sent.
    pub every: Duration,
    /// Whether a message is sent; else a ping frame.
    pub sends: bool,
    /// Whether it is answered.
    pub answered: bool,
    /// The longest time without any frame of the target, after which the socket counts as dead.
    pub silence: Option<Duration>,
}

/// What a player can do.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Operation {
    /// Its name: letters, digits and `_`.
    pub name: String,
    /// What it does, in a sentence.
    pub description: String,
    /// Whether an answer is awaited.
    pub answered: bool,
    /// How its answer is known, in words; empty where that is left unsaid.
    pub answer: String,
    /// The push that it leads to.
    pub push: Option<usize>,
    /// Whether its message holds a text that the generator makes, with a marker in it.
    pub text: bool,
    /// Whether its message names other players.
    pub recipients: bool,
    /// What a scenario may set, with its default.
    pub parameters: BTreeMap<String, Value>,
    /// What does its work.
    pub resources: Resources,
    /// What it asks of AWS beside its messages.
    pub work: Work,
    /// Where it is not sent over the socket but polled over REST.
    pub poll: bool,
    /// Bytes of its message beside what differs from send to send.
    pub bytes: usize,
}

/// What an operation asks of AWS beside its messages, for forecasts.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Work {
    /// Lambda invocations.
    pub invocations: f64,
    /// DynamoDB read units.
    pub reads: f64,
    /// Items that are written to DynamoDB, indexes included; each is as large as the message.
    pub writes: f64,
    /// SNS publishes.
    pub publishes: f64,
    /// Records that a stream hands over.
    pub stream_records: f64,
    /// WebSocket messages that the protocol does not tell of.
    pub messages: f64,
}

/// What is pushed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Push {
    /// Its name.
    pub name: String,
    /// The operation that it comes of.
    pub operation: usize,
    /// What links a push to its send.
    pub tie: Tie,
    /// Who gets it.
    pub to: Audience,
    /// Whether the sender gets it too, where it goes to several.
    pub sender: bool,
    /// How it is known, in words; empty where that is left unsaid.
    pub shape: String,
    /// When the stages of its way through the backend began, in their order; empty: it does not say.
    pub stamps: Vec<Stamp>,
    /// Of each push, what the backend does.
    pub work: Work,
}

/// When a stage of a push's way through the backend began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Its name.
    pub name: String,
    /// The name of the hop from the stamp before it, or from the send, to this one.
    pub hop: String,
    /// How much later than it says the instant may be, in microseconds: at least 1.
    pub resolution_us: u32,
    /// The function in which that hop is spent, as in [`Resources`]; empty: none, or it is not known.
    pub function: String,
}

/// The name of the hop from the last stamp to the player that receives the push.
pub const LAST_HOP: &str = "to_player";

/// What links a push to its send.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tie {
    /// The marker in the relayed text, anywhere in the message.
    #[default]
    Marker,
    /// A value that the answer brought: number of the kept value.
    Kept(usize),
    /// The player that receives it: it belongs to its oldest open request.
    Player,
}

/// Who gets a push.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Audience {
    /// The players that the message names.
    #[default]
    Recipients,
    /// Everyone in the sender's room.
    Room,
    /// Every player.
    Everyone,
    /// The sender alone.
    Sender,
}

/// What a close code of the target means.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Close {
    /// The error class under which the end of the socket counts.
    pub class: String,
    /// What the player does then.
    pub retry: Retry,
}

/// What a player does whose socket was closed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Retry {
    /// What the scenario's `[reconnect]` says.
    #[default]
    Policy,
    /// It stays away.
    No,
    /// It connects again at once.
    AtOnce,
}
