//! The scenario file's shape. The doc comments become the JSON Schema's descriptions and the remedies in messages.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::keys::auth::{Auth, AuthMode, TokenPlacement, UsualPlacement};
pub use crate::keys::disruptions::{Churn, HalfOpen, Malformed, Reconnect, SlowReaders, Storm};
use crate::keys::duration::Span;
use crate::keys::feeders::ColumnFeeder;
use crate::keys::journeys::Journey;
pub use crate::keys::operations::{ModelKind, OperationKeys, Spacing};
use crate::keys::rooms::Rooms;
pub use crate::keys::thresholds::{Rule, RuleTable};
use crate::keys::units;
pub use crate::keys::way::{HeaderSource, HeaderText};

/// A load test: who plays, what they do, for how long, and what must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-renamed" = { "lives": "churn" }))]
pub struct Scenario {
    /// Name of the scenario: letters, digits, `-` and `_`.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]{1,64}$"), extend("examples" = ["evening"]))]
    pub name: String,
    /// What the scenario is for, in a sentence.
    #[serde(default)]
    pub description: String,
    /// Number of players, each with one socket: 1 to 1,000,000.
    #[schemars(range(min = 1, max = 1_000_000))]
    #[schemars(transform = units::as_count)]
    pub players: u32,
    /// Seed of every random choice: the same seed gives the same arrivals, players and recipients.
    #[serde(default = "one")]
    pub seed: u64,
    /// What is tested. Default: the embedded backend.
    #[serde(default)]
    pub target: Target,
    /// The messages: a protocol that ships, by name, or the path of a file beside this scenario. `--protocol` overrides it.
    #[serde(default = "reference")]
    pub protocol: String,
    /// How players prove who they are.
    #[serde(default)]
    pub auth: Auth,
    /// How sockets are opened.
    #[serde(default)]
    pub sockets: Sockets,
    /// The stretches of the plan after the players have connected, in order.
    #[schemars(length(min = 1))]
    pub phases: Vec<Phase>,
    /// What players do of the protocol's operations, by name. Default: they only hold their sockets.
    #[serde(default)]
    pub operations: BTreeMap<String, OperationKeys>,
    /// Files whose columns are values for the parameters of operations.
    #[serde(default)]
    pub feeders: Vec<ColumnFeeder>,
    /// Rooms that players are in. Default: all in one.
    #[serde(default)]
    pub rooms: Rooms,
    /// How pushes are awaited.
    #[serde(default)]
    pub deliveries: Deliveries,
    /// What players do in order; each has one journey, shared out by their weights. Default: none.
    #[serde(default)]
    pub journeys: Vec<Journey>,
    /// Players that leave and come back. Default: every player stays.
    #[serde(default)]
    pub churn: Option<Churn>,
    /// What a player does when its socket is lost or its handshake refused.
    #[serde(default)]
    pub reconnect: Reconnect,
    /// Shares of the sockets that are cut at an instant.
    #[serde(default)]
    pub storms: Vec<Storm>,
    /// Players that read slowly.
    #[serde(default)]
    pub slow_readers: Option<SlowReaders>,
    /// Players that fall silent.
    #[serde(default)]
    pub half_open: Option<HalfOpen>,
    /// What no client should send.
    #[serde(default)]
    pub malformed: Option<Malformed>,
    /// Rules with a verdict, e.g. `"send_message.response_time.p99 < 250ms"`. Default: less than 1 % of the arrivals, of
    /// the sockets and of each kind of delivery goes wrong. `[]`: nothing is judged.
    #[serde(default)]
    pub thresholds: Option<Vec<Rule>>,
    /// Which server-side series are fetched after the run.
    #[serde(default)]
    pub cloudwatch: CloudWatch,
    /// How the names of the Lambda functions end that do the work of an operation, in the order in which it passes them, instead of what the protocol says, e.g. `{ connect = ["Authorizer", "Connect"], send_message = ["SendMessage", "OnMessageInserted"] }`.
    #[serde(default)]
    pub functions: BTreeMap<String, Vec<String>>,
    /// How the names of the DynamoDB tables end that an operation reads or writes, instead of what the protocol says, e.g. `{ send_message = ["Messages"] }`.
    #[serde(default)]
    pub tables: BTreeMap<String, Vec<String>>,
    /// How the names of the GameLift queues end that an operation waits for, instead of what the protocol says, e.g. `{ placement_request = ["Queue"] }`.
    #[serde(default)]
    pub queues: BTreeMap<String, Vec<String>>,
    /// What AWS asks.
    #[serde(default)]
    pub prices: Prices,
}

impl Scenario {
    /// Characters of the longest name.
    pub const LONGEST_NAME: usize = 64;
}

const fn one() -> u64 {
    1
}

fn reference() -> String {
    "reference".into()
}

/// What is tested.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Target {
    /// `embedded`, or a `ws://` or `wss://` URL. `--target` overrides it.
    pub url: String,
    /// The target's REST API, where placements can be polled, e.g. `"https://ID.execute-api.REGION.amazonaws.com/STAGE"`. Default: the embedded backend's own.
    pub rest: Option<String>,
    /// Profile of the embedded backend: `instant`, `aws-like`, or a profile file beside this scenario.
    pub profile: String,
    /// Query parameters of the URLs that are no secrets, e.g. `["tenant"]`: others than the usual ones (`v`, `region` and
    /// the like) are refused, since the run folder would keep them.
    pub harmless_parameters: Vec<String>,
    /// Headers of every handshake and REST request beside our own, e.g. `{ Origin = "https://game.example" }`; `User-Agent` replaces ours. A value that proves who somebody is comes from outside: `{ env = "NAME" }` or `{ file = "PATH" }`.
    pub headers: BTreeMap<String, HeaderText>,
    /// Subprotocols that a handshake offers (`Sec-WebSocket-Protocol`); the answer must name one of them.
    pub subprotocols: Vec<String>,
    /// HTTP proxy through which sockets go (`CONNECT`): `"http://HOST:PORT"`, or `"env"` for what `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say. Default: none. A target on this machine is never asked through it.
    pub proxy: Option<String>,
    /// PEM file with certificates that are trusted beside the system's: the target's authority, or its own self-signed certificate.
    pub ca_file: Option<String>,
    /// PEM file with the certificate that the players show, and those that vouch for it.
    pub client_cert_file: Option<String>,
    /// PEM file with that certificate's key.
    pub client_key_file: Option<String>,
    /// Whether certificates are left unchecked, as with `--insecure`; only with a target on this machine.
    pub insecure: bool,
}

impl Default for Target {
    fn default() -> Self {
        Self {
            url: "embedded".into(),
            rest: None,
            profile: "aws-like".into(),
            harmless_parameters: Vec::new(),
            headers: BTreeMap::new(),
            subprotocols: Vec::new(),
            proxy: None,
            ca_file: None,
            client_cert_file: None,
            client_key_file: None,
            insecure: false,
        }
    }
}

/// How sockets are opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sockets {
    /// Handshakes begun per second: 0.1 to 100,000. AWS allows 500 new connections a second by default.
    #[schemars(range(min = 0.1, max = 100_000.0))]
    #[schemars(transform = units::as_rate)]
    pub connect_rate: f64,
    /// How long a handshake may take before it counts as timed out.
    pub connect_timeout: Span,
    /// Players that one goose user drives: 1 makes every player a goose user; 50 to 200 cost least.
    #[schemars(range(min = 1, max = 10_000))]
    #[schemars(transform = units::as_count)]
    pub per_goose_user: u32,
    /// Local addresses to open sockets from, in turn. Beyond 13,000 sockets each the kernel's search for a
    /// free port takes CPU. Default: chosen for a loopback target.
    pub source_addresses: Vec<String>,
    /// Longest message that a player takes, 1 KiB to 64 MiB: a longer one ends its socket as `too_large`. API Gateway
    /// sends at most 128 KiB.
    #[schemars(range(min = 1_024, max = 67_108_864))]
    #[schemars(transform = units::as_bytes)]
    pub max_message_bytes: u32,
    /// How often every player sends something to keep its socket open, e.g. `"5m"`: a ping frame, or `heartbeat_message`. API Gateway ends a socket that is idle for 10 minutes. Default: never.
    pub heartbeat: Option<Span>,
    /// The text that is sent instead of a ping, e.g. `'{"action":"heartbeat"}'`: API Gateway is not known to count pings.
    pub heartbeat_message: Option<String>,
}

impl Default for Sockets {
    fn default() -> Self {
        Self {
            connect_rate: 500.0,
            connect_timeout: Span::from_secs(10),
            per_goose_user: 100,
            source_addresses: Vec::new(),
            max_message_bytes: 256 * 1024,
            heartbeat: None,
            heartbeat_message: None,
        }
    }
}

/// A stretch of the plan: the load is a factor on every operation's `rate`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// Name shown in the report. Default: the kind.
    #[serde(default)]
    pub name: Option<String>,
    /// `hold` (constant), `ramp` (a line to `load`), `step` (a staircase to `load`), `spike` (up to `load` at half time and back) or `sine` (waves round `load`).
    pub kind: PhaseKind,
    /// How long the phase lasts, e.g. `"30s"`.
    pub duration: Span,
    /// Load factor that is held, or reached: 1 means each operation's `rate`. 0 to 1,000.
    #[serde(default = "full_load")]
    #[schemars(range(min = 0.0, max = 1_000.0))]
    #[schemars(transform = units::as_share)]
    pub load: f64,
    /// `step` only: equal steps from the load before it to `load`, 1 to 1,000. Default: 5.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1_000))]
    #[schemars(transform = units::as_count)]
    pub steps: Option<u32>,
    /// `sine` only: how far the load swings to either side of `load`, `load` at most. Default: half of `load`.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1_000.0))]
    #[schemars(transform = units::as_share)]
    pub amplitude: Option<f64>,
    /// `sine` only: how long one swing takes. Default: as long as the phase.
    #[serde(default)]
    pub period: Option<Span>,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum PhaseKind {
    /// Constant at `load`.
    Hold,
    /// A line from the load before it to `load`.
    Ramp,
    /// A staircase of equal steps from the load before it to `load`.
    Step,
    /// A triangle: from the load before it up to `load` at half time, and back.
    Spike,
    /// Waves round `load`, upwards first.
    Sine,
}

/// How pushes are awaited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Deliveries {
    /// After how long a push that relays a player's text is no longer in time; an operation's `push_timeout` overrides it.
    pub timeout: Span,
    /// After how long the push of an outcome, such as a placement, is no longer in time; an operation's `push_timeout`
    /// overrides it.
    pub placement_timeout: Span,
    /// How long after its time-out a push still counts as late; what has not come then is lost. `"0s"`: at once.
    pub grace: Span,
}

impl Default for Deliveries {
    fn default() -> Self {
        Self {
            timeout: Span::from_secs(10),
            placement_timeout: Span::from_secs(30),
            grace: Span::from_secs(5),
        }
    }
}

/// What AWS asks.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Prices {
    /// A price file beside this scenario, e.g. `"eu-west-1.toml"`. Default: the list prices of us-east-1 that ship.
    pub file: Option<String>,
}

/// Which server-side series are fetched after the run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CloudWatch {
    /// Whether to fetch at all. Default: for the embedded backend, and wherever `functions`, `function_prefix` or `endpoint`
    /// is given.
    pub enabled: Option<bool>,
    /// Endpoint to ask instead of AWS, e.g. a local stack's `cloudwatch` URL.
    pub endpoint: Option<String>,
    /// AWS region; default: the standard AWS chain.
    pub region: Option<String>,
    /// Full names of the stack's Lambda functions. Default: all that `ListMetrics` shows with `function_prefix`.
    pub functions: Vec<String>,
    /// Only functions whose name begins so, e.g. `mygame-Staging-`.
    pub function_prefix: String,
    /// Length of a period in seconds: a multiple of 60, or 1 where the endpoint has it (local stack). Default: 1 for the
    /// embedded backend and an endpoint on this machine, else 60.
    pub period_s: Option<u32>,
    /// Whether to read the functions' logs as well: concurrency, cold starts and memory of every second from their `REPORT`
    /// lines. On AWS it is billed by the bytes scanned, so it is off by default.
    pub logs: bool,
}
