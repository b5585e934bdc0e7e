//! From `[operations]` to each operation's arrivals, and what it sends.

use std::sync::Arc;
use std::time::Duration;

use super::context::Check;
use super::recording;
use crate::keys::scenario::{ModelKind, Pace, Scenario, Spacing};
use crate::plan::arrivals::{Arrivals, MOST_RANDOM};
use crate::plan::auth::PlayerIds;
use crate::plan::curve::{Curve, Line};
use crate::plan::operation::{self, Operation, What};
use crate::plan::reference::{self, Reference};
use crate::plan::{MAX_MESSAGE_BYTES, MessageShape, Model, PlannedOperation, PlannedPush, Poll, Target};

/// What players do, connecting first.
pub(super) fn operations(check: &mut Check<'_>, scenario: &Scenario, load: &Curve) -> Vec<PlannedOperation> {
    let rate = scenario.sockets.connect_rate;
    let connecting = Line::level(f64::from(scenario.players) / rate, 1.0);
    let mut operations = vec![PlannedOperation {
        operation: Operation::CONNECT,
        name: Arc::from(operation::CONNECT),
        what: What::Connect,
        rate,
        timeout: scenario.sockets.connect_timeout.0,
        model: Model::Open,
        arrivals: Arrivals::even(Curve::new(Duration::ZERO, &[connecting.into()]), rate),
    }];
    let wanted = &scenario.operations;
    let paces = [
        wanted.send_message.as_ref().map(|message| message.pace()),
        wanted.placement_request.as_ref().map(|simple| simple.pace()),
        wanted.unknown_route.as_ref().map(|simple| simple.pace()),
        wanted.placement_poll.as_ref().map(|poll| poll.pace()),
    ];
    for (number, (name, pace)) in reference::OPERATIONS.into_iter().zip(paces).enumerate() {
        let Some(pace) = pace else { continue };
        let poll = number == reference::PLACEMENT_POLL;
        let what = if poll { What::Poll(number) } else { What::Request(number) };
        let by_journey = super::journeys::does(scenario, name);
        let (model, arrivals) = paced(check, name, what, &pace, by_journey, load, scenario.seed);
        operations.push(PlannedOperation {
            operation: Operation::of(operations.len()),
            name: Arc::from(name),
            what,
            rate: pace.rate.unwrap_or(0.0),
            timeout: check.positive(&format!("/operations/{name}/timeout"), pace.timeout),
            model,
            arrivals,
        });
    }
    operations
}

/// The plan's numbers of the reference protocol's operations.
pub(super) fn reference(operations: &[PlannedOperation]) -> Reference {
    let number = |number: usize| {
        let is = |what| matches!(what, What::Request(of) | What::Poll(of) if of == number);
        operations.iter().find(|planned| is(planned.what)).map(|planned| planned.operation)
    };
    Reference {
        send_message: number(reference::SEND_MESSAGE),
        placement_request: number(reference::PLACEMENT_REQUEST),
        unknown_route: number(reference::UNKNOWN_ROUTE),
        placement_poll: number(reference::PLACEMENT_POLL),
    }
}

/// What is pushed, each after how long it is no longer in time.
pub(super) fn pushes(
    check: &mut Check<'_>,
    scenario: &Scenario,
    operations: &[PlannedOperation],
) -> Vec<PlannedPush> {
    let deliveries = &scenario.deliveries;
    let timeouts = [
        check.positive("/deliveries/timeout", deliveries.timeout),
        check.positive("/deliveries/placement_timeout", deliveries.placement_timeout),
    ];
    let pushes = reference::PUSHES.into_iter().zip(timeouts).enumerate();
    let planned = |name: &str| operations.iter().find(|planned| *planned.name == *name);
    pushes
        .map(|(push, ((name, operation), timeout))| {
            let operation_name = reference::OPERATIONS[operation];
            PlannedPush {
                name: Arc::from(name),
                operation_name: Arc::from(operation_name),
                operation: planned(operation_name).map(|planned| planned.operation),
                push,
                timeout,
            }
        })
        .collect()
}

/// An operation's model and its open arrivals.
fn paced(
    check: &mut Check<'_>,
    name: &str,
    what: What,
    pace: &Pace<'_>,
    by_journey: bool,
    load: &Curve,
    seed: u64,
) -> (Model, Arrivals) {
    let table = format!("/operations/{name}");
    let closed = pace.model == ModelKind::Closed;
    for (key, given, allowed, where_else) in [
        ("rate", pace.rate.is_some(), !closed, "in the closed model the answers and think_time set the pace"),
        ("arrivals", pace.arrivals.is_some(), !closed, "in the closed model nothing arrives by itself"),
        ("recording", pace.recording.is_some(), !closed, "in the closed model nothing arrives by itself"),
        ("think_time", pace.think_time.is_some(), closed, "the open model has no think time"),
        ("rate", pace.rate.is_some(), pace.recording.is_none(), "the recording sets the pace"),
        ("arrivals", pace.arrivals.is_some(), pace.recording.is_none(), "the recording sets the pace"),
    ] {
        if given && !allowed {
            check.wrong_beside(
                &format!("{table}/{key}"),
                &[&format!("{table}/model")],
                format!("has no meaning here: {where_else}"),
                "take it out",
            );
        }
    }
    if closed {
        let Some(think) = pace.think_time else {
            check.wrong(
                &table,
                "`think_time` is missing, which the closed model needs",
                "write e.g. think_time = \"exponential 2s\"",
            );
            return (Model::Open, Arrivals::none());
        };
        return (Model::Closed { think }, Arrivals::none());
    }
    if let Some(file) = pace.recording {
        return (Model::Open, recorded(check, name, file, load));
    }
    let Some(rate) = pace.rate else {
        if by_journey {
            return (Model::Open, Arrivals::none());
        }
        check.wrong(
            &table,
            "`rate` is missing",
            "write e.g. rate = 100.0; or name a recording; or choose model = \"closed\"",
        );
        return (Model::Open, Arrivals::none());
    };
    if pace.arrivals != Some(Spacing::Poisson) {
        return (Model::Open, Arrivals::even(load.clone(), rate));
    }
    if load.area() * rate > MOST_RANDOM {
        check.wrong(
            &format!("{table}/arrivals"),
            format!("{:.1e} random arrivals are more than {MOST_RANDOM:e}", load.area() * rate),
            "shorten the phases, lower the rate, or choose `constant`",
        );
        return (Model::Open, Arrivals::none());
    }
    // Each operation has a process of its own.
    let salt = what.salt() << 48;
    (Model::Open, Arrivals::poisson(load.clone(), rate, seed ^ salt))
}

/// A recording's arrivals on the run's axis.
fn recorded(check: &mut Check<'_>, operation: &str, file: &str, load: &Curve) -> Arrivals {
    let pointer = format!("/operations/{operation}/recording");
    let remedy = "name a CSV or JSONL file beside the scenario, or at a path from the working directory";
    let Some(path) = check.named_file(&pointer, file, remedy) else { return Arrivals::none() };
    let offsets = match recording::read(&path, operation) {
        Ok(offsets) => offsets,
        Err(bad) => {
            for line in bad {
                check.wrong(
                        &pointer,
                        format!("{}: {line}", path.display()),
                        "the columns are `offset_s` (seconds from the first phase's start) and, for several operations, `operation`",
                    );
            }
            return Arrivals::none();
        }
    };
    check.keep_file(&pointer, &path);
    let (start, length) = (load.start(), load.length());
    if let Some(last) = offsets.iter().max().filter(|last| **last > length) {
        check.wrong_beside(
            &pointer,
            &["/phases"],
            format!(
                "has arrivals up to {:.1} s, but the phases are over after {:.1} s",
                last.as_secs_f64(),
                length.as_secs_f64()
            ),
            "lengthen the phases, or cut the recording",
        );
    }
    Arrivals::recorded(offsets.into_iter().map(|offset| start + offset).collect())
}

pub(super) fn message(check: &mut Check<'_>, scenario: &Scenario, ids: &PlayerIds) -> Option<MessageShape> {
    let message = scenario.operations.send_message.as_ref()?;
    let most = message.fan_out_max.unwrap_or(message.fan_out);
    if most < message.fan_out {
        check.wrong_beside(
            "/operations/send_message/fan_out_max",
            &["/operations/send_message/fan_out"],
            format!("{most} is below fan_out, {}", message.fan_out),
            "make fan_out_max at least fan_out, or leave it out",
        );
    }
    if most > scenario.players {
        let key = if message.fan_out_max.is_some() { "fan_out_max" } else { "fan_out" };
        check.wrong_beside(
            &format!("/operations/send_message/{key}"),
            &["/players"],
            format!("{most} recipients are more than the {} players", scenario.players),
            "lower it, or raise players",
        );
    }
    let id_bytes = ids.longest() as u64 + 3;
    let frame = u64::from(most) * id_bytes + u64::from(message.size) + 128;
    if frame > MAX_MESSAGE_BYTES {
        check.wrong(
                "/operations/send_message",
                format!("a message to {most} recipients would have about {frame} bytes, more than the {MAX_MESSAGE_BYTES} that API Gateway takes"),
                "lower fan_out or size",
            );
    }
    Some(MessageShape { fan_out: message.fan_out..=most.max(message.fan_out), size: message.size })
}

pub(super) fn poll(check: &mut Check<'_>, scenario: &Scenario, target: &Target) -> Option<Poll> {
    let poll = scenario.operations.placement_poll.as_ref()?;
    let pointer = "/operations/placement_poll";
    let rest = scenario.target.rest.as_ref().and_then(|rest| {
        check.url("/target/rest", rest, &["http", "https"], "write the REST API's URL with its stage")
    });
    if scenario.target.rest.is_none() && matches!(target, Target::Url(_)) {
        check.wrong_beside(
            pointer,
            &["/target/rest"],
            "the target's REST API is not known",
            "set target.rest, e.g. \"https://ID.execute-api.REGION.amazonaws.com/STAGE\"",
        );
    }
    Some(Poll { rest, every: check.positive(&format!("{pointer}/every"), poll.every) })
}
