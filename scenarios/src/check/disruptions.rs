//! From the keys to the plan: lengths that lack a part, shares that do not fit together, storms outside the run.

use std::time::Duration;

use super::context::Check;
use crate::keys::disruptions::{self as keys, Policy};
use crate::keys::draw::Draw;
use crate::keys::duration::Span;
use crate::keys::scenario::Scenario;
use crate::plan::disruptions::{
    Churn, ClientFault, Disruptions, HalfOpen, Malformed, Reconnect, SlowReaders, Storm,
};
use crate::plan::share::Share;
use crate::plan::{PlannedPhase, SWEEP};

/// First wait of an exponential backoff, where the scenario gives none.
const EXPONENTIAL_BASE: Duration = Duration::from_millis(100);
/// Wait of a constant backoff, where the scenario gives none.
const CONSTANT_BASE: Duration = Duration::from_secs(1);
/// Longest wait of an exponential backoff, where the scenario gives none.
const CAP: Duration = Duration::from_secs(20);
/// How long the reaction to a malformed message is awaited, where the scenario does not say.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn disruptions(
    check: &mut Check<'_>,
    scenario: &Scenario,
    phases: &[PlannedPhase],
) -> Disruptions {
    let slow_share = scenario.slow_readers.as_ref().map_or(0.0, |slow| slow.share);
    let silent_share = scenario.half_open.as_ref().map_or(0.0, |half_open| half_open.share);
    if slow_share + silent_share > 1.0 {
        check.wrong_beside(
            "/half_open/share",
            &["/slow_readers/share"],
            format!("{silent_share} and slow_readers.share, {slow_share}, are more than all players"),
            "a player either reads slowly or falls silent: the shares together are at most 1",
        );
    }
    Disruptions {
        churn: scenario.churn.as_ref().map(|keys| churn(check, scenario, keys)),
        reconnect: reconnect(check, &scenario.reconnect),
        storms: storms(check, &scenario.storms, phases),
        slow: scenario.slow_readers.as_ref().map(|slow| slow_readers(check, scenario.players, slow)),
        half_open: scenario.half_open.as_ref().map(|half_open| HalfOpen {
            share: Share::between(scenario.players, slow_share, slow_share + half_open.share),
            after: drawn(check, "/half_open/after", half_open.after),
            lasts: half_open.lasts.map(|lasts| drawn(check, "/half_open/lasts", lasts)),
        }),
        malformed: scenario.malformed.as_ref().map(|keys| malformed(check, keys)).unwrap_or_default(),
    }
}

fn churn(check: &mut Check<'_>, scenario: &Scenario, churn: &keys::Churn) -> Churn {
    if !scenario.journeys.is_empty() {
        check.wrong_beside(
            "/churn",
            &["/journeys"],
            "the players have journeys, which say themselves when they leave",
            "take [churn] out and write `{ leave = \"10s\" }` as a step of a journey, or take the journeys out",
        );
    }
    Churn {
        share: Share::churning(scenario.players, churn.share),
        session: drawn(check, "/churn/session", churn.session),
        pause: drawn(check, "/churn/pause", churn.pause),
    }
}

/// A drawn time above zero.
fn drawn(check: &mut Check<'_>, pointer: &str, draw: Draw) -> Draw {
    check.positive(pointer, Span(draw.mean()));
    draw
}

fn reconnect(check: &mut Check<'_>, reconnect: &keys::Reconnect) -> Reconnect {
    let policy = reconnect.policy;
    let unused = [
        ("base", reconnect.base.is_some(), policy == Policy::None),
        ("cap", reconnect.cap.is_some(), policy != Policy::Exponential),
        ("max_attempts", reconnect.max_attempts.is_some(), policy == Policy::None),
    ];
    for (key, _, _) in unused.into_iter().filter(|(_, given, without_effect)| *given && *without_effect) {
        check.wrong_beside(
                &format!("/reconnect/{key}"),
                &["/reconnect/policy"],
                "does nothing with this policy",
                "set policy to \"exponential\" (or \"constant\", which takes base and max_attempts), or leave it out",
            );
    }
    let base = match (reconnect.base, policy) {
        (Some(base), _) => check.positive("/reconnect/base", base),
        (None, Policy::Constant) => CONSTANT_BASE,
        (None, _) => EXPONENTIAL_BASE,
    };
    let cap = match (reconnect.cap, policy) {
        (Some(cap), _) => check.positive("/reconnect/cap", cap),
        (None, Policy::Exponential) => CAP.max(base),
        (None, _) => base,
    };
    if policy == Policy::Exponential && cap < base {
        check.wrong_beside("/reconnect/cap", &["/reconnect/base"], "is below base", "make cap at least base");
    }
    Reconnect { policy, base, cap, max_attempts: reconnect.max_attempts }
}

fn storms(check: &mut Check<'_>, storms: &[keys::Storm], phases: &[PlannedPhase]) -> Vec<Storm> {
    let start = phases.first().map_or(Duration::ZERO, |connect| connect.end);
    let end = phases.last().map_or(Duration::ZERO, |last| last.end);
    let mut planned = Vec::new();
    for (index, storm) in storms.iter().enumerate() {
        let (at, over) = (start + storm.at.0, storm.over.map_or(Duration::ZERO, |over| over.0));
        if at + over >= end {
            check.wrong_beside(
                &format!("/storms/{index}/at"),
                &["/phases", "/players", "/sockets/connect_rate", &format!("/storms/{index}/over")],
                format!(
                    "the storm ends after the phases, which take {}",
                    humantime::format_duration(end - start)
                ),
                "let it end before the last phase does, so that its effect is seen",
            );
        }
        planned.push(Storm { at, share: storm.share, cut: storm.cut, over });
    }
    planned.sort_by_key(|storm| storm.at);
    planned
}

fn slow_readers(check: &mut Check<'_>, players: u32, slow: &keys::SlowReaders) -> SlowReaders {
    if slow.delay.is_none() && slow.stall.is_none() && slow.receive_buffer.is_none() {
        check.wrong(
            "/slow_readers",
            "nothing makes them slow",
            "add delay, stall with stall_every, or receive_buffer",
        );
    }
    if slow.delay.is_some_and(|delay| delay.0 < SWEEP) {
        check.wrong(
            "/slow_readers/delay",
            "is below 20 ms",
            "players are looked at every 20 ms; write at least \"20ms\"",
        );
    }
    let stall = match (slow.stall, slow.stall_every) {
        (Some(stall), Some(every)) => {
            let stall = check.positive("/slow_readers/stall", stall);
            let every = check.positive("/slow_readers/stall_every", every);
            if every <= stall {
                check.wrong_beside(
                    "/slow_readers/stall_every",
                    &["/slow_readers/stall"],
                    "is not above stall",
                    "it runs from the start of one stall to the start of the next",
                );
            }
            Some((stall, every))
        }
        (None, None) => None,
        (Some(_), None) => {
            check.wrong("/slow_readers/stall_every", "is missing beside stall", "write e.g. \"30s\"");
            None
        }
        (None, Some(_)) => {
            check.wrong("/slow_readers/stall", "is missing beside stall_every", "write e.g. \"5s\"");
            None
        }
    };
    SlowReaders {
        share: Share::between(players, 0.0, slow.share),
        delay: slow.delay.map_or(Duration::ZERO, |delay| delay.0),
        stall,
        receive_buffer: slow.receive_buffer,
    }
}

fn malformed(check: &mut Check<'_>, malformed: &keys::Malformed) -> Malformed {
    let rates = [
        (ClientFault::OversizedMessage, malformed.oversized_message),
        (ClientFault::OversizedFrame, malformed.oversized_frame),
        (ClientFault::BadJson, malformed.bad_json),
        (ClientFault::BadUtf8, malformed.bad_utf8),
        (ClientFault::Unmasked, malformed.unmasked),
        (ClientFault::ReservedOpcode, malformed.reserved_opcode),
        (ClientFault::ReservedBit, malformed.reserved_bit),
        (ClientFault::Binary, malformed.binary),
    ];
    let patience = malformed.patience.map(|patience| check.positive("/malformed/patience", patience));
    Malformed {
        rates: rates.into_iter().filter(|(_, rate)| *rate > 0.0).collect(),
        patience: patience.unwrap_or(PATIENCE),
    }
}
