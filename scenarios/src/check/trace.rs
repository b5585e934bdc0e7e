//! `trace`: whether the backend is asked when each stage of a push's way began.

use protocol::Outline;

use super::context::Check;
use crate::keys::scenario::Scenario;
use crate::plan::PlannedPush;

const KEY: &str = "/trace";

/// Whether deliveries are split into hops. A scenario that asks for it must have some that can be.
pub(super) fn trace(
    check: &mut Check<'_>,
    scenario: &Scenario,
    outline: &Outline,
    pushes: &[PlannedPush],
) -> bool {
    let stamped: Vec<_> = pushes.iter().filter(|push| !outline.pushes[push.push].stamps.is_empty()).collect();
    if !scenario.trace || stamped.iter().any(|push| push.operation.is_some()) {
        return scenario.trace;
    }
    if stamped.is_empty() {
        let problem =
            format!("the protocol `{}` does not say where its pushes have stamps", scenario.protocol);
        let remedy = "give a push its `stamps` (docs/protocols.md), or leave `trace` out";
        check.wrong_beside(KEY, &["/protocol", "/operations"], problem, remedy);
    } else {
        let names = stamped.iter().map(|push| format!("`{}`", push.operation_name));
        let remedy = format!("add {}, or leave `trace` out", names.collect::<Vec<_>>().join(" or "));
        let problem = "no operation of the scenario leads to a push with stamps";
        check.wrong_beside(KEY, &["/protocol", "/operations"], problem, &remedy);
    }
    true
}
