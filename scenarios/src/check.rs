//! From scenario to plan: everything that the schema cannot say (one key against another, URLs, files) is checked
//! here, all at once.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use crate::curve::{Curve, Line};
use crate::document::Document;
use crate::duration::Span;
use crate::mistakes::Mistake;
use crate::plan::{
    Auth, CloudWatch, MAX_MESSAGE_BYTES, MessageShape, Plan, PlannedOperation, Stretch, Target,
};
use crate::scenario::{self, AuthMode, PhaseKind, Scenario};
use crate::threshold::{self, Metric, Operation, Threshold};

/// Pause between the last planned handshake and the first phase.
const SETTLE: Duration = Duration::from_secs(1);

/// Gathers the mistakes while the plan is put together.
pub(crate) struct Check<'d> {
    document: &'d Document,
    pub(crate) mistakes: Vec<Mistake>,
}

impl<'d> Check<'d> {
    pub(crate) const fn new(document: &'d Document) -> Self {
        Self { document, mistakes: Vec::new() }
    }

    fn wrong(&mut self, pointer: &str, problem: impl Into<String>, remedy: &str) {
        self.mistakes.push(self.document.mistake(pointer, problem, remedy));
    }

    pub(crate) fn plan(&mut self, scenario: &Scenario) -> Plan {
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

    fn positive(&mut self, pointer: &str, span: Span) -> Duration {
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
