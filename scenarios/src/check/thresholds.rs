//! The scenario's thresholds: as they are written, those that apply where none are, and what can be wrong with them.

use protocol::Outline;

use super::context::{Check, instead};
use crate::keys::disruptions::Policy;
use crate::keys::scenario::Scenario;
use crate::keys::thresholds::RuleTable;
use crate::plan::ledger::Ledger;
use crate::plan::threshold::{self, Abort, Metric, SocketCount, Threshold};
use crate::plan::{PlannedOperation, PlannedPhase, PlannedPush};

/// What applies where a scenario has no rules of its own: of everything that the plan has, less than 1 % goes wrong.
/// A socket that the plan itself cuts, or that its player leaves, is none that was dropped.
fn defaults(
    phases: &[PlannedPhase],
    operations: &[PlannedOperation],
    pushes: &[PlannedPush],
) -> Vec<Threshold> {
    let due = |push: &&PlannedPush| {
        let planned = push.operation.map(|operation| &operations[operation.index()]);
        planned.is_some_and(|planned| is_due(planned, phases.iter().filter(|phase| phase.measured)))
    };
    let lost = pushes.iter().filter(due).map(|push| Metric::LostRate(push.name.to_string()));
    [Metric::ErrorRate(None), Metric::Sockets(SocketCount::DroppedRate)]
        .into_iter()
        .chain(lost)
        .map(Threshold::below_one_percent)
        .collect()
}

/// Whether an operation has an arrival in any of the phases, as far as the plan decides it.
fn is_due<'s>(planned: &PlannedOperation, mut phases: impl Iterator<Item = &'s PlannedPhase>) -> bool {
    planned.of_itself
        || planned.think().is_some()
        || phases.any(|phase| planned.before(phase.end) > planned.before(phase.start))
}

/// The rules of a scenario. Phases that a rule names get a ledger of their own; their names are returned in the
/// order of these.
pub(super) fn thresholds(
    check: &mut Check<'_>,
    scenario: &Scenario,
    protocol: &Outline,
    phases: &mut [PlannedPhase],
    operations: &[PlannedOperation],
    pushes: &[PlannedPush],
) -> (Vec<Threshold>, Vec<String>) {
    let Some(rules) = &scenario.thresholds else { return (defaults(phases, operations, pushes), Vec::new()) };
    let (mut thresholds, mut judged) = (Vec::new(), Vec::<String>::new());
    for (index, rule) in rules.iter().enumerate() {
        let (expression, table) = rule.parts();
        let pointer = format!("/thresholds/{index}");
        let place = table.map_or_else(|| pointer.clone(), |_| format!("{pointer}/expression"));
        let parsed: Result<Threshold, _> = expression.parse();
        let mut threshold = match parsed {
            Ok(threshold) => Some(threshold),
            Err(problem) => {
                check.wrong(&place, format!("`{expression}`: {problem}"), threshold::HELP);
                None
            }
        };
        if let Some(threshold) = &threshold {
            measurable(check, scenario, protocol, &place, threshold, operations, pushes);
        }
        let Some(RuleTable { phase, abort, grace, .. }) = table else {
            thresholds.extend(threshold);
            continue;
        };
        let length = grace.map(|grace| check.within_a_day(&format!("{pointer}/grace"), grace));
        if grace.is_some() && !abort {
            check.wrong(
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
            let known = is_measured_phase(check, &pointer, name, phases);
            if let Some(threshold) = &mut threshold
                && known
            {
                in_phase(check, &pointer, threshold, name, phases, operations, pushes);
                let nth = judged.iter().position(|other| other == name).unwrap_or_else(|| {
                    judged.push(name.clone());
                    judged.len() - 1
                });
                threshold.phase = Some(name.clone());
                threshold.ledger = Ledger::of_phase(nth);
            }
        }
        thresholds.extend(threshold);
    }
    if judged.len() > Ledger::MOST_PHASES {
        check.wrong(
            "/thresholds",
            format!("rules for {} phases", judged.len()),
            &format!("name {} phases at most", Ledger::MOST_PHASES),
        );
        return (thresholds, Vec::new());
    }
    for (nth, name) in judged.iter().enumerate() {
        let named = phases.iter_mut().filter(|phase| phase.name == *name && phase.measured);
        named.for_each(|phase| phase.ledger = Ledger::of_phase(nth));
    }
    (thresholds, judged)
}

/// Whether the plan has what a rule looks at.
fn measurable(
    check: &mut Check<'_>,
    scenario: &Scenario,
    protocol: &Outline,
    pointer: &str,
    threshold: &Threshold,
    operations: &[PlannedOperation],
    pushes: &[PlannedPush],
) {
    let expression = &threshold.expression;
    let planned = |operation: &str| operations.iter().any(|planned| *planned.name == *operation);
    let called_for = |push: &str| pushes.iter().find(|known| *known.name == *push);
    let needed = match (threshold.metric.operation(), threshold.metric.push()) {
        (Some(operation), _) if planned(operation) => None,
        (Some(operation), _) if protocol.operations.iter().any(|known| known.name == operation) => {
            Some(operation)
        }
        (Some(operation), _) => {
            let known: Vec<_> = operations.iter().map(|planned| &*planned.name).collect();
            return unknown(check, pointer, expression, "operation", operation, &known);
        }
        (_, Some(push)) => {
            let Some(known) = called_for(push) else {
                let known: Vec<_> = pushes.iter().map(|push| &*push.name).collect();
                return unknown(check, pointer, expression, "push", push, &known);
            };
            known.operation.is_none().then_some(&*known.operation_name)
        }
        _ => None,
    };
    if let Some(operation) = needed {
        check.wrong_beside(
            pointer,
            &[&format!("/operations/{operation}")],
            format!("`{expression}` can never be measured: the plan has no {operation}"),
            &format!("add [operations.{operation}], or take the threshold out"),
        );
    }
    let reconnects = matches!(threshold.metric, Metric::Reconnects(_) | Metric::Recovery(_));
    if reconnects && scenario.reconnect.policy == Policy::None {
        check.wrong_beside(
            pointer,
            &["/reconnect"],
            format!("`{expression}` can never be measured: no player comes back"),
            "set reconnect.policy, or take the threshold out",
        );
    }
}

/// A rule names what the plan does not have.
fn unknown(check: &mut Check<'_>, pointer: &str, expression: &str, what: &str, name: &str, known: &[&str]) {
    let problem = format!("`{expression}`: the plan has no {what} `{name}`");
    check.wrong(pointer, problem, &instead(name, known));
}

/// Whether there is a measured phase of this name.
fn is_measured_phase(check: &mut Check<'_>, pointer: &str, name: &str, phases: &[PlannedPhase]) -> bool {
    let named = || phases.iter().filter(|phase| phase.name == name);
    if named().any(|phase| phase.measured) {
        return true;
    }
    if named().next().is_some() {
        check.wrong(
            pointer,
            format!("`{name}` is a warm-up: its figures count for nothing"),
            "take out the phase's `measured = false`, or name another phase",
        );
        return false;
    }
    let mut known: Vec<String> = Vec::new();
    for phase in phases {
        let shown = format!("`{}`", phase.name);
        if !known.contains(&shown) {
            known.push(shown);
        }
    }
    check.wrong(
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
    check: &mut Check<'_>,
    pointer: &str,
    threshold: &Threshold,
    name: &str,
    phases: &[PlannedPhase],
    operations: &[PlannedOperation],
    pushes: &[PlannedPush],
) {
    let expression = &threshold.expression;
    if matches!(threshold.metric, Metric::Sockets(_) | Metric::Reconnects(_)) {
        check.wrong(
            pointer,
            format!("`{expression}` is counted over the whole run, since no arrival calls for it"),
            "take `phase` out",
        );
        return;
    }
    let metric = &threshold.metric;
    let named = |name: &str| operations.iter().find(|planned| *planned.name == *name);
    let leads_to = |name: &str| {
        let push = pushes.iter().find(|push| *push.name == *name)?;
        push.operation.map(|operation| &operations[operation.index()])
    };
    let planned = metric.operation().and_then(named).or_else(|| metric.push().and_then(leads_to));
    let named = phases.iter().filter(|phase| phase.name == name && phase.measured);
    if let Some(planned) = planned.filter(|planned| !is_due(planned, named)) {
        check.wrong(
            pointer,
            format!(
                "`{expression}` can never be measured: {} has no arrival in the phase `{name}`",
                planned.name
            ),
            "name another phase, or take the threshold out",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;

    fn plan(rules: &str, more: &str) -> Result<Plan, String> {
        let text = format!(
            r#"name = "rules"
players = 10
{rules}
[[phases]]
name = "warm-up"
kind = "ramp"
duration = "5s"
measured = false
[[phases]]
kind = "hold"
duration = "5s"
[[phases]]
name = "peak"
kind = "spike"
duration = "4s"
load = 3.0
[[phases]]
kind = "hold"
duration = "5s"
[[phases]]
name = "quiet"
kind = "hold"
duration = "5s"
load = 0.0
{more}"#
        );
        crate::check("rules.toml", &text, &[])
            .map(|checked| checked.plan)
            .map_err(|mistakes| mistakes.to_string())
    }

    const MESSAGES: &str = "[operations.send_message]\nrate = 10.0\n";

    fn expressions(plan: &Plan) -> Vec<&str> {
        plan.thresholds.iter().map(|threshold| threshold.expression.as_str()).collect()
    }

    #[test]
    fn without_rules_of_its_own_a_plan_is_judged_by_all_that_it_has() {
        let sockets = ["error_rate < 1%", "sockets.dropped_rate < 1%"];
        assert_eq!(expressions(&plan("", "").unwrap()), sockets);
        let placements = "[operations.placement_request]\nrate = 2.0\n";
        let both = plan("", &format!("{MESSAGES}{placements}")).unwrap();
        let lost = ["message.lost_rate < 1%", "placement.lost_rate < 1%"];
        assert_eq!(expressions(&both), [sockets, lost].concat());
        let none = plan("", "[operations.send_message]\nrate = 0.0\n").unwrap();
        assert_eq!(expressions(&none), sockets, "no message is due");
        assert_eq!(expressions(&plan("thresholds = []", MESSAGES).unwrap()), [""; 0]);
        for threshold in &both.thresholds {
            assert_eq!(
                threshold.expression.parse::<Threshold>().as_ref(),
                Ok(threshold),
                "as if it were written"
            );
        }
    }

    #[test]
    fn a_phase_with_rules_has_a_ledger_and_phases_of_one_name_share_it() {
        let rules = r#"thresholds = [
            "error_rate < 1%",
            { expression = "send_message.response_time.p99 < 250ms", phase = "peak" },
            { expression = "error_rate < 5%", phase = "hold", abort = true, grace = "2s" },
            { expression = "message.lost == 0", phase = "peak", abort = true },
        ]"#;
        let plan = plan(rules, MESSAGES).unwrap();
        assert_eq!(plan.judged_phases, ["peak", "hold"]);
        let [connect, warm_up, hold, peak, again, quiet] = &plan.phases[..] else { panic!() };
        assert_eq!(
            (connect.ledger, warm_up.ledger, quiet.ledger),
            (Ledger::MEASURED, Ledger::WARM_UP, Ledger::MEASURED)
        );
        assert_eq!(peak.ledger.phase(), Some(0));
        assert_eq!((hold.ledger, again.ledger.phase()), (again.ledger, Some(1)));
        let judged: Vec<_> =
            plan.thresholds.iter().map(|rule| (rule.ledger, rule.abort.map(|abort| abort.grace))).collect();
        let seconds = std::time::Duration::from_secs;
        assert_eq!(judged[0], (Ledger::MEASURED, None));
        assert_eq!(judged[2], (hold.ledger, Some(seconds(2))));
        assert_eq!(judged[3], (peak.ledger, Some(seconds(0))));
        assert_eq!(
            plan.thresholds[1].to_string(),
            "send_message.response_time.p99 < 250ms in the phase `peak`"
        );
    }

    #[test]
    fn every_mistake_of_a_rule_is_told_with_its_line() {
        let rules = r#"thresholds = [
            { expression = "error_rate < 1", phase = "peek" },
            { expression = "error_rate < 1%", phase = "warm-up" },
            { expression = "sockets.dropped == 0", phase = "peak" },
            { expression = "send_message.response_time.p99 < 1s", phase = "quiet" },
            { expression = "error_rate < 1%", grace = "10s" },
            "send_mesage.failed == 0",
            "mesage.lost == 0",
            "unknown_route.failed == 0",
            { expression = "error_rate < 1%", abort = "yes" },
            { expresion = "error_rate < 1%" },
        ]"#;
        let form = plan(rules, MESSAGES).unwrap_err();
        for told in ["rules.toml:12", "thresholds.8.abort", "must be boolean", "did you mean `expression`?"] {
            assert!(form.contains(told), "{told}\n{form}");
        }
        let rules = rules.replace("abort = \"yes\"", "abort = true").replace("expresion", "expression");
        let meaning = plan(&rules, MESSAGES).unwrap_err();
        for (line, told) in [
            (4, "is not a share"),
            (4, "there is no phase `peek`"),
            (5, "`warm-up` is a warm-up"),
            (6, "is counted over the whole run"),
            (7, "send_message has no arrival in the phase `quiet`"),
            (8, "belongs to rules that end the run"),
            (9, "the plan has no operation `send_mesage`"),
            (10, "the plan has no push `mesage`"),
            (11, "can never be measured: the plan has no unknown_route"),
        ] {
            let found = meaning
                .lines()
                .any(|found| found.contains(&format!("rules.toml:{line}:")) && found.contains(told));
            assert!(found, "{line}: {told}\n{meaning}");
        }
        for remedy in [
            "did you mean `send_message`? It has `connect`, `send_message`",
            "did you mean `message`? It has `message`, `placement`",
            "add [operations.unknown_route]",
        ] {
            assert!(meaning.contains(remedy), "{remedy}\n{meaning}");
        }
        assert!(meaning.contains("`connect`, `warm-up`, `hold`, `peak`, `quiet`;"), "{meaning}");
    }
}
