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
use std::path::Path;
use std::sync::Arc;

use scenarios::plan::Target;
use scenarios::{Mistakes, Override, Plan};
use serde::Serialize;

use crate::exit::Exit;
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
        Some(path) => Some(scenarios::load(path, overrides)?.plan),
        None if overrides.is_empty() => None,
        None => Some(bare(overrides)?),
    };
    let machine = machine::measure().await;
    let mut facts = Facts { machine, need: None, access: Vec::new(), target: None };
    if let Some(plan) = plan {
        let plan = Arc::new(plan);
        let (credentials, access) = access::look(&plan).await;
        facts.access = access;
        if let Target::Url(url) = &plan.target {
            facts.target = Some(target::look(url, &plan, credentials.as_ref()).await);
        }
        let destinations = facts.target.as_ref().and_then(|target| target.addresses.as_ref().ok());
        facts.need = scenario.map(|_| need(&plan, destinations.map_or(1, Vec::len)));
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

fn need(plan: &Plan, destinations: usize) -> facts::Need {
    let connect = plan.operation(scenarios::threshold::Operation::Connect);
    let loopback = match &plan.target {
        Target::Embedded { .. } => true,
        Target::Url(url) => {
            url.host_str().is_some_and(|host| host == "localhost" || host.starts_with("127."))
        }
    };
    facts::Need {
        players: plan.players,
        connect_rate: connect.map_or(0.0, |planned| planned.rate),
        sources: plan.source_addresses.len(),
        destinations,
        loopback,
        embedded: matches!(plan.target, Target::Embedded { .. }),
        tls: matches!(&plan.target, Target::Url(url) if url.scheme() == "wss"),
        signed: plan.auth.mode == scenarios::scenario::AuthMode::SigV4,
    }
}
