//! The checked plan: phases on one axis, arrivals as pure functions of an index.
//!
//! The axis starts with the `connect` stretch (players ÷ connect rate), then a second to settle, then the
//! scenario's phases. Everything that the schema cannot say (one key against another, URLs, files) is checked
//! here, all at once.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use crate::curve::{Curve, Line};
use crate::document::Document;
use crate::mistakes::{Mistake, Mistakes};
use crate::scenario::{self, AuthMode, PhaseKind, Scenario, TokenPlacement};
use crate::threshold::{self, Metric, Operation, Threshold};

/// Largest message that API Gateway takes, in bytes.
pub const MAX_MESSAGE_BYTES: u64 = 128 * 1024;

/// Pause between the last planned handshake and the first phase.
const SETTLE: Duration = Duration::from_secs(1);

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
    curve: Curve,
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
        let mut check = Check { document, mistakes: Vec::new() };
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

/// Gathers the mistakes while the plan is put together.
struct Check<'d> {
    document: &'d Document,
    mistakes: Vec<Mistake>,
}

impl Check<'_> {
    fn wrong(&mut self, pointer: &str, problem: impl Into<String>, remedy: &str) {
        self.mistakes.push(self.document.mistake(pointer, problem, remedy));
    }

    fn plan(&mut self, scenario: &Scenario) -> Plan {
        let target = self.target(&scenario.target);
        let auth = self.auth(scenario, &target);
        let (stretches, lines) = self.phases(scenario);
        let operations = self.operations(scenario, &stretches, &lines);
        Plan {
            name: scenario.name.clone(),
            players: scenario.players,
            seed: scenario.seed,
            auth,
            connect_timeout: self.positive("/sockets/connect_timeout", scenario.sockets.connect_timeout),
            players_per_goose_user: scenario.sockets.per_goose_user,
            source_addresses: self.addresses(&scenario.sockets.source_addresses),
            stretches,
            message: self.message(scenario),
            delivery_timeout: self.positive("/deliveries/timeout", scenario.deliveries.timeout),
            placement_timeout: self
                .positive("/deliveries/placement_timeout", scenario.deliveries.placement_timeout),
            thresholds: self.thresholds(&scenario.thresholds, &operations),
            cloudwatch: self.cloudwatch(&scenario.cloudwatch, &target),
            operations,
            target,
        }
    }

    fn target(&mut self, target: &scenario::Target) -> Target {
        if target.url != "embedded" {
            let parsed = self.url(
                "/target/url",
                &target.url,
                &["ws", "wss"],
                "write `embedded`, or a URL like wss://ID.execute-api.REGION.amazonaws.com/STAGE",
            );
            return parsed.map_or(Target::Embedded { profile: String::new() }, Target::Url);
        }
        let profile = match target.profile.as_str() {
            "instant" | "aws-like" => target.profile.clone(),
            file => self.profile_file(file),
        };
        Target::Embedded { profile }
    }

    /// A profile file stands beside the scenario, or at a path from the working directory.
    fn profile_file(&mut self, file: &str) -> String {
        let beside = Path::new(self.document.file()).parent().map(|folder| folder.join(file));
        let found = beside.into_iter().chain([PathBuf::from(file)]).find(|path| path.is_file());
        found.map_or_else(
            || {
                self.wrong(
                    "/target/profile",
                    format!("there is no file `{file}`"),
                    "write `instant`, `aws-like`, or the path of a profile file",
                );
                String::new()
            },
            |path| path.display().to_string(),
        )
    }

    fn auth(&mut self, scenario: &Scenario, target: &Target) -> Auth {
        let auth = &scenario.auth;
        let issuer = auth.issuer.as_ref().and_then(|issuer| {
            self.url(
                "/auth/issuer",
                issuer,
                &["http", "https"],
                "write the identity provider's base URL, e.g. http://127.0.0.1:8081",
            )
        });
        if auth.mode == AuthMode::Token && auth.issuer.is_none() && matches!(target, Target::Url(_)) {
            self.wrong(
                "/auth/issuer",
                "is missing: tokens for this target have to come from somewhere",
                "set auth.issuer to the `identity` URL of the backend, or auth.mode to \"header\" or \"none\"",
            );
        }
        Auth { mode: auth.mode, placement: auth.placement, issuer, player_prefix: auth.player_prefix.clone() }
    }

    fn phases(&mut self, scenario: &Scenario) -> (Vec<Stretch>, Vec<Line>) {
        let connect = f64::from(scenario.players) / scenario.sockets.connect_rate;
        if connect > 86_400.0 {
            self.wrong(
                "/sockets/connect_rate",
                format!("{} players would take {connect:.0} s to connect, more than a day", scenario.players),
                "raise connect_rate or lower players",
            );
        }
        let mut at = Duration::from_secs_f64(connect.min(86_400.0)) + SETTLE;
        let mut stretches =
            vec![Stretch { name: "connect".into(), start: Duration::ZERO, end: at, measured: true }];
        let (mut lines, mut load) = (Vec::new(), 0.0);
        for (index, phase) in scenario.phases.iter().enumerate() {
            let duration = self.positive(&format!("/phases/{index}/duration"), phase.duration);
            let seconds = duration.as_secs_f64();
            let line = |seconds, from, to| Line { seconds, from, to };
            match phase.kind {
                PhaseKind::Hold => lines.push(line(seconds, phase.load, phase.load)),
                PhaseKind::Ramp => lines.push(line(seconds, load, phase.load)),
                PhaseKind::Spike => {
                    lines.push(line(seconds / 2.0, load, phase.load));
                    lines.push(line(seconds / 2.0, phase.load, load));
                }
            }
            if phase.kind != PhaseKind::Spike {
                load = phase.load;
            }
            let kind = match phase.kind {
                PhaseKind::Hold => "hold",
                PhaseKind::Ramp => "ramp",
                PhaseKind::Spike => "spike",
            };
            let name = phase.name.clone().unwrap_or_else(|| kind.into());
            stretches.push(Stretch { name, start: at, end: at + duration, measured: phase.measured });
            at += duration;
        }
        if !stretches.iter().skip(1).any(|stretch| stretch.measured) {
            self.wrong(
                "/phases",
                "no phase is measured",
                "leave out `measured = false` in at least one phase",
            );
        }
        (stretches, lines)
    }

    fn operations(
        &mut self,
        scenario: &Scenario,
        stretches: &[Stretch],
        lines: &[Line],
    ) -> Vec<PlannedOperation> {
        let connect_end = stretches.first().map_or(Duration::ZERO, |stretch| stretch.end);
        let connect_seconds = f64::from(scenario.players) / scenario.sockets.connect_rate;
        let mut operations = vec![PlannedOperation {
            operation: Operation::Connect,
            rate: scenario.sockets.connect_rate,
            timeout: scenario.sockets.connect_timeout.0,
            curve: Curve::new(Duration::ZERO, &[Line { seconds: connect_seconds, from: 1.0, to: 1.0 }]),
        }];
        let curve = Curve::new(connect_end, lines);
        let wanted = &scenario.operations;
        let message = wanted.send_message.as_ref().map(|message| (message.rate, message.timeout));
        let simple =
            |simple: &Option<scenario::Simple>| simple.as_ref().map(|simple| (simple.rate, simple.timeout));
        for (operation, given) in [
            (Operation::SendMessage, message),
            (Operation::PlacementRequest, simple(&wanted.placement_request)),
            (Operation::UnknownRoute, simple(&wanted.unknown_route)),
        ] {
            let Some((rate, timeout)) = given else { continue };
            let timeout = self.positive(&format!("/operations/{operation}/timeout"), timeout);
            operations.push(PlannedOperation { operation, rate, timeout, curve: curve.clone() });
        }
        operations
    }

    fn message(&mut self, scenario: &Scenario) -> Option<MessageShape> {
        let message = scenario.operations.send_message.as_ref()?;
        let most = message.fan_out_max.unwrap_or(message.fan_out);
        if most < message.fan_out {
            self.wrong(
                "/operations/send_message/fan_out_max",
                format!("{most} is below fan_out, {}", message.fan_out),
                "make fan_out_max at least fan_out, or leave it out",
            );
        }
        if most > scenario.players {
            let key = if message.fan_out_max.is_some() { "fan_out_max" } else { "fan_out" };
            self.wrong(
                &format!("/operations/send_message/{key}"),
                format!("{most} recipients are more than the {} players", scenario.players),
                "lower it, or raise players",
            );
        }
        let id_bytes = scenario.auth.player_prefix.len() as u64 + 6 + 3;
        let frame = u64::from(most) * id_bytes + u64::from(message.size) + 128;
        if frame > MAX_MESSAGE_BYTES {
            self.wrong(
                "/operations/send_message",
                format!("a message to {most} recipients would have about {frame} bytes, more than the {MAX_MESSAGE_BYTES} that API Gateway takes"),
                "lower fan_out or size",
            );
        }
        Some(MessageShape { fan_out: message.fan_out..=most.max(message.fan_out), size: message.size })
    }

    fn addresses(&mut self, addresses: &[String]) -> Vec<IpAddr> {
        let mut parsed = Vec::new();
        for (index, address) in addresses.iter().enumerate() {
            match address.parse() {
                Ok(address) => parsed.push(address),
                Err(_) => self.wrong(
                    &format!("/sockets/source_addresses/{index}"),
                    format!("`{address}` is no IP address"),
                    "write e.g. \"127.0.0.2\"",
                ),
            }
        }
        parsed
    }

    fn thresholds(&mut self, expressions: &[String], operations: &[PlannedOperation]) -> Vec<Threshold> {
        let planned = |operation| operations.iter().any(|planned| planned.operation == operation);
        let mut thresholds = Vec::new();
        for (index, expression) in expressions.iter().enumerate() {
            let pointer = format!("/thresholds/{index}");
            let threshold: Threshold = match expression.parse() {
                Ok(threshold) => threshold,
                Err(problem) => {
                    self.wrong(&pointer, format!("`{expression}`: {problem}"), threshold::HELP);
                    continue;
                }
            };
            let needs = match &threshold.metric {
                Metric::OperationTime { operation, .. }
                | Metric::OperationCount(operation, _)
                | Metric::ErrorRate(Some(operation)) => Some(*operation),
                Metric::DeliveryTime { kind, .. }
                | Metric::DeliveryCount(kind, _)
                | Metric::LostRate(kind) => Some(match kind {
                    threshold::Kind::Message => Operation::SendMessage,
                    threshold::Kind::Placement => Operation::PlacementRequest,
                }),
                Metric::ErrorRate(None) | Metric::Sockets(_) => None,
            };
            if let Some(operation) = needs.filter(|operation| !planned(*operation)) {
                self.wrong(
                    &pointer,
                    format!("`{expression}` can never be measured: the plan has no {operation}"),
                    &format!("add [operations.{operation}], or take the threshold out"),
                );
            }
            thresholds.push(threshold);
        }
        thresholds
    }

    fn cloudwatch(&mut self, wanted: &scenario::CloudWatch, target: &Target) -> Option<CloudWatch> {
        let embedded = matches!(target, Target::Embedded { .. });
        let endpoint = wanted.endpoint.as_ref().and_then(|endpoint| {
            self.url(
                "/cloudwatch/endpoint",
                endpoint,
                &["http", "https"],
                "write e.g. http://127.0.0.1:8081, or leave it out for AWS",
            )
        });
        if let Some(period) =
            wanted.period_s.filter(|period| *period != 1 && (*period == 0 || period % 60 != 0))
        {
            self.wrong(
                "/cloudwatch/period_s",
                format!("{period} is no period"),
                "write 60 (or a multiple), or 1 for a local stack",
            );
        }
        let named = !wanted.functions.is_empty() || !wanted.function_prefix.is_empty();
        let enabled = wanted.enabled.unwrap_or(embedded || endpoint.is_some() || named);
        if enabled && !embedded && endpoint.is_none() && !named {
            self.wrong(
                "/cloudwatch/functions",
                "is missing: on AWS the functions of the stack have to be named",
                "set cloudwatch.functions or cloudwatch.function_prefix",
            );
        }
        enabled.then(|| CloudWatch {
            period_s: wanted.period_s.unwrap_or(if embedded && endpoint.is_none() { 1 } else { 60 }),
            endpoint,
            region: wanted.region.clone(),
            functions: wanted.functions.clone(),
            function_prefix: wanted.function_prefix.clone(),
        })
    }

    fn positive(&mut self, pointer: &str, span: crate::duration::Span) -> Duration {
        if span.0.is_zero() || span.0 > Duration::from_secs(86_400) {
            self.wrong(pointer, "must be above zero and at most a day", "write e.g. \"30s\"");
        }
        span.0.min(Duration::from_secs(86_400))
    }

    fn url(&mut self, pointer: &str, text: &str, schemes: &[&str], remedy: &str) -> Option<Url> {
        let problem = match Url::parse(text) {
            Ok(url) if !schemes.contains(&url.scheme()) => {
                format!("must begin with {}://", schemes.join(":// or "))
            }
            Ok(url) if url.host_str().is_none_or(str::is_empty) => "has no host".into(),
            Ok(url) if url.fragment().is_some() => "has a fragment (`#…`), which a server never sees".into(),
            Ok(url) => return Some(url),
            Err(error) => format!("is no URL: {error}"),
        };
        self.wrong(pointer, problem, remedy);
        None
    }
}
