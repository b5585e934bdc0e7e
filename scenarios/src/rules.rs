//! The scenario's thresholds: as they are written, those that apply where none are, and what can be wrong with them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::Check;
use crate::duration::Span;
use crate::ledger::Ledger;
use crate::plan::{PlannedOperation, Stretch};
use crate::scenario::Scenario;
use crate::threshold::{self, Abort, Kind, Metric, Operation, SocketCount, Threshold};
use crate::weather::keys::Policy;

/// A rule with a verdict: an expression, or a table where there is more to say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Rule {
    /// For the whole run, e.g. `"error_rate < 1%"`.
    Expression(String),
    /// With a phase, or with the right to end the run.
    Table(RuleTable),
}

/// A rule with a phase, or with the right to end the run, e.g.
/// `{ expression = "error_rate < 5%", phase = "peak", abort = true, grace = "10s" }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleTable {
    /// What must hold, e.g. `"send_message.response_time.p99 < 250ms"`.
    pub expression: String,
    /// Name of a phase, or of several that share it: only arrivals that are due in it count, whenever they are answered. Left out: all measured phases.
    #[serde(default)]
    pub phase: Option<String>,
    /// Whether the run ends as soon as the rule fails.
    #[serde(default)]
    pub abort: bool,
    /// Only with `abort`: how long the rule may fail at first, from the first second with something to judge. Left out: `"0s"`.
    #[serde(default)]
    pub grace: Option<Span>,
}

impl Rule {
    fn parts(&self) -> (&str, Option<&RuleTable>) {
        match self {
            Self::Expression(expression) => (expression, None),
            Self::Table(table) => (&table.expression, Some(table)),
        }
    }
}

/// What applies where a scenario has no rules of its own: of everything that the plan has, less than 1 % goes wrong.
/// A socket that the plan itself cuts, or that its player leaves, is none that was dropped.
fn defaults(stretches: &[Stretch], operations: &[PlannedOperation]) -> Vec<Threshold> {
    let due = |operation| {
        let planned = operations.iter().find(|planned| planned.operation == operation);
        planned.is_some_and(|planned| is_due(planned, stretches.iter().filter(|stretch| stretch.measured)))
    };
    let lost = [(Kind::Message, Operation::SendMessage), (Kind::Placement, Operation::PlacementRequest)];
    let lost =
        lost.into_iter().filter(|(_, operation)| due(*operation)).map(|(kind, _)| Metric::LostRate(kind));
    [Metric::ErrorRate(None), Metric::Sockets(SocketCount::DroppedRate)]
        .into_iter()
        .chain(lost)
        .map(Threshold::below_one_percent)
        .collect()
}

/// Whether an operation has an arrival in any of the stretches, as far as the plan decides it.
fn is_due<'s>(planned: &PlannedOperation, mut stretches: impl Iterator<Item = &'s Stretch>) -> bool {
    planned.think().is_some()
        || stretches.any(|stretch| planned.before(stretch.end) > planned.before(stretch.start))
}

impl Check<'_> {
    /// The rules of a scenario. Stretches that a rule names get a ledger of their own; their names are returned in the
    /// order of these.
    pub(crate) fn thresholds(
        &mut self,
        scenario: &Scenario,
        stretches: &mut [Stretch],
        operations: &[PlannedOperation],
    ) -> (Vec<Threshold>, Vec<String>) {
        let Some(rules) = &scenario.thresholds else { return (defaults(stretches, operations), Vec::new()) };
        let (mut thresholds, mut phases) = (Vec::new(), Vec::<String>::new());
        for (index, rule) in rules.iter().enumerate() {
            let (expression, table) = rule.parts();
            let pointer = format!("/thresholds/{index}");
            let place = table.map_or_else(|| pointer.clone(), |_| format!("{pointer}/expression"));
            let parsed: Result<Threshold, _> = expression.parse();
            let mut threshold = match parsed {
                Ok(threshold) => Some(threshold),
                Err(problem) => {
                    self.wrong(&place, format!("`{expression}`: {problem}"), threshold::HELP);
                    None
                }
            };
            if let Some(threshold) = &threshold {
                self.measurable(scenario, &place, threshold, operations);
            }
            let Some(RuleTable { phase, abort, grace, .. }) = table else {
                thresholds.extend(threshold);
                continue;
            };
            let length = grace.map(|grace| self.within_a_day(&format!("{pointer}/grace"), grace));
            if grace.is_some() && !abort {
                self.wrong(
                    &format!("{pointer}/grace"),
                    "belongs to rules that end the run",
                    "add `abort = true`, or take it out",
                );
            }
            if let Some(threshold) = &mut threshold {
                threshold.abort = abort.then(|| Abort { grace: length.unwrap_or_default() });
            }
            if let Some(name) = phase {
                let pointer = format!("{pointer}/phase");
                let known = self.phase(&pointer, name, stretches);
                if let Some(threshold) = &mut threshold
                    && known
                {
                    self.in_phase(&pointer, threshold, name, stretches, operations);
                    let nth = phases.iter().position(|other| other == name).unwrap_or_else(|| {
                        phases.push(name.clone());
                        phases.len() - 1
                    });
                    threshold.phase = Some(name.clone());
                    threshold.ledger = Ledger::of_phase(nth);
                }
            }
            thresholds.extend(threshold);
        }
        if phases.len() > Ledger::MOST_PHASES {
            self.wrong(
                "/thresholds",
                format!("rules for {} phases", phases.len()),
                &format!("name {} phases at most", Ledger::MOST_PHASES),
            );
            return (thresholds, Vec::new());
        }
        for (nth, name) in phases.iter().enumerate() {
            let named = stretches.iter_mut().filter(|stretch| stretch.name == *name && stretch.measured);
            named.for_each(|stretch| stretch.ledger = Ledger::of_phase(nth));
        }
        (thresholds, phases)
    }

    /// Whether the plan has what a rule looks at.
    fn measurable(
        &mut self,
        scenario: &Scenario,
        pointer: &str,
        threshold: &Threshold,
        operations: &[PlannedOperation],
    ) {
        let expression = &threshold.expression;
        let planned = |operation| operations.iter().any(|planned| planned.operation == operation);
        if let Some(operation) = threshold.metric.operation().filter(|operation| !planned(*operation)) {
            self.wrong(
                pointer,
                format!("`{expression}` can never be measured: the plan has no {operation}"),
                &format!("add [operations.{operation}], or take the threshold out"),
            );
        }
        let reconnects = matches!(threshold.metric, Metric::Reconnects(_) | Metric::Recovery(_));
        if reconnects && scenario.reconnect.policy == Policy::None {
            self.wrong(
                pointer,
                format!("`{expression}` can never be measured: no player comes back"),
                "set reconnect.policy, or take the threshold out",
            );
        }
    }

    /// Whether there is a measured phase of this name.
    fn phase(&mut self, pointer: &str, name: &str, stretches: &[Stretch]) -> bool {
        let named = || stretches.iter().filter(|stretch| stretch.name == name);
        if named().any(|stretch| stretch.measured) {
            return true;
        }
        if named().next().is_some() {
            self.wrong(
                pointer,
                format!("`{name}` is a warm-up: its figures count for nothing"),
                "take out the phase's `measured = false`, or name another phase",
            );
            return false;
        }
        let mut known: Vec<_> = stretches.iter().map(|stretch| format!("`{}`", stretch.name)).collect();
        known.dedup();
        self.wrong(
            pointer,
            format!("there is no phase `{name}`"),
            &format!(
                "the phases are {}; a phase is called as its `name` says, else as its kind",
                known.join(", ")
            ),
        );
        false
    }

    /// Whether a rule's metric can be told by phase, and is there in this one.
    fn in_phase(
        &mut self,
        pointer: &str,
        threshold: &Threshold,
        name: &str,
        stretches: &[Stretch],
        operations: &[PlannedOperation],
    ) {
        let expression = &threshold.expression;
        if matches!(threshold.metric, Metric::Sockets(_) | Metric::Reconnects(_)) {
            self.wrong(
                pointer,
                format!("`{expression}` is counted over the whole run, since no arrival calls for it"),
                "take `phase` out",
            );
            return;
        }
        let planned = threshold.metric.operation();
        let planned =
            planned.and_then(|wanted| operations.iter().find(|planned| planned.operation == wanted));
        let named = stretches.iter().filter(|stretch| stretch.name == name && stretch.measured);
        if let Some(planned) = planned.filter(|planned| !is_due(planned, named)) {
            self.wrong(
                pointer,
                format!(
                    "`{expression}` can never be measured: {} has no arrival in the phase `{name}`",
                    planned.operation
                ),
                "name another phase, or take the threshold out",
            );
        }
    }
}
