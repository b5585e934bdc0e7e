//! From `[[phases]]` to the run's axis and the load over it.

use std::time::Duration;

use super::context::Check;
use crate::keys::scenario::{Phase, PhaseKind, Scenario};
use crate::plan::PlannedPhase;
use crate::plan::curve::{Curve, Line, Piece, Wave};

/// Pause between the last planned handshake and the first phase.
const SETTLE: Duration = Duration::from_secs(1);
/// Steps of a staircase that does not say.
const STEPS: u32 = 5;

/// The phases of the run's axis, and the load over those after `connect`.
pub(super) fn phases(check: &mut Check<'_>, scenario: &Scenario) -> (Vec<PlannedPhase>, Curve) {
    let connect = f64::from(scenario.players) / scenario.sockets.connect_rate;
    if connect > 86_400.0 {
        check.wrong_beside(
            "/sockets/connect_rate",
            &["/players"],
            format!("{} players would take {connect:.0} s to connect, more than a day", scenario.players),
            "raise connect_rate or lower players",
        );
    }
    let start = Duration::from_secs_f64(connect.min(86_400.0)) + SETTLE;
    let mut phases = vec![PlannedPhase::new("connect".into(), Duration::ZERO, start, true)];
    let (mut pieces, mut load, mut at) = (Vec::new(), 0.0, start);
    for (index, phase) in scenario.phases.iter().enumerate() {
        let pointer = format!("/phases/{index}");
        let duration = check.positive(&format!("{pointer}/duration"), phase.duration);
        let shape = shape(check, &pointer, phase, duration.as_secs_f64(), load);
        load = match (phase.kind, shape.last()) {
            (PhaseKind::Spike, _) | (_, None) => load,
            (_, Some(last)) => last.at(last.seconds()).max(0.0),
        };
        pieces.extend(shape);
        let name = phase.name.clone().unwrap_or_else(|| phase.kind.to_string());
        phases.push(PlannedPhase::new(name, at, at + duration, phase.measured));
        at += duration;
    }
    if !phases.iter().skip(1).any(|phase| phase.measured) {
        check.wrong("/phases", "no phase is measured", "leave out `measured = false` in at least one phase");
    }
    (phases, Curve::new(start, &pieces))
}

/// One phase's load, from the load before it.
fn shape(check: &mut Check<'_>, pointer: &str, phase: &Phase, seconds: f64, before: f64) -> Vec<Piece> {
    for (key, given, kind) in [
        ("steps", phase.steps.is_some(), PhaseKind::Step),
        ("amplitude", phase.amplitude.is_some(), PhaseKind::Sine),
        ("period", phase.period.is_some(), PhaseKind::Sine),
    ] {
        if given && phase.kind != kind {
            check.wrong_beside(
                &format!("{pointer}/{key}"),
                &[&format!("{pointer}/kind")],
                format!("belongs to phases of the kind `{kind}` only"),
                "take it out, or change the kind",
            );
        }
    }
    let load = phase.load;
    let line = |seconds, from, to| Piece::from(Line { seconds, from, to });
    match phase.kind {
        PhaseKind::Hold => vec![line(seconds, load, load)],
        PhaseKind::Ramp => vec![line(seconds, before, load)],
        PhaseKind::Spike => {
            vec![line(seconds / 2.0, before, load), line(seconds / 2.0, load, before)]
        }
        PhaseKind::Step => {
            let steps = phase.steps.unwrap_or(STEPS).max(1);
            let level = |step: u32| before + (load - before) * f64::from(step) / f64::from(steps);
            let piece = |step| Line::level(seconds / f64::from(steps), level(step)).into();
            (1..=steps).map(piece).collect()
        }
        PhaseKind::Sine => {
            let amplitude = phase.amplitude.unwrap_or(load / 2.0);
            if load <= 0.0 || amplitude > load {
                check.wrong_beside(
                    &format!("{pointer}/amplitude"),
                    &[&format!("{pointer}/kind"), &format!("{pointer}/load")],
                    format!("a wave of {amplitude} round a load of {load} would fall below nothing"),
                    "keep amplitude at or below load, and load above 0",
                );
                return vec![line(seconds, load, load)];
            }
            let period = phase.period.map(|period| check.positive(&format!("{pointer}/period"), period));
            let period = period.map_or(seconds, |period| period.as_secs_f64()).max(1e-3);
            vec![Wave { seconds, mean: load, amplitude, period }.into()]
        }
    }
}
