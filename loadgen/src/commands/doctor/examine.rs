//! From the command's arguments to its report: reads the scenario, collects the facts, has them checked.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use scenarios::plan::Target;
use scenarios::{Mistakes, Override, Plan};

use super::checks;
use super::facts::{Facts, Need};
use super::probe::{access, machine, target};
use super::report::Report;
use crate::checked;
use crate::player::has_more_sources;

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
        facts.warnings = scenarios::explain::idle::warnings(&plan);
        if let Target::Url(url) = &plan.target {
            facts.target = Some(target::look(url, &plan, credentials.as_ref()).await);
        }
        let addresses = facts.target.as_ref().and_then(|target| target.addresses.as_deref().ok());
        facts.need = scenario.map(|_| need(&plan, addresses.unwrap_or_default()));
    }
    Ok(Report::of(checks::findings(&facts)))
}

/// A plan for a target alone: one player without credentials.
fn bare(overrides: &[Override]) -> Result<Plan, Mistakes> {
    let text = "name = \"doctor\"\nplayers = 1\n[auth]\nmode = \"none\"\n\
                [[phases]]\nkind = \"hold\"\nduration = \"1s\"\n";
    Ok(scenarios::check("--target", text, overrides)?.plan)
}

/// `addresses` are those of the target; none where it is embedded, or has none.
fn need(plan: &Plan, addresses: &[IpAddr]) -> Need {
    let connect = plan.operation(scenarios::plan::operation::Operation::CONNECT);
    let embedded = matches!(plan.target, Target::Embedded { .. });
    let all =
        |is: fn(IpAddr) -> bool| embedded || (!addresses.is_empty() && addresses.iter().copied().all(is));
    Need {
        players: plan.players,
        connect_rate: connect.rate,
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
