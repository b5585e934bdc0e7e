//! From `[operations]` to what players do, and what is pushed to them.

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::outline::{self, Tie};
use protocol::{Outline, Protocol};

use super::asked::{Asked, asked, unknown};
use super::context::Check;
use super::messages::{self, Surroundings};
use super::pace::paced;
use crate::keys::scenario::Scenario;
use crate::plan::arrivals::Arrivals;
use crate::plan::curve::{Curve, Line};
use crate::plan::operation::{CONNECT, Operation, READY, What};
use crate::plan::{Model, PlannedOperation, PlannedPush, Poll, Target};

/// How long an answer may take, by default.
const ANSWER: Duration = Duration::from_secs(10);
/// How long it may take until what is polled is there, by default.
const POLLED: Duration = Duration::from_secs(30);
/// The pause between an answer and the next question, by default.
const EVERY: Duration = Duration::from_secs(1);

/// What players do, connecting first.
pub(super) fn operations(
    check: &mut Check<'_>,
    scenario: &Scenario,
    protocol: &dyn Protocol,
    around: &Surroundings<'_>,
    load: &Curve,
) -> Vec<PlannedOperation> {
    let outline = protocol.outline();
    let rate = scenario.sockets.connect_rate;
    let connecting = Line::level(f64::from(scenario.players) / rate, 1.0);
    let connecting = Arrivals::even(Curve::new(Duration::ZERO, &[connecting.into()]), rate);
    let timeout = scenario.sockets.connect_timeout.0;
    let mut operations = vec![of_every_socket(CONNECT, What::Connect, rate, timeout, connecting)];
    if !outline.opening.is_empty() {
        operations.push(of_every_socket(READY, What::Ready, 0.0, timeout, Arrivals::none()));
    }
    unknown(check, scenario, outline);
    for asked in asked(scenario, outline) {
        let (model, arrivals) = paced(check, scenario, outline, &asked, load);
        let shape = messages::shape(check, scenario, protocol, around, &asked);
        let table = asked.table();
        operations.push(PlannedOperation {
            operation: Operation::CONNECT,
            name: asked.outline.name.as_str().into(),
            what: asked.what(),
            rate: asked.keys.rate.unwrap_or(0.0),
            timeout: timeout_of(check, &asked),
            model,
            fan_out: shape.fan_out,
            size: shape.size,
            every: asked.keys.every.map_or(EVERY, |every| check.positive(&format!("{table}/every"), every)),
            parameters: shape.parameters,
            of_itself: asked.of_itself,
            arrivals,
        });
    }
    if operations.len() > Operation::MOST {
        check.wrong(
            "/operations",
            format!("come to {} with those of every socket", operations.len()),
            &format!("do {} at most", Operation::MOST),
        );
    }
    for (number, planned) in operations.iter_mut().enumerate() {
        planned.operation = Operation::of(number);
    }
    operations
}

/// What every socket does by itself.
fn of_every_socket(
    name: &str,
    what: What,
    rate: f64,
    timeout: Duration,
    arrivals: Arrivals,
) -> PlannedOperation {
    PlannedOperation {
        operation: Operation::CONNECT,
        name: name.into(),
        what,
        rate,
        timeout,
        model: Model::Open,
        fan_out: 1..=1,
        size: 0,
        every: EVERY,
        parameters: BTreeMap::new(),
        of_itself: what == What::Ready,
        arrivals,
    }
}

fn timeout_of(check: &mut Check<'_>, asked: &Asked<'_>) -> Duration {
    let usual = if asked.outline.poll { POLLED } else { ANSWER };
    asked.keys.timeout.map_or(usual, |timeout| check.positive(&format!("{}/timeout", asked.table()), timeout))
}

/// The plan's operation of each of the protocol's, by number.
pub(super) fn requested(protocol: &Outline, operations: &[PlannedOperation]) -> Vec<Option<Operation>> {
    let mut requested = vec![None; protocol.operations.len()];
    for planned in operations {
        if let What::Request(number) | What::Poll(number) = planned.what {
            requested[number] = Some(planned.operation);
        }
    }
    requested
}

/// What is pushed, each after how long it is no longer in time.
pub(super) fn pushes(
    check: &mut Check<'_>,
    scenario: &Scenario,
    protocol: &Outline,
    requested: &[Option<Operation>],
) -> Vec<PlannedPush> {
    let deliveries = &scenario.deliveries;
    let relayed = check.positive("/deliveries/timeout", deliveries.timeout);
    let outcome = check.positive("/deliveries/placement_timeout", deliveries.placement_timeout);
    let mut planned = |(number, push): (usize, &outline::Push)| {
        let name = &protocol.operations[push.operation].name;
        let usual = if push.tie == Tie::Marker { relayed } else { outcome };
        let own = asked_timeout(check, scenario, name);
        PlannedPush {
            name: push.name.as_str().into(),
            operation_name: name.as_str().into(),
            operation: requested[push.operation],
            push: number,
            timeout: own.unwrap_or(usual),
        }
    };
    protocol.pushes.iter().enumerate().map(&mut planned).collect()
}

fn asked_timeout(check: &mut Check<'_>, scenario: &Scenario, operation: &str) -> Option<Duration> {
    let timeout = scenario.operations.get(operation)?.push_timeout?;
    Some(check.positive(&format!("/operations/{operation}/push_timeout"), timeout))
}

/// The REST API that operations are polled over, where there are any.
pub(super) fn poll(
    check: &mut Check<'_>,
    scenario: &Scenario,
    operations: &[PlannedOperation],
    target: &Target,
) -> Option<Poll> {
    let planned = operations.iter().find(|planned| matches!(planned.what, What::Poll(_)))?;
    let rest = scenario.target.rest.as_ref().and_then(|rest| {
        check.url("/target/rest", rest, &["http", "https"], "write the REST API's URL with its stage")
    });
    if scenario.target.rest.is_none() && matches!(target, Target::Url(_)) {
        check.wrong_beside(
            &format!("/operations/{}", planned.name),
            &["/target/rest"],
            "the target's REST API is not known",
            "set target.rest, e.g. \"https://ID.execute-api.REGION.amazonaws.com/STAGE\"",
        );
    }
    Some(Poll { rest })
}

/// The names of the operations whose pushes are matched to their sends.
pub(super) fn matched<'s>(scenario: &'s Scenario, protocol: &'s Outline) -> Vec<&'s str> {
    let leads_somewhere = asked(scenario, protocol).into_iter().filter(|asked| asked.outline.push.is_some());
    leads_somewhere.map(|asked| asked.outline.name.as_str()).collect()
}

/// The first operation that is polled.
pub(super) fn polled<'s>(scenario: &'s Scenario, protocol: &'s Outline) -> Option<&'s str> {
    asked(scenario, protocol)
        .into_iter()
        .find(|asked| asked.outline.poll)
        .map(|asked| asked.outline.name.as_str())
}
