//! The scenario file's shape. The doc comments become the JSON Schema's descriptions and the remedies in messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::duration::Span;

/// A load test: who plays, what they do, for how long, and what must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Name of the scenario: letters, digits, `-` and `_`.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]{1,64}$"))]
    pub name: String,
    /// What the scenario is for, in a sentence.
    #[serde(default)]
    pub description: String,
    /// Number of players, each with one socket: 1 to 1,000,000.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub players: u32,
    /// Seed of every random choice: the same seed gives the same arrivals, players and recipients.
    #[serde(default = "one")]
    pub seed: u64,
    /// What is tested. Left out: the embedded backend.
    #[serde(default)]
    pub target: Target,
    /// How players prove who they are.
    #[serde(default)]
    pub auth: Auth,
    /// How sockets are opened.
    #[serde(default)]
    pub sockets: Sockets,
    /// The stretches of the plan after the players have connected, in order.
    #[schemars(length(min = 1))]
    pub phases: Vec<Phase>,
    /// What players do. Left out: they only hold their sockets.
    #[serde(default)]
    pub operations: Operations,
    /// How pushes are awaited.
    #[serde(default)]
    pub deliveries: Deliveries,
    /// Rules with a verdict, e.g. `"send_message.response_time.p99 < 250ms"`. Left out: `"error_rate < 1%"`.
    #[serde(default = "default_thresholds")]
    pub thresholds: Vec<String>,
    /// Which server-side series are fetched after the run.
    #[serde(default)]
    pub cloudwatch: CloudWatch,
}

const fn one() -> u64 {
    1
}

fn default_thresholds() -> Vec<String> {
    vec!["error_rate < 1%".into()]
}

/// What is tested.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Target {
    /// `embedded`, or a `ws://` or `wss://` URL. `--target` overrides it.
    pub url: String,
    /// Profile of the embedded backend: `instant`, `aws-like`, or a profile file beside this scenario.
    pub profile: String,
}

impl Default for Target {
    fn default() -> Self {
        Self { url: "embedded".into(), profile: "aws-like".into() }
    }
}

/// How players prove who they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Auth {
    /// `token` (a signed player token), `header` (`X-Player-Id`, trusted by the server) or `none`.
    pub mode: AuthMode,
    /// Where a token travels: `header` (`Authorization: Bearer`) or `query` (`?token=`).
    pub placement: TokenPlacement,
    /// Base URL of the identity provider that issues the tokens (`POST /tokens`). Left out: the embedded backend's.
    pub issuer: Option<String>,
    /// What player ids begin with; the player's number follows.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]{1,32}$"))]
    pub player_prefix: String,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            mode: AuthMode::Token,
            placement: TokenPlacement::Header,
            issuer: None,
            player_prefix: "player-".into(),
        }
    }
}

/// How a player proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AuthMode {
    /// A signed player token (JWT).
    Token,
    /// The tutorial's `X-Player-Id` header.
    Header,
    /// No credentials at all.
    None,
}

/// Where a token travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TokenPlacement {
    /// `Authorization: Bearer …`.
    Header,
    /// `?token=…`.
    Query,
}

/// How sockets are opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sockets {
    /// Handshakes begun per second: 0.1 to 100,000. AWS allows 500 new connections a second by default.
    #[schemars(range(min = 0.1, max = 100_000.0))]
    pub connect_rate: f64,
    /// How long a handshake may take before it counts as timed out.
    pub connect_timeout: Span,
    /// Players that one goose user drives: 1 makes every player a goose user; 50 to 200 cost least.
    #[schemars(range(min = 1, max = 10_000))]
    pub per_goose_user: u32,
    /// Local addresses to open sockets from, in turn; 28,000 ports each. Left out: chosen for a loopback target.
    pub source_addresses: Vec<String>,
}

impl Default for Sockets {
    fn default() -> Self {
        Self {
            connect_rate: 500.0,
            connect_timeout: Span::from_secs(10),
            per_goose_user: 100,
            source_addresses: Vec::new(),
        }
    }
}

/// A stretch of the plan: the load is a factor on every operation's `rate`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// Name shown in the report. Left out: the kind.
    #[serde(default)]
    pub name: Option<String>,
    /// `hold` (constant), `ramp` (a line to `load`) or `spike` (up to `load` at half time and back).
    pub kind: PhaseKind,
    /// How long the phase lasts, e.g. `"30s"`.
    pub duration: Span,
    /// Load factor that is held, or reached: 1 means each operation's `rate`. 0 to 1,000.
    #[serde(default = "full_load")]
    #[schemars(range(min = 0.0, max = 1_000.0))]
    pub load: f64,
    /// Whether the phase's figures count for the summary and the thresholds; false makes it a warm-up.
    #[serde(default = "yes")]
    pub measured: bool,
}

const fn full_load() -> f64 {
    1.0
}

const fn yes() -> bool {
    true
}

/// The shape of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PhaseKind {
    /// Constant at `load`.
    Hold,
    /// A line from the load before it to `load`.
    Ramp,
    /// A triangle: from the load before it up to `load` at half time, and back.
    Spike,
}

/// What players do. Arrivals are open: they do not wait for answers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Operations {
    /// `sendMessage`: a message to several players.
    pub send_message: Option<SendMessage>,
    /// `sessionPlacementRequest`: asks for a place in a game session.
    pub placement_request: Option<Simple>,
    /// A route that the backend does not know.
    pub unknown_route: Option<Simple>,
}

/// `sendMessage`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendMessage {
    /// Arrivals per second at load 1: 0 to 1,000,000.
    #[schemars(range(min = 0.0, max = 1_000_000.0))]
    pub rate: f64,
    /// Recipients of each message (the lower bound where `fan_out_max` is given): 1 to 2,000.
    #[serde(default = "one_recipient")]
    #[schemars(range(min = 1, max = 2_000))]
    pub fan_out: u32,
    /// Upper bound of the recipients, drawn evenly between `fan_out` and this. Left out: always `fan_out`.
    #[serde(default)]
    #[schemars(range(min = 1, max = 2_000))]
    pub fan_out_max: Option<u32>,
    /// Length of the message text in bytes, 48 to 30,000; the first 48 hold the correlation.
    #[serde(default = "small_message")]
    #[schemars(range(min = 48, max = 30_000))]
    pub size: u32,
    /// How long the answer may take.
    #[serde(default = "ten_seconds")]
    pub timeout: Span,
}

/// An operation with a rate and nothing more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Simple {
    /// Arrivals per second at load 1: 0 to 1,000,000.
    #[schemars(range(min = 0.0, max = 1_000_000.0))]
    pub rate: f64,
    /// How long the answer may take.
    #[serde(default = "ten_seconds")]
    pub timeout: Span,
}

const fn one_recipient() -> u32 {
    1
}

const fn small_message() -> u32 {
    64
}

const fn ten_seconds() -> Span {
    Span::from_secs(10)
}

/// How pushes are awaited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Deliveries {
    /// After how long a message's push counts as lost.
    pub timeout: Span,
    /// After how long a placement's push counts as lost.
    pub placement_timeout: Span,
}

impl Default for Deliveries {
    fn default() -> Self {
        Self { timeout: Span::from_secs(10), placement_timeout: Span::from_secs(30) }
    }
}

/// Which server-side series are fetched after the run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CloudWatch {
    /// Whether to fetch at all. Left out: for the embedded backend, and wherever `functions` or `endpoint` is given.
    pub enabled: Option<bool>,
    /// Endpoint to ask instead of AWS, e.g. a local stack's `cloudwatch` URL.
    pub endpoint: Option<String>,
    /// AWS region; left out: the standard AWS chain.
    pub region: Option<String>,
    /// Full names of the stack's Lambda functions. Left out: all that `ListMetrics` shows with `function_prefix`.
    pub functions: Vec<String>,
    /// Only functions whose name begins so, e.g. `mygame-Staging-`.
    pub function_prefix: String,
    /// Length of a period in seconds: 60, or 1 where the endpoint has it (local stack). Left out: 1 embedded, else 60.
    pub period_s: Option<u32>,
}
