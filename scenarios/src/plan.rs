//! The checked plan: phases on one axis, arrivals as pure functions of an index.
//!
//! The axis starts with the `connect` stretch (players ÷ connect rate), then a second to settle, then the
//! scenario's phases.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use url::Url;

use crate::check::Check;
use crate::curve::Curve;
use crate::document::Document;
use crate::mistakes::Mistakes;
use crate::scenario::{AuthMode, Scenario, TokenPlacement};
use crate::threshold::{Operation, Threshold};

/// Largest message that API Gateway takes, in bytes.
pub const MAX_MESSAGE_BYTES: u64 = 128 * 1024;

/// What will run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The scenario's name.
    pub name: String,
    /// Number of players.
    pub players: u32,
    /// Seed of every random choice.
    pub seed: u64,
    /// What is tested.
    pub target: Target,
    /// How players prove who they are.
    pub auth: Auth,
    /// How long a handshake may take.
    pub connect_timeout: Duration,
    /// Players that one goose user drives.
    pub players_per_goose_user: u32,
    /// Local addresses to open sockets from; empty: the system chooses.
    pub source_addresses: Vec<IpAddr>,
    /// The stretches of the run's axis, `connect` first, without gaps.
    pub stretches: Vec<Stretch>,
    /// What players do, `connect` first.
    pub operations: Vec<PlannedOperation>,
    /// Shape of the messages, where messages are sent.
    pub message: Option<MessageShape>,
    /// After how long a message's push counts as lost.
    pub delivery_timeout: Duration,
    /// After how long a placement's push counts as lost.
    pub placement_timeout: Duration,
    /// Rules with a verdict.
    pub thresholds: Vec<Threshold>,
    /// Which server-side series are fetched; `None`: none.
    pub cloudwatch: Option<CloudWatch>,
}

/// What is tested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The embedded backend with a profile: a built-in name or a file.
    Embedded {
        /// `instant`, `aws-like`, or a path.
        profile: String,
    },
    /// Anything that speaks the protocol.
    Url(Url),
}

/// How players prove who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Auth {
    /// Token, header or none.
    pub mode: AuthMode,
    /// Where a token travels.
    pub placement: TokenPlacement,
    /// Identity provider; `None`: the embedded backend's.
    pub issuer: Option<Url>,
    /// What player ids begin with.
    pub player_prefix: String,
}

/// A stretch of the run's axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// Name.
    pub name: String,
    /// Start, from the run's start.
    pub start: Duration,
    /// End, from the run's start.
    pub end: Duration,
    /// Whether its figures count for the summary.
    pub measured: bool,
}

/// An operation with its arrivals.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedOperation {
    /// Which.
    pub operation: Operation,
    /// Arrivals per second at load 1.
    pub rate: f64,
    /// How long the answer may take.
    pub timeout: Duration,
    pub(crate) curve: Curve,
}

impl PlannedOperation {
    /// Number of arrivals that the plan calls for.
    #[must_use]
    pub fn arrivals(&self) -> u64 {
        self.curve.arrivals(self.rate)
    }

    /// When arrival `index` is due, from the run's start; `None` past the end.
    #[must_use]
    pub fn due(&self, index: u64) -> Option<Duration> {
        self.curve.due(self.rate, index)
    }
}

/// Shape of the messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageShape {
    /// Recipients of each message, drawn evenly.
    pub fan_out: RangeInclusive<u32>,
    /// Length of the message text in bytes.
    pub size: u32,
}

/// Which server-side series are fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudWatch {
    /// Endpoint instead of AWS; `None` with the embedded target: the embedded backend's.
    pub endpoint: Option<Url>,
    /// AWS region.
    pub region: Option<String>,
    /// Full function names; empty: what `ListMetrics` shows.
    pub functions: Vec<String>,
    /// Only functions whose name begins so.
    pub function_prefix: String,
    /// Length of a period in seconds.
    pub period_s: u32,
}

impl Plan {
    pub(crate) fn new(scenario: &Scenario, document: &Document) -> Result<Self, Mistakes> {
        let mut check = Check::new(document);
        let plan = check.plan(scenario);
        if check.mistakes.is_empty() { Ok(plan) } else { Err(Mistakes(check.mistakes)) }
    }

    /// When the last arrival may be due, from the run's start.
    #[must_use]
    pub fn end(&self) -> Duration {
        self.stretches.last().map_or(Duration::ZERO, |stretch| stretch.end)
    }

    /// How long after [`end`](Self::end) an answer or a push may still be awaited.
    #[must_use]
    pub fn drain(&self) -> Duration {
        let answers = self.operations.iter().map(|planned| planned.timeout).max().unwrap_or_default();
        let has = |operation| self.operations.iter().any(|planned| planned.operation == operation);
        let messages = if has(Operation::SendMessage) { self.delivery_timeout } else { Duration::ZERO };
        let placements =
            if has(Operation::PlacementRequest) { self.placement_timeout } else { Duration::ZERO };
        answers.max(messages).max(placements)
    }

    /// The stretch at an offset; past the end, the last.
    ///
    /// # Panics
    /// Never: a plan has a `connect` stretch.
    #[must_use]
    pub fn stretch_at(&self, offset: Duration) -> &Stretch {
        let after = self.stretches.partition_point(|stretch| stretch.end <= offset);
        &self.stretches[after.min(self.stretches.len() - 1)]
    }

    /// The planned operation of a kind, if the plan has it.
    #[must_use]
    pub fn operation(&self, operation: Operation) -> Option<&PlannedOperation> {
        self.operations.iter().find(|planned| planned.operation == operation)
    }

    /// Player number → id.
    #[must_use]
    pub fn player_id(&self, number: u32) -> String {
        format!("{}{number:06}", self.auth.player_prefix)
    }
}
