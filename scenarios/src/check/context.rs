//! From scenario to plan: everything that the schema cannot say (one key against another, URLs, files) is checked
//! here, all at once.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use documents::{Document, Mistake};
use url::Url;

use crate::check::inputs::{self, Content, Input};
use crate::file::shipped;
use crate::keys::duration::Span;
use crate::keys::scenario::{self, Scenario};
use crate::plan::auth::PlayerIds;
use crate::plan::way::is_loopback;
use crate::plan::{CloudWatch, MAX_MESSAGE_BYTES, MessageShape, Plan, Poll, Target};

/// Checks a profile of the embedded backend, which this crate does not know: every mistake in the file.
pub type ProfileCheck = fn(&Path) -> Vec<Mistake>;

/// Gathers the mistakes while the plan is put together.
pub(crate) struct Check<'d> {
    document: &'d Document,
    profile: ProfileCheck,
    /// Dotted keys whose value is not the author's own, since that was wrong.
    doubtful: Vec<String>,
    pub(crate) mistakes: Vec<Mistake>,
    /// Files to keep with the run.
    pub(crate) inputs: Vec<Input>,
    /// What the kept scenario says instead of a file's name, by pointer.
    pub(crate) kept: Vec<(String, String)>,
}

impl<'d> Check<'d> {
    /// `refused` and `doubtful` tell whose values are not the author's own: keys of mistakes, and pointers.
    pub(crate) fn new(
        document: &'d Document,
        refused: &[Mistake],
        doubtful: Vec<String>,
        profile: ProfileCheck,
    ) -> Self {
        let refused = refused.iter().map(|mistake| mistake.key.clone());
        let doubtful = doubtful.iter().map(|pointer| dotted(pointer)).chain(refused).collect();
        Self { document, profile, doubtful, mistakes: Vec::new(), inputs: Vec::new(), kept: Vec::new() }
    }

    /// Tells a mistake, unless the value, or one within it, has been told already.
    pub(crate) fn wrong(&mut self, pointer: &str, problem: impl Into<String>, remedy: &str) {
        let mistake = self.document.mistake(pointer, problem, remedy);
        if !self.doubts(&mistake.key) {
            self.mistakes.push(mistake);
        }
    }

    /// Tells a mistake between one key and others, unless one of them has been told already.
    pub(crate) fn wrong_beside(
        &mut self,
        pointer: &str,
        others: &[&str],
        problem: impl Into<String>,
        remedy: &str,
    ) {
        if !others.iter().any(|other| self.doubts(&dotted(other))) {
            self.wrong(pointer, problem, remedy);
        }
    }

    /// From here on nothing is concluded from the value at `pointer`.
    fn doubt(&mut self, pointer: &str) {
        self.doubtful.push(dotted(pointer));
    }

    fn doubts(&self, key: &str) -> bool {
        let within = |inner: &str, outer: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.doubtful
            .iter()
            .any(|doubtful| within(key, doubtful) || (!key.is_empty() && within(doubtful, key)))
    }

    /// Keeps a file with the run, and calls it by its name there.
    pub(crate) fn keep_file(&mut self, pointer: &str, path: &Path) {
        self.keep(pointer, path, Content::File(path.to_owned()));
    }

    /// Keeps a text in a file's place.
    pub(crate) fn keep(&mut self, pointer: &str, path: &Path, content: Content) {
        let name = inputs::add(&mut self.inputs, path, content);
        self.kept.push((pointer.into(), name));
    }

    /// Says where a file lies that is not kept.
    pub(crate) fn keep_place(&mut self, pointer: &str, path: &Path) {
        if let Ok(path) = std::path::absolute(path) {
            self.kept.push((pointer.into(), path.display().to_string()));
        }
    }

    pub(crate) fn plan(&mut self, scenario: &Scenario) -> Plan {
        let target = self.target(&scenario.target);
        let auth = self.auth(scenario, &target);
        let (mut stretches, load) = self.phases(scenario);
        let operations = self.operations(scenario, &load);
        let disruptions = self.disruptions(scenario, &stretches);
        let (thresholds, judged_phases) = self.thresholds(scenario, &mut stretches, &operations);
        Plan {
            name: scenario.name.clone(),
            players: scenario.players,
            seed: scenario.seed,
            connect_timeout: self.positive("/sockets/connect_timeout", scenario.sockets.connect_timeout),
            players_per_goose_user: scenario.sockets.per_goose_user,
            source_addresses: self.addresses(&scenario.sockets.source_addresses),
            max_message_bytes: scenario.sockets.max_message_bytes,
            disruptions,
            stretches,
            message: self.message(scenario, &auth.ids),
            poll: self.poll(scenario, &target),
            delivery_timeout: self.positive("/deliveries/timeout", scenario.deliveries.timeout),
            placement_timeout: self
                .positive("/deliveries/placement_timeout", scenario.deliveries.placement_timeout),
            grace: self.within_a_day("/deliveries/grace", scenario.deliveries.grace),
            load,
            way: self.way(scenario, &target),
            thresholds,
            judged_phases,
            cloudwatch: self.cloudwatch(&scenario.cloudwatch, matches!(target, Target::Embedded { .. })),
            operations,
            auth,
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
            if parsed.is_none() {
                self.doubt("/target/url");
            }
            return parsed.map_or(Target::Embedded { profile: String::new() }, Target::Url);
        }
        let profile = match target.profile.as_str() {
            "instant" | "aws-like" => target.profile.clone(),
            file => self.profile_file(file),
        };
        Target::Embedded { profile }
    }

    /// A file that the scenario names: beside it, or at a path from the working directory.
    pub(crate) fn beside(&self, file: &str) -> Option<PathBuf> {
        let beside = Path::new(self.document.file()).parent().map(|folder| folder.join(file));
        beside.into_iter().chain([PathBuf::from(file)]).find(|path| path.is_file())
    }

    /// A profile file stands beside the scenario, at a path from the working directory, or within this program.
    fn profile_file(&mut self, file: &str) -> String {
        let found = self.beside(file);
        if found.is_none()
            && let Some(text) = shipped::profile(file)
        {
            self.keep("/target/profile", Path::new(file), Content::Text(text.into()));
            return file.to_owned();
        }
        let Some(path) = found else {
            self.wrong(
                "/target/profile",
                format!("there is no file `{file}`"),
                "write `instant`, `aws-like`, or the path of a profile file",
            );
            return String::new();
        };
        self.mistakes.extend((self.profile)(&path));
        self.keep_file("/target/profile", &path);
        path.display().to_string()
    }

    fn message(&mut self, scenario: &Scenario, ids: &PlayerIds) -> Option<MessageShape> {
        let message = scenario.operations.send_message.as_ref()?;
        let most = message.fan_out_max.unwrap_or(message.fan_out);
        if most < message.fan_out {
            self.wrong_beside(
                "/operations/send_message/fan_out_max",
                &["/operations/send_message/fan_out"],
                format!("{most} is below fan_out, {}", message.fan_out),
                "make fan_out_max at least fan_out, or leave it out",
            );
        }
        if most > scenario.players {
            let key = if message.fan_out_max.is_some() { "fan_out_max" } else { "fan_out" };
            self.wrong_beside(
                &format!("/operations/send_message/{key}"),
                &["/players"],
                format!("{most} recipients are more than the {} players", scenario.players),
                "lower it, or raise players",
            );
        }
        let id_bytes = ids.longest() as u64 + 3;
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

    fn poll(&mut self, scenario: &Scenario, target: &Target) -> Option<Poll> {
        let poll = scenario.operations.placement_poll.as_ref()?;
        let pointer = "/operations/placement_poll";
        let rest = scenario.target.rest.as_ref().and_then(|rest| {
            self.url("/target/rest", rest, &["http", "https"], "write the REST API's URL with its stage")
        });
        if scenario.target.rest.is_none() && matches!(target, Target::Url(_)) {
            self.wrong_beside(
                pointer,
                &["/target/rest"],
                "nobody says where the target's REST API is",
                "set target.rest, e.g. \"https://ID.execute-api.REGION.amazonaws.com/STAGE\"",
            );
        }
        Some(Poll { rest, every: self.positive(&format!("{pointer}/every"), poll.every) })
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

    /// `embedded`: whether the target is the embedded backend, which brings its own CloudWatch.
    pub(crate) fn cloudwatch(&mut self, wanted: &scenario::CloudWatch, embedded: bool) -> Option<CloudWatch> {
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
            self.wrong_beside(
                "/cloudwatch/functions",
                &["/cloudwatch", "/target/url"],
                "is missing: on AWS the functions of the stack have to be named",
                "set cloudwatch.functions or cloudwatch.function_prefix",
            );
        }
        // A stack on this machine keeps seconds, AWS keeps minutes.
        let local = endpoint.as_ref().map_or(embedded, is_loopback);
        enabled.then(|| CloudWatch {
            period_s: wanted.period_s.unwrap_or(if local { 1 } else { 60 }),
            endpoint,
            region: wanted.region.clone(),
            functions: wanted.functions.clone(),
            function_prefix: wanted.function_prefix.clone(),
        })
    }

    pub(crate) fn positive(&mut self, pointer: &str, span: Span) -> Duration {
        if span.0.is_zero() || span.0 > Duration::from_secs(86_400) {
            self.wrong(pointer, "must be above zero and at most a day", "write e.g. \"30s\"");
        }
        span.0.min(Duration::from_secs(86_400))
    }

    /// A span that may be nothing.
    pub(crate) fn within_a_day(&mut self, pointer: &str, span: Span) -> Duration {
        if span.0.is_zero() { Duration::ZERO } else { self.positive(pointer, span) }
    }

    pub(crate) fn url(&mut self, pointer: &str, text: &str, schemes: &[&str], remedy: &str) -> Option<Url> {
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

/// A pointer as messages write it.
fn dotted(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}
