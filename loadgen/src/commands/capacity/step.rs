//! One run of the search: a child `loadgen run`, so that every level starts from the same state and is judged by the same
//! verdict as any other run.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use output::Exit;
use reports::capacity::{Outcome, Step};
use reports::folder::RunFolder;
use reports::format::{Manifest, Operation, Status, Summary};
use reports::verdict::explained;
use scenarios::Override;
use scenarios::plan::operation::CONNECT;
use tokio::process::Command;

use super::error::CapacityError;
use crate::child::{self, Child};
use crate::generate::signals::Interruption;
use crate::workers::split::{MachineError, Workers};

/// The run of one level that is due.
#[derive(Debug)]
pub(super) struct StepRun<'a> {
    pub(super) scenario: &'a Path,
    /// The scenario's text for the child's standard input, where the scenario was read from there.
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

/// How the run of a level ended.
#[derive(Debug)]
pub(super) enum StepResult {
    /// With a verdict.
    Judged(Box<Step>),
    /// By an interruption.
    Interrupted,
}

impl StepRun<'_> {
    /// The step of a level that this machine cannot hold: nothing runs, and it counts as the generator's limit.
    pub(super) fn beyond(self, limit: &MachineError) -> Step {
        let Self { number, level, .. } = self;
        Step { number, level, outcome: Outcome::Invalid, reason: Some(limit.to_string()), ..Step::default() }
    }

    /// Runs the child to its end, and reads its verdict.
    pub(super) async fn execute(self, interruption: &mut Interruption) -> Result<StepResult, CapacityError> {
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
            return Ok(StepResult::Interrupted);
        }
        match RunFolder::read(&folder) {
            Ok(RunFolder { manifest, summary: Some(summary), .. }) => {
                Ok(StepResult::Judged(Box::new(self.judged(&manifest, &summary)?)))
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
        // Its standard error is read here.
        command.stderr(Stdio::piped()).env("NO_COLOR", "1");
        Ok(command)
    }

    fn judged(self, manifest: &Manifest, summary: &Summary) -> Result<Step, CapacityError> {
        let number = self.number;
        let (outcome, reason) = outcome(summary).ok_or_else(|| match summary.status() {
            Status::NothingConnected => CapacityError::NothingConnected {
                number,
                errors: reports::verdict::connect_failures(summary),
            },
            status => CapacityError::Step { number, problem: format!("its verdict is `{}`", status.word()) },
        })?;
        let others = || summary.operations.iter().filter(|(name, _)| *name != CONNECT);
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
            error_share: summary.error_rate(None).unwrap_or_default(),
            samples: times.count,
            p50_us: times.p50,
            p95_us: times.p95,
            p99_us: times.p99,
            peak_open: summary.sockets.peak_open,
            dispatch_delay_p99_us: summary.generator.dispatch_delay_us.p99,
        })
    }
}

/// What a run's verdict says about its load; `None` where it says nothing about it.
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
        assert_eq!(outcome(&summary), None, "a target that nobody can connect to is not tested");
    }
}
