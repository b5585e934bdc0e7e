//! Which of the protocol's operations a scenario asks for.

use std::borrow::Cow;
use std::collections::BTreeSet;

use documents::child;
use protocol::Outline;
use protocol::outline;

use super::context::{Check, instead};
use crate::keys::journeys::Step;
use crate::keys::operations::OperationKeys;
use crate::keys::scenario::Scenario;
use crate::plan::operation::{CONNECT, READY, What};

/// An operation that a scenario asks for.
pub(super) struct Asked<'s> {
    /// Its number in the protocol.
    pub(super) number: usize,
    /// What the protocol says of it.
    pub(super) outline: &'s outline::Operation,
    /// What the scenario says of it.
    pub(super) keys: Cow<'s, OperationKeys>,
    /// Whether players do it by themselves, so that it needs no pace, nor a table.
    pub(super) of_itself: bool,
}

impl Asked<'_> {
    /// What it is in the plan.
    pub(super) const fn what(&self) -> What {
        if self.outline.poll { What::Poll(self.number) } else { What::Request(self.number) }
    }

    /// The pointer of its table.
    pub(super) fn table(&self) -> String {
        child("/operations", &self.outline.name)
    }
}

/// The operations that a scenario asks for, in the protocol's order.
pub(super) fn asked<'s>(scenario: &'s Scenario, protocol: &'s Outline) -> Vec<Asked<'s>> {
    let by_themselves = by_themselves(scenario);
    let all = protocol.operations.iter().enumerate();
    all.filter_map(|(number, outline)| {
        let of_itself = by_themselves.contains(outline.name.as_str());
        let keys = match scenario.operations.get(&outline.name) {
            Some(keys) => Cow::Borrowed(keys),
            None if of_itself => Cow::default(),
            None => return None,
        };
        Some(Asked { number, outline, keys, of_itself })
    })
    .collect()
}

/// The names of the operations that players do by themselves.
fn by_themselves(scenario: &Scenario) -> BTreeSet<&str> {
    let steps = scenario.journeys.iter().flat_map(|journey| &journey.steps);
    steps.filter_map(Step::operation).collect()
}

/// Tells of tables for operations that the protocol does not have.
pub(super) fn unknown(check: &mut Check<'_>, scenario: &Scenario, protocol: &Outline) {
    let known: Vec<_> = protocol.operations.iter().map(|operation| operation.name.as_str()).collect();
    for name in scenario.operations.keys().filter(|name| !known.contains(&name.as_str())) {
        let remedy = match name.as_str() {
            CONNECT => "take it out: every player connects, as [sockets] says".into(),
            READY => "take it out: every socket does what the protocol's opening says".into(),
            _ => instead(name, &known),
        };
        check.wrong(
            &child("/operations", name),
            format!("the protocol `{}` has no operation `{name}`", protocol.name),
            &remedy,
        );
    }
}
