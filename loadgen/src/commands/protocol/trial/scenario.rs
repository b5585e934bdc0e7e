//! The plan of a try: two players, each of the protocol's operations once, one after the other, all done by the first player
//! and for the second.

use std::sync::Arc;
use std::time::Duration;

use protocol::outline::{Operation as Outlined, Outline};
use scenarios::plan::operation::{Operation, What};
use scenarios::{Mistakes, Override, Plan, Source};
use serde_json::Value;

use crate::checked;
use crate::delivery::presence::Presence;
use crate::player::Players;
use crate::schedule::player_of;

/// What stands for the scenario in messages.
const NAME: &str = "protocol try";
/// Between two operations.
const APART: Duration = Duration::from_secs(1);
/// Seeds that are looked at, at most.
const SEEDS: u64 = 4_000_000;

/// What is to be tried, and on what.
pub(super) struct Wanted<'w> {
    /// The protocol as it was named.
    pub(super) protocol: &'w str,
    pub(super) outline: &'w Outline,
    /// How long anything is awaited.
    pub(super) timeout: Duration,
    pub(super) overrides: &'w [Override],
    /// Whether the target is the embedded backend.
    pub(super) embedded: bool,
}

/// A plan, and the names of the operations that it leaves out, since there is no REST API to poll.
pub(super) struct Planned {
    pub(super) plan: Arc<Plan>,
    pub(super) left_out: Vec<String>,
}

impl Wanted<'_> {
    /// The plan.
    ///
    /// # Errors
    /// All mistakes at once: of the overrides, or where the protocol does not fit the target.
    pub(super) fn plan(&self) -> Result<Planned, Mistakes> {
        let has_rest = self.embedded || self.overrides.iter().any(|set| set.key == "target.rest");
        let (done, left_out): (Vec<_>, Vec<_>) =
            self.outline.operations.iter().partition(|operation| has_rest || !operation.poll);
        let source = Source { name: NAME.into(), text: self.text(&done) };
        let mut plan = checked::check(&source, self.overrides)?.plan;
        self.one_after_the_other(&mut plan);
        if !self.overrides.iter().any(|set| set.key == "seed") {
            plan.seed = seed(&mut plan);
        }
        let left_out = left_out.iter().map(|operation| operation.name.clone()).collect();
        Ok(Planned { plan: Arc::new(plan), left_out })
    }

    fn text(&self, operations: &[&Outlined]) -> String {
        let timeout = format!("\"{}ms\"", self.timeout.as_millis());
        let seconds = operations.len().max(1);
        // A string of JSON is one of TOML.
        let protocol = Value::from(self.protocol);
        let mut text = format!(
            "name = \"try\"\nplayers = 2\nprotocol = {protocol}\nthresholds = []\n\
             [sockets]\nconnect_rate = 100.0\nconnect_timeout = {timeout}\n\
             [reconnect]\npolicy = \"none\"\n[deliveries]\ngrace = \"0s\"\n\
             [[phases]]\nkind = \"hold\"\nduration = \"{seconds}s\"\n"
        );
        if self.embedded {
            text.push_str("[target]\nprofile = \"instant\"\n");
        }
        let says_who = self.overrides.iter().any(|set| set.key == "auth" || set.key.starts_with("auth."));
        // Whose token it would be, nobody has said; a protocol that has one in its messages needs it all the same.
        if !self.embedded && !self.outline.token && !says_who {
            text.push_str("[auth]\nmode = \"header\"\n");
        }
        for Outlined { name, push, .. } in operations {
            text.push_str(&format!("[operations.{name}]\nrate = 1.0\ntimeout = {timeout}\n"));
            if push.is_some() {
                text.push_str(&format!("push_timeout = {timeout}\n"));
            }
        }
        text
    }

    fn one_after_the_other(&self, plan: &mut Plan) {
        let opening = &self.outline.opening;
        let settles: Duration = opening.iter().map(|step| step.settle).sum();
        let ready = if opening.is_empty() { Duration::ZERO } else { settles + APART };
        let mut due = plan.phases_start() + ready;
        for planned in &mut plan.operations {
            if matches!(planned.what, What::Request(_) | What::Poll(_)) {
                planned.do_at(vec![due]);
                due += APART;
            }
        }
    }
}

/// A seed under which the first player does everything, and names the second; the last that was looked at, where there is none
/// such.
fn seed(plan: &mut Plan) -> u64 {
    let players = Players::new(plan.players);
    (0..plan.players).for_each(|player| {
        players.set_presence(player, Presence::Open, false, 0);
    });
    let outline = plan.protocol.outline().clone();
    let fits = |plan: &Plan| {
        plan.operations.iter().all(|planned| {
            let what = planned.what;
            let (What::Request(number) | What::Poll(number)) = what else { return true };
            let names = outline.operations.get(number).is_some_and(|operation| operation.recipients);
            planned.operation == Operation::CONNECT
                || (player_of(plan, what, 0) == 0
                    && (!names || players.recipients_of(plan, planned, 0) == [1]))
        })
    };
    for seed in 1..SEEDS {
        plan.seed = seed;
        if fits(plan) {
            break;
        }
    }
    plan.seed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_is_done_once_by_the_first_player_and_for_the_second() {
        for name in ["reference", "tutorial", "phoenix", "socket-io"] {
            let protocol = protocol::load_named(name).unwrap();
            let outline = protocol.outline();
            let overrides = [Override { key: "target.url".into(), value: "ws://127.0.0.1:1/S".into() }];
            let timeout = Duration::from_secs(2);
            let wanted = Wanted { protocol: name, outline, timeout, overrides: &overrides, embedded: false };
            let Planned { plan, left_out } = wanted.plan().unwrap();
            let polled = outline.operations.iter().filter(|operation| operation.poll);
            assert_eq!(left_out, polled.map(|operation| operation.name.clone()).collect::<Vec<_>>());
            let mut due = Duration::ZERO;
            let done = plan
                .operations
                .iter()
                .filter(|planned| matches!(planned.what, What::Request(_) | What::Poll(_)));
            assert_eq!(done.clone().count() + left_out.len(), outline.operations.len(), "{name}");
            for planned in done {
                assert_eq!((planned.arrivals(), planned.timeout), (1, timeout), "{name}");
                assert_eq!(player_of(&plan, planned.what, 0), 0, "{name}");
                assert!(planned.due(0) > Some(due), "{name}");
                due = planned.due(0).unwrap();
            }
        }
    }
}
