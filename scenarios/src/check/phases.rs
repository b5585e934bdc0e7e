//! From the keys of `[[phases]]` and `[operations]` to the load over time and each operation's arrivals.

use std::time::Duration;

use crate::check::context::Check;
use crate::check::recording;
use crate::keys::scenario::{ModelKind, Pace, Phase, PhaseKind, Scenario, Spacing};
use crate::plan::arrivals::{Arrivals, MOST_RANDOM};
use crate::plan::curve::{Curve, Line, Piece, Wave};
use crate::plan::threshold::Operation;
use crate::plan::{Model, PlannedOperation, Stretch};

/// Pause between the last planned handshake and the first phase.
const SETTLE: Duration = Duration::from_secs(1);
/// Steps of a staircase that does not say.
const STEPS: u32 = 5;

impl Check<'_> {
    /// The stretches of the run's axis, and the load over those after `connect`.
    pub(crate) fn phases(&mut self, scenario: &Scenario) -> (Vec<Stretch>, Curve) {
        let connect = f64::from(scenario.players) / scenario.sockets.connect_rate;
        if connect > 86_400.0 {
            self.wrong_beside(
                "/sockets/connect_rate",
                &["/players"],
                format!("{} players would take {connect:.0} s to connect, more than a day", scenario.players),
                "raise connect_rate or lower players",
            );
        }
        let start = Duration::from_secs_f64(connect.min(86_400.0)) + SETTLE;
        let mut stretches = vec![Stretch::new("connect".into(), Duration::ZERO, start, true)];
        let (mut pieces, mut load, mut at) = (Vec::new(), 0.0, start);
        for (index, phase) in scenario.phases.iter().enumerate() {
            let pointer = format!("/phases/{index}");
            let duration = self.positive(&format!("{pointer}/duration"), phase.duration);
            let shape = self.shape(&pointer, phase, duration.as_secs_f64(), load);
            load = match (phase.kind, shape.last()) {
                (PhaseKind::Spike, _) | (_, None) => load,
                (_, Some(last)) => last.at(last.seconds()).max(0.0),
            };
            pieces.extend(shape);
            let kind = match phase.kind {
                PhaseKind::Hold => "hold",
                PhaseKind::Ramp => "ramp",
                PhaseKind::Step => "step",
                PhaseKind::Spike => "spike",
                PhaseKind::Sine => "sine",
            };
            let name = phase.name.clone().unwrap_or_else(|| kind.into());
            stretches.push(Stretch::new(name, at, at + duration, phase.measured));
            at += duration;
        }
        if !stretches.iter().skip(1).any(|stretch| stretch.measured) {
            self.wrong(
                "/phases",
                "no phase is measured",
                "leave out `measured = false` in at least one phase",
            );
        }
        (stretches, Curve::new(start, &pieces))
    }

    /// One phase's load, from the load before it.
    fn shape(&mut self, pointer: &str, phase: &Phase, seconds: f64, before: f64) -> Vec<Piece> {
        for (key, given, kind) in [
            ("steps", phase.steps.is_some(), PhaseKind::Step),
            ("amplitude", phase.amplitude.is_some(), PhaseKind::Sine),
            ("period", phase.period.is_some(), PhaseKind::Sine),
        ] {
            if given && phase.kind != kind {
                let kind = if kind == PhaseKind::Step { "step" } else { "sine" };
                self.wrong_beside(
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
                    self.wrong_beside(
                        &format!("{pointer}/amplitude"),
                        &[&format!("{pointer}/kind"), &format!("{pointer}/load")],
                        format!("a wave of {amplitude} round a load of {load} would fall below nothing"),
                        "keep amplitude at or below load, and load above 0",
                    );
                    return vec![line(seconds, load, load)];
                }
                let period = phase.period.map(|period| self.positive(&format!("{pointer}/period"), period));
                let period = period.map_or(seconds, |period| period.as_secs_f64()).max(1e-3);
                vec![Wave { seconds, mean: load, amplitude, period }.into()]
            }
        }
    }

    /// What players do, connecting first.
    pub(crate) fn operations(&mut self, scenario: &Scenario, load: &Curve) -> Vec<PlannedOperation> {
        let rate = scenario.sockets.connect_rate;
        let connecting = Line::level(f64::from(scenario.players) / rate, 1.0);
        let mut operations = vec![PlannedOperation {
            operation: Operation::Connect,
            rate,
            timeout: scenario.sockets.connect_timeout.0,
            model: Model::Open,
            arrivals: Arrivals::even(Curve::new(Duration::ZERO, &[connecting.into()]), rate),
        }];
        let wanted = &scenario.operations;
        for (operation, pace) in [
            (Operation::SendMessage, wanted.send_message.as_ref().map(|message| message.pace())),
            (Operation::PlacementRequest, wanted.placement_request.as_ref().map(|simple| simple.pace())),
            (Operation::UnknownRoute, wanted.unknown_route.as_ref().map(|simple| simple.pace())),
            (Operation::PlacementPoll, wanted.placement_poll.as_ref().map(|poll| poll.pace())),
        ] {
            let Some(pace) = pace else { continue };
            let (model, arrivals) = self.pace(operation, &pace, load, scenario.seed);
            operations.push(PlannedOperation {
                operation,
                rate: pace.rate.unwrap_or(0.0),
                timeout: self.positive(&format!("/operations/{operation}/timeout"), pace.timeout),
                model,
                arrivals,
            });
        }
        operations
    }

    /// An operation's model and its open arrivals.
    fn pace(&mut self, operation: Operation, pace: &Pace<'_>, load: &Curve, seed: u64) -> (Model, Arrivals) {
        let table = format!("/operations/{operation}");
        let closed = pace.model == ModelKind::Closed;
        for (key, given, allowed, where_else) in [
            (
                "rate",
                pace.rate.is_some(),
                !closed,
                "in the closed model the answers and think_time set the pace",
            ),
            ("arrivals", pace.arrivals.is_some(), !closed, "in the closed model nothing arrives by itself"),
            ("recording", pace.recording.is_some(), !closed, "in the closed model nothing arrives by itself"),
            ("think_time", pace.think_time.is_some(), closed, "nobody thinks in the open model"),
            ("rate", pace.rate.is_some(), pace.recording.is_none(), "the recording sets the pace"),
            ("arrivals", pace.arrivals.is_some(), pace.recording.is_none(), "the recording sets the pace"),
        ] {
            if given && !allowed {
                self.wrong_beside(
                    &format!("{table}/{key}"),
                    &[&format!("{table}/model")],
                    format!("has no meaning here: {where_else}"),
                    "take it out",
                );
            }
        }
        if closed {
            let Some(think) = pace.think_time else {
                self.wrong(
                    &table,
                    "`think_time` is missing, which the closed model needs",
                    "write e.g. think_time = \"exponential 2s\"",
                );
                return (Model::Open, Arrivals::none());
            };
            return (Model::Closed { think }, Arrivals::none());
        }
        if let Some(file) = pace.recording {
            return (Model::Open, self.recorded(operation, file, load));
        }
        let Some(rate) = pace.rate else {
            self.wrong(
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
            self.wrong(
                &format!("{table}/arrivals"),
                format!("{:.1e} random arrivals are more than {MOST_RANDOM:e}", load.area() * rate),
                "shorten the phases, lower the rate, or choose `constant`",
            );
            return (Model::Open, Arrivals::none());
        }
        // Each operation has a process of its own.
        let salt = (operation as u64 + 1) << 48;
        (Model::Open, Arrivals::poisson(load.clone(), rate, seed ^ salt))
    }

    /// A recording's arrivals on the run's axis.
    fn recorded(&mut self, operation: Operation, file: &str, load: &Curve) -> Arrivals {
        let pointer = format!("/operations/{operation}/recording");
        let Some(path) = self.beside(file) else {
            self.wrong(
                &pointer,
                format!("there is no file `{file}`"),
                "name a CSV or JSONL file beside the scenario, or at a path from the working directory",
            );
            return Arrivals::none();
        };
        let offsets = match recording::read(&path, operation) {
            Ok(offsets) => offsets,
            Err(bad) => {
                for line in bad {
                    self.wrong(
                        &pointer,
                        format!("{}: {line}", path.display()),
                        "the columns are `offset_s` (seconds from the first phase's start) and, for several operations, `operation`",
                    );
                }
                return Arrivals::none();
            }
        };
        self.keep_file(&pointer, &path);
        let (start, length) = (load.start(), load.length());
        if let Some(last) = offsets.iter().max().filter(|last| **last > length) {
            self.wrong_beside(
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
}
