//! `loadgen doctor`: what this machine can hold, whether the target can be reached, and what to change.
//!
//! ```text
//! machine, credentials, target ─▶ facts ─▶ judge (pure) ─▶ findings: one line each, or JSON
//! ```
//!
//! Nothing is asked but the named target, and what the scenario names beside it: its identity provider, its command,
//! the AWS chain, CloudWatch. No account, key or token is printed.

pub mod access;
pub mod facts;
pub mod judge;
mod limits;
pub mod machine;
pub mod target;

use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use output::Look;
use scenarios::plan::Target;
use scenarios::{Mistakes, Override, Plan};
use serde::Serialize;

use crate::checked;
use crate::exit::Exit;
use crate::player::has_more_sources;
use facts::Facts;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Nothing to do.
    Ok,
    /// A run is possible; its figures or its size may suffer.
    Warn,
    /// The run would fail.
    Fail,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        })
    }
}

/// The outcome of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, e.g. `descriptors`.
    pub check: &'static str,
    /// How it ended.
    pub status: Status,
    /// What was found.
    pub found: String,
    /// What it means for a run.
    pub meaning: String,
    /// What to change and how; none where all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Finding {
    fn new(
        check: &'static str,
        status: Status,
        found: impl Into<String>,
        meaning: impl Into<String>,
    ) -> Self {
        Self { check, status, found: found.into(), meaning: meaning.into(), remedy: None }
    }

    fn ok(check: &'static str, found: impl Into<String>, meaning: impl Into<String>) -> Self {
        Self::new(check, Status::Ok, found, meaning)
    }

    fn warn(check: &'static str, found: impl Into<String>, meaning: impl Into<String>) -> Self {
        Self::new(check, Status::Warn, found, meaning)
    }

    fn fail(check: &'static str, found: impl Into<String>, meaning: impl Into<String>) -> Self {
        Self::new(check, Status::Fail, found, meaning)
    }

    fn change(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<4}  {:<12}  {}: {}", self.status, self.check, self.found, self.meaning)?;
        self.remedy.iter().try_for_each(|remedy| write!(f, "\n{:20}to change it: {remedy}", ""))
    }
}

/// Everything that was found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Version of this shape.
    pub schema_version: u32,
    /// The worst status.
    pub status: Status,
    /// The checks, in the order in which they were made.
    pub checks: Vec<Finding>,
}

impl Report {
    /// The report in lines, their statuses in colour where the look has it.
    #[must_use]
    pub fn text(&self, look: Look) -> String {
        let coloured = |line: &str| {
            let status = self
                .checks
                .iter()
                .map(|finding| finding.status)
                .find(|status| line.starts_with(&format!("{status:<4}  ")));
            let Some(status) = status else { return line.to_owned() };
            let word = status.to_string();
            let shown = match status {
                Status::Ok => look.good(&word),
                Status::Warn => look.doubtful(&word),
                Status::Fail => look.bad(&word),
            };
            line.replacen(&word, &shown, 1)
        };
        // Broken first: a colour takes no columns.
        let lines = look.wrapped(&reports::printable::lines(&self.to_string()), &" ".repeat(20));
        lines.lines().fold(String::new(), |text, line| text + &coloured(line) + "\n")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.checks.iter().try_for_each(|finding| writeln!(f, "{finding}"))?;
        let number = |status| self.checks.iter().filter(|finding| finding.status == status).count();
        writeln!(
            f,
            "{} ok, {} to know, {} in the way",
            number(Status::Ok),
            number(Status::Warn),
            number(Status::Fail)
        )
    }
}

impl Report {
    /// How the program ends: a failure where a run would fail.
    #[must_use]
    pub fn exit(&self) -> Exit {
        if self.status == Status::Fail { Exit::Failure } else { Exit::Fine }
    }
}

/// Looks at the machine and, if a scenario or a target is named, at what it needs.
///
/// # Errors
/// The scenario's mistakes, or those of the target's URL.
pub async fn examine(scenario: Option<&Path>, overrides: &[Override]) -> Result<Report, Mistakes> {
    let plan = match scenario {
        Some(path) => Some(checked::load(path, overrides)?.plan),
        None if overrides.is_empty() => None,
        None => Some(bare(overrides)?),
    };
    let machine = machine::measure().await;
    let mut facts = Facts { machine, need: None, access: Vec::new(), warnings: Vec::new(), target: None };
    if let Some(plan) = plan {
        let plan = Arc::new(plan);
        let (credentials, access) = access::look(&plan).await;
        facts.access = access;
        facts.warnings = scenarios::way::idle::warnings(&plan);
        if let Target::Url(url) = &plan.target {
            facts.target = Some(target::look(url, &plan, credentials.as_ref()).await);
        }
        let addresses = facts.target.as_ref().and_then(|target| target.addresses.as_deref().ok());
        facts.need = scenario.map(|_| need(&plan, addresses.unwrap_or_default()));
    }
    let checks = judge::judge(&facts);
    let status = checks.iter().map(|finding| finding.status).max().unwrap_or(Status::Ok);
    Ok(Report { schema_version: 1, status, checks })
}

/// A plan for a target alone: one player without credentials.
fn bare(overrides: &[Override]) -> Result<Plan, Mistakes> {
    let text = "name = \"doctor\"\nplayers = 1\n[auth]\nmode = \"none\"\n\
                [[phases]]\nkind = \"hold\"\nduration = \"1s\"\n";
    Ok(scenarios::check("--target", text, overrides)?.plan)
}

/// `addresses` are those of the target; none where it is embedded, or has none.
fn need(plan: &Plan, addresses: &[IpAddr]) -> facts::Need {
    let connect = plan.operation(scenarios::threshold::Operation::Connect);
    let embedded = matches!(plan.target, Target::Embedded { .. });
    let all =
        |is: fn(IpAddr) -> bool| embedded || (!addresses.is_empty() && addresses.iter().copied().all(is));
    facts::Need {
        players: plan.players,
        connect_rate: connect.map_or(0.0, |planned| planned.rate),
        sources: plan.source_addresses.len(),
        destinations: addresses.len().max(1),
        loopback: all(|address| address.is_loopback()),
        own_sources: plan.source_addresses.is_empty() && all(has_more_sources),
        embedded,
        tls: matches!(&plan.target, Target::Url(url) if url.scheme() == "wss"),
        signed: plan.auth.mode == scenarios::scenario::AuthMode::SigV4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_is_here_if_its_addresses_say_so_whatever_its_name() {
        let of = |host: &str, more: &str, addresses: &[&str]| {
            let text = format!(
                "name = \"n\"\nplayers = 1\n[target]\nurl = \"ws://{host}/S\"\n[auth]\nmode = \"none\"\n{more}\
                 [[phases]]\nkind = \"hold\"\nduration = \"1s\"\n"
            );
            let plan =
                scenarios::check("n.toml", &text, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}")).plan;
            let addresses: Vec<_> = addresses.iter().map(|address| address.parse().unwrap()).collect();
            let need = need(&plan, &addresses);
            (need.loopback, need.own_sources, need.destinations)
        };
        assert_eq!(of("game.test", "", &["127.0.0.1"]), (true, true, 1));
        assert_eq!(of("[::1]", "", &["::1"]), (true, false, 1), "IPv6 has one loopback address");
        assert_eq!(of("localhost", "", &["::1", "127.0.0.1"]), (true, false, 2));
        assert_eq!(of("localhost", "", &["192.0.2.1"]), (false, false, 1), "a name proves nothing");
        assert_eq!(of("127.example", "", &["192.0.2.1", "127.0.0.1"]), (false, false, 2));
        assert_eq!(of("nowhere.test", "", &[]), (false, false, 1));
        let named = "[sockets]\nsource_addresses = [\"127.0.0.9\"]\n";
        assert_eq!(of("game.test", named, &["127.0.0.1"]), (true, false, 1));
    }
}
