//! One run of the search: a child of this very program, so that every level starts from the same state and is judged by
//! the very verdict that `loadgen run` gives.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use reports::capacity::{Outcome, Step, Vary};
use reports::folder::RunFolder;
use reports::format::{Manifest, Operation, Status, Summary};
use reports::verdict::explained;
use scenarios::threshold::Operation as Kind;
use scenarios::{Override, Plan};
use tokio::process::Command;

use super::CapacityError;
use crate::child::{self, Child};
use crate::exit::Exit;
use crate::generate::signals::Interruption;
use crate::workers::split::MachineError;
use crate::workers::split::Workers;

/// The load that is varied.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load<'p> {
    pub(super) plan: &'p Plan,
    pub(super) vary: Vary,
}

impl Load<'_> {
    /// The level of the scenario as it is written.
    pub(super) fn as_written(self) -> f64 {
        match self.vary {
            Vary::Rate => self.rated().map(|(_, rate)| rate).sum(),
            Vary::Players => f64::from(self.plan.players),
        }
    }

    /// What makes the scenario one of this level.
    pub(super) fn overrides(self, level: f64) -> Vec<Override> {
        let set = |key: String, value: String| Override { key, value };
        match self.vary {
            Vary::Rate => {
                let factor = level / self.as_written();
                let scaled = |(kind, rate): (Kind, f64)| {
                    set(format!("operations.{kind}.rate"), format!("{:?}", rate * factor))
                };
                self.rated().map(scaled).collect()
            }
            Vary::Players => vec![set("players".into(), format!("{level:.0}"))],
        }
    }

    /// Operations that have a rate of their own: neither recorded nor of the closed model, which stay as they are.
    fn rated(self) -> impl Iterator<Item = (Kind, f64)> {
        let others = self.plan.operations.iter();
        let others = others.filter(|planned| planned.operation != Kind::Connect && planned.rate > 0.0);
        others.map(|planned| (planned.operation, planned.rate))
    }
}

/// What a child is told.
#[derive(Debug)]
pub(super) struct Order<'a> {
    pub(super) scenario: &'a Path,
    /// What it reads from standard input, where the scenario comes from there.
    pub(super) input: Option<&'a str>,
    /// The user's overrides, then the level's.
    pub(super) overrides: &'a [Override],
    pub(super) seed: u64,
    pub(super) workers: Option<Workers>,
    /// Folder of the search.
    pub(super) dir: &'a Path,
    /// The run's folder within it.
    pub(super) run: PathBuf,
    pub(super) number: u32,
    pub(super) level: f64,
    /// The operation whose times count; `None`: the busiest but `connect`.
    pub(super) operation: Option<&'a str>,
}

/// How a child ended.
#[derive(Debug)]
pub(super) enum Ran {
    /// With a verdict.
    Judged(Box<Step>),
    /// By an interruption.
    Interrupted,
}

impl Order<'_> {
    /// What becomes of a level that this machine cannot hold: nothing runs, and it is the generator's limit.
    pub(super) fn beyond(self, limit: &MachineError) -> Step {
        let Self { number, level, .. } = self;
        Step { number, level, outcome: Outcome::Invalid, reason: Some(limit.to_string()), ..Step::default() }
    }

    /// Runs the child to its end, and reads its verdict.
    pub(super) async fn carry_out(self, interruption: &mut Interruption) -> Result<Ran, CapacityError> {
        let folder = self.dir.join(&self.run);
        let failed = |problem: String| CapacityError::Step { number: self.number, problem };
        let child =
            self.command(&folder).and_then(Child::start).map_err(|error| failed(error.to_string()))?;
        let mut interrupted = false;
        let interruptions = async || {
            interruption.received().await;
            interrupted = true;
        };
        let output = child.output(self.input, interruptions).await;
        let output = output.map_err(|error| failed(error.to_string()))?;
        if interrupted || output.status.code() == Some(i32::from(Exit::Interrupted.code())) {
            return Ok(Ran::Interrupted);
        }
        match RunFolder::read(&folder) {
            Ok(RunFolder { manifest, summary: Some(summary), .. }) => {
                Ok(Ran::Judged(Box::new(self.judged(&manifest, &summary)?)))
            }
            _ => Err(failed(
                String::from_utf8_lossy(&output.stderr).trim().trim_start_matches("error: ").to_owned(),
            )),
        }
    }

    fn command(&self, folder: &Path) -> std::io::Result<Command> {
        let mut command = child::command()?;
        command.arg("run").arg(self.scenario).arg("--out").arg(folder).arg("--quiet");
        for Override { key, value } in self.overrides {
            command.arg("--set").arg(format!("{key}={value}"));
        }
        command.args(["--seed", &self.seed.to_string()]);
        if let Some(workers) = self.workers {
            command.args(["--workers", &workers.to_string()]);
        }
        if self.input.is_some() {
            command.stdin(Stdio::piped());
        }
        // What it says is read here.
        command.stderr(Stdio::piped()).env("NO_COLOR", "1");
        Ok(command)
    }

    fn judged(self, manifest: &Manifest, summary: &Summary) -> Result<Step, CapacityError> {
        let number = self.number;
        let (outcome, reason) = outcome(summary).ok_or_else(|| match summary.status() {
            Status::NothingConnected => {
                CapacityError::NobodyIn { number, errors: reports::verdict::connect_failures(summary) }
            }
            status => CapacityError::Step { number, problem: format!("its verdict is `{}`", status.word()) },
        })?;
        let others = || summary.operations.iter().filter(|(name, _)| *name != Kind::Connect.word());
        let wanted = self.operation.and_then(|name| summary.operations.get_key_value(name));
        let busiest = || others().max_by_key(|(_, operation)| operation.offered);
        let timed = wanted.or_else(busiest).or_else(|| summary.operations.first_key_value());
        let times = timed.map(|(_, operation)| operation.response_time_us).unwrap_or_default();
        // The first is `connect`, before any arrival; a threshold with `abort` may have ended the run within one.
        let early = summary.verdict.ended_early.as_ref().map_or(f64::INFINITY, |early| early.at_s);
        let seconds = manifest.phases.iter().skip(1).filter(|phase| phase.measured);
        let seconds = seconds.map(|phase| (phase.end_s.min(early) - phase.start_s).max(0.0));
        let seconds = seconds.sum::<f64>().max(1e-3);
        let per_second = |of: fn(&Operation) -> u64| {
            others().map(|(_, operation)| of(operation)).sum::<u64>() as f64 / seconds
        };
        Ok(Step {
            number: self.number,
            level: self.level,
            outcome,
            reason,
            run: Some(self.run),
            operation: timed.map_or_else(String::new, |(name, _)| name.clone()),
            offered_per_s: per_second(Operation::called_for),
            completed_per_s: per_second(|operation| operation.completed),
            error_share: error_share(summary),
            p50_us: times.p50,
            p95_us: times.p95,
            p99_us: times.p99,
            peak_open: summary.sockets.peak_open,
            dispatch_delay_p99_us: summary.generator.dispatch_delay_us.p99,
        })
    }
}

/// Share of the arrivals that did not complete although there was time; none where there were none.
fn error_share(summary: &Summary) -> f64 {
    let all = |of: fn(&Operation) -> u64| summary.operations.values().map(of).sum::<u64>();
    let (errors, judged) = (all(Operation::errors), all(Operation::judged));
    if judged == 0 { 0.0 } else { errors as f64 / judged as f64 }
}

/// What a run's verdict says of its load; `None` where it says nothing of it.
fn outcome(summary: &Summary) -> Option<(Outcome, Option<String>)> {
    let broken = || summary.thresholds.iter().find(|threshold| !threshold.passed).map(explained);
    match summary.status() {
        Status::Passed => Some((Outcome::Held, None)),
        Status::ThresholdsFailed => Some((Outcome::Failed, broken())),
        Status::Invalid => Some((Outcome::Invalid, summary.verdict.invalid_reasons.first().cloned())),
        Status::NotJudged
        | Status::NothingConnected
        | Status::Interrupted
        | Status::Failed
        | Status::Unfinished => None,
    }
}

#[cfg(test)]
mod tests {
    use reports::format::{Sockets, Threshold, Verdict};

    use super::*;

    const SCENARIO: &str = "name = \"x\"\nplayers = 40\n[[phases]]\nkind = \"hold\"\nduration = \"1s\"\n\
        [operations.send_message]\nrate = 30.0\n[operations.unknown_route]\nrate = 10.0\n\
        [operations.placement_request]\nmodel = \"closed\"\nthink_time = \"9s\"\n";

    #[test]
    fn a_level_scales_all_rates_alike() {
        let plan = scenarios::check("x.toml", SCENARIO, &[]).unwrap().plan;
        let load = Load { plan: &plan, vary: Vary::Rate };
        assert!((load.as_written() - 40.0).abs() < 1e-9);
        let scaled = scenarios::check("x.toml", SCENARIO, &load.overrides(100.0)).unwrap().plan;
        let rate = |kind| scaled.operation(kind).unwrap().rate;
        assert!(
            (rate(Kind::SendMessage) - 75.0).abs() < 1e-9 && (rate(Kind::UnknownRoute) - 25.0).abs() < 1e-9
        );
        let load = Load { plan: &plan, vary: Vary::Players };
        assert!((load.as_written() - 40.0).abs() < 1e-9);
        assert_eq!(scenarios::check("x.toml", SCENARIO, &load.overrides(55.0)).unwrap().plan.players, 55);
    }

    #[test]
    fn an_outcome_is_what_the_verdict_says() {
        let threshold =
            Threshold { expression: "error_rate < 1%".into(), observed: Some(3.5), ..Threshold::default() };
        let mut summary = Summary {
            verdict: Verdict { valid: true, thresholds_passed: false, ..Verdict::default() },
            sockets: Sockets { attempted: 5, opened: 5, ..Sockets::default() },
            thresholds: vec![threshold],
            ..Summary::default()
        };
        let broken = "error_rate < 1%: observed 3.50 %";
        assert_eq!(outcome(&summary), Some((Outcome::Failed, Some(broken.into()))));
        summary.verdict.thresholds_passed = true;
        assert_eq!(outcome(&summary), Some((Outcome::Held, None)));
        summary.verdict.valid = false;
        summary.verdict.invalid_reasons = vec!["late".into()];
        assert_eq!(outcome(&summary), Some((Outcome::Invalid, Some("late".into()))));
        summary.sockets.opened = 0;
        assert_eq!(outcome(&summary), None, "a target that lets nobody in is not tested");
    }

    #[test]
    fn what_was_not_offered_did_not_fail() {
        let mut summary = Summary::default();
        assert_eq!(error_share(&summary), 0.0);
        let operation = Operation { offered: 8, sent: 8, completed: 6, failed: 2, ..Operation::default() };
        summary.operations.insert("send_message".into(), operation);
        assert_eq!(error_share(&summary), 0.25);
    }
}
