//! From `[[journeys]]` to the plan: steps that can be done and that come to an end, names that nothing else has.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use protocol::outline::{Audience, Outline, Push, Tie};

use super::context::{Check, instead};
use crate::keys::draw::Draw;
use crate::keys::duration::Span;
use crate::keys::journeys as keys;
use crate::keys::scenario::Scenario;
use crate::keys::times::Times;
use crate::plan::arrivals::Arrivals;
use crate::plan::journey::{Journey, Journeys, Step, Until};
use crate::plan::operation::{self, Operation, What};
use crate::plan::{Model, PlannedOperation, PlannedPush};

/// Names of figures that no operation has: a journey of the name could not be told from them.
const RESERVED: [&str; 6] =
    [operation::CONNECT, operation::READY, "sockets", "socket", "reconnects", "error_rate"];

/// What players do in order; each journey as a whole is an operation of its own, after all others. `length` is that of the
/// run, which a journey may take.
pub(super) fn journeys(
    check: &mut Check<'_>,
    scenario: &Scenario,
    protocol: &Outline,
    operations: &mut Vec<PlannedOperation>,
    pushes: &[PlannedPush],
    length: Duration,
) -> Journeys {
    if scenario.journeys.is_empty() {
        return Journeys::default();
    }
    let mut planned = Vec::new();
    for (number, journey) in scenario.journeys.iter().enumerate() {
        name(check, scenario, protocol, number, journey);
        let mut steps = Vec::new();
        for (index, step) in journey.steps.iter().enumerate() {
            let pointer = format!("/journeys/{number}/steps/{index}");
            steps.extend(planned_step(check, &pointer, step, protocol, operations, pushes));
        }
        if journey.repeats
            && !steps.is_empty()
            && steps.len() == journey.steps.len()
            && !waits(&steps, protocol, operations)
        {
            check.wrong(
                &format!("/journeys/{number}/steps"),
                "nothing in it takes any time, so that it would begin again at once and for ever",
                "add a pause, e.g. { pause = \"1s\" }, or write loop = false",
            );
        }
        planned.push((journey, steps));
    }
    if scenario.journeys.iter().all(|journey| journey.weight == 0) {
        check.wrong(
            "/journeys/0/weight",
            "no journey has a weight above 0",
            "give one a weight of 1 at least",
        );
    }
    let most = Operation::MOST - operations.len().min(Operation::MOST);
    if planned.len() > most {
        check.wrong(
            &format!("/journeys/{most}"),
            format!("the plan has more than {} operations with its journeys among them", Operation::MOST),
            "take some journeys or operations out",
        );
    }
    let journeys = planned.into_iter().take(most).enumerate().map(|(number, (keys, steps))| {
        let operation = Operation::of(operations.len());
        operations.push(PlannedOperation {
            operation,
            name: Arc::from(keys.name.as_str()),
            what: What::Journey(number),
            rate: 0.0,
            timeout: length,
            model: Model::Open,
            fan_out: 1..=1,
            size: 0,
            every: Duration::ZERO,
            parameters: BTreeMap::new(),
            of_itself: true,
            arrivals: Arrivals::none(),
        });
        Journey { operation, weight: keys.weight, repeats: keys.repeats, steps }
    });
    let journeys = journeys.collect();
    Journeys::new(scenario.players, journeys)
}

/// Whether a journey's name can be told from every other.
fn name(
    check: &mut Check<'_>,
    scenario: &Scenario,
    protocol: &Outline,
    number: usize,
    journey: &keys::Journey,
) {
    let name = journey.name.as_str();
    let earlier = scenario.journeys[..number].iter().any(|other| other.name == name);
    let taken = if RESERVED.contains(&name) {
        "other figures are called so"
    } else if protocol.operations.iter().any(|operation| operation.name == name) {
        "an operation of the protocol is called so"
    } else if protocol.pushes.iter().any(|push| push.name == name) {
        "a push of the protocol is called so"
    } else if earlier {
        "another journey is called so"
    } else {
        return;
    };
    let problem = format!("`{name}` cannot be told apart: {taken}");
    check.wrong(&format!("/journeys/{number}/name"), problem, "choose another name, e.g. \"evening\"");
}

/// A step, unless something is wrong with it.
fn planned_step(
    check: &mut Check<'_>,
    pointer: &str,
    step: &keys::Step,
    protocol: &Outline,
    operations: &[PlannedOperation],
    pushes: &[PlannedPush],
) -> Option<Step> {
    let keys::StepTable { does, until, times, pause, leave } = step.table();
    let Some(name) = does else {
        for (key, given) in [("until", until.is_some()), ("times", times.is_some())] {
            if given {
                check.wrong(
                    &format!("{pointer}/{key}"),
                    "belongs to a step that does an operation",
                    "add do = \"…\", or take it out",
                );
            }
        }
        return match (pause, leave) {
            (Some(pause), None) => Some(Step::Pause(length(check, &format!("{pointer}/pause"), pause))),
            (None, Some(leave)) => Some(Step::Leave(length(check, &format!("{pointer}/leave"), leave))),
            (Some(_), Some(_)) => {
                check.wrong(
                    &format!("{pointer}/leave"),
                    "stands beside a pause: whether it comes before or after it is open",
                    "write two steps, e.g. { pause = \"1s\" }, { leave = \"10s\" }",
                );
                None
            }
            (None, None) if until.is_some() || times.is_some() => None,
            (None, None) => {
                check.wrong(
                    pointer,
                    "does nothing",
                    "write the name of an operation, { do = \"…\" }, { pause = \"1s to 3s\" } or { leave = \"10s\" }",
                );
                None
            }
        };
    };
    if leave.is_some() {
        check.wrong(
            &format!("{pointer}/leave"),
            "stands beside `do`: a step does an operation or leaves",
            "write two steps, e.g. \"send_message\", { leave = \"10s\" }",
        );
    }
    let pause = pause.map(|pause| length(check, &format!("{pointer}/pause"), pause));
    let place =
        if matches!(step, keys::Step::Table(_)) { format!("{pointer}/do") } else { pointer.to_owned() };
    let planned = done(check, &place, &name, protocol, operations)?;
    let until = match until.unwrap_or_default() {
        keys::Until::Answer => Until::Answer,
        keys::Until::Push => {
            let kind = pushes.iter().position(|push| push.operation == Some(planned.operation));
            let Some(kind) = kind.filter(|kind| comes_back(&protocol.pushes[pushes[*kind].push])) else {
                check.wrong(
                    &format!("{pointer}/until"),
                    format!("no push of `{name}` comes back to the player"),
                    "take it out: the step then ends with the answer",
                );
                return None;
            };
            Until::Push { kind: operation::Kind::of(kind), within: pushes[kind].timeout }
        }
    };
    Some(Step::Do { operation: planned.operation, until, times: times.unwrap_or(Times::ONCE), pause })
}

/// The operation that a step does.
fn done<'o>(
    check: &mut Check<'_>,
    pointer: &str,
    name: &str,
    protocol: &Outline,
    operations: &'o [PlannedOperation],
) -> Option<&'o PlannedOperation> {
    if [operation::CONNECT, operation::READY].contains(&name) {
        check.wrong(
            pointer,
            format!("`{name}` is no step: a journey begins when its player is ready"),
            "take it out",
        );
        return None;
    }
    let Some(planned) = operations.iter().find(|planned| *planned.name == *name) else {
        let known: Vec<_> = protocol.operations.iter().map(|operation| operation.name.as_str()).collect();
        let problem = format!("the protocol `{}` has no operation `{name}`", protocol.name);
        check.wrong(pointer, problem, &instead(name, &known));
        return None;
    };
    if matches!(planned.what, What::Poll(_)) {
        check.wrong(
            pointer,
            format!("`{name}` is polled over REST, past the player's socket, on which a journey goes"),
            "let it be called for by a rate in [operations], or take it out",
        );
        return None;
    }
    if planned.think().is_some() {
        check.wrong_beside(
            pointer,
            &[&format!("/operations/{name}/model")],
            format!("`{name}` is closed: its think_time and the journey would both call for it"),
            &format!("take model and think_time out of [operations.{name}], or the step out"),
        );
        return None;
    }
    Some(planned)
}

/// Whether a push comes to the player whose request leads to it.
fn comes_back(push: &Push) -> bool {
    match (push.tie, push.to) {
        (Tie::Kept(_) | Tie::Player, _) | (_, Audience::Sender) => true,
        (Tie::Marker, Audience::Room | Audience::Everyone) => push.sender,
        (Tie::Marker, Audience::Recipients) => false,
    }
}

/// Whether something in a journey takes time.
fn waits(steps: &[Step], protocol: &Outline, operations: &[PlannedOperation]) -> bool {
    let answered = |operation: &Operation| match operations[operation.index()].what {
        What::Request(number) => protocol.operations[number].answered,
        _ => false,
    };
    steps.iter().any(|step| match step {
        Step::Do { operation, until, .. } => *until != Until::Answer || answered(operation),
        Step::Pause(length) | Step::Leave(length) => !length.mean().is_zero(),
    })
}

/// A drawn time of a day at most, which may be nothing.
fn length(check: &mut Check<'_>, pointer: &str, draw: Draw) -> Draw {
    check.within_a_day(pointer, Span(draw.mean()));
    draw
}
