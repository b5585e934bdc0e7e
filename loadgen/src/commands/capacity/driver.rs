//! The driver of a search: asks for the next level, runs it, records its outcome, and writes what is known so far.

use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reports::capacity::{Capacity, Ended, Knee, Outcome, Step};
use scenarios::source::STDIN;
use scenarios::{Checked, Override, Source};

use super::error::CapacityError;
use super::load::VariedLoad;
use super::request::SearchRequest;
use super::search::{Next, Search};
use super::step::{StepResult, StepRun};
use crate::checked;
use crate::generate::signals::Interruption;
use crate::workers::split::{MachineError, make_room_for};

/// The folder of the runs within the search's.
pub(super) const STEPS: &str = "steps";

/// A search under way, and what is known so far.
pub(super) struct Driver<'a> {
    pub(super) request: &'a SearchRequest,
    pub(super) source: &'a Source,
    pub(super) load: VariedLoad<'a>,
    pub(super) search: Search,
    pub(super) capacity: Capacity,
    /// The search's folder.
    pub(super) dir: &'a Path,
}

/// A level that the search is about to try.
pub(super) struct Candidate {
    /// What makes the scenario one of this level.
    overrides: Vec<Override>,
    /// From its start to its last arrival.
    pub(super) length: Duration,
    /// Why this machine cannot hold it.
    beyond: Option<MachineError>,
}

impl Driver<'_> {
    /// One run after the other, each kept as soon as it is judged.
    pub(super) async fn run(&mut self) -> Result<Ended, CapacityError> {
        let mut interruption = Interruption::listen()?;
        // How long a run takes beyond its plan, at worst.
        let (began, mut overhead) = (Instant::now(), Duration::ZERO);
        loop {
            let level = match self.search.next() {
                Next::Try(level) => level,
                Next::End(ended) => return Ok(ended),
            };
            let candidate = self.candidate(level)?;
            let run = self.step_run(level, &candidate.overrides);
            let step = if let Some(limit) = &candidate.beyond {
                let step = run.beyond(limit);
                self.search.rule_out(level);
                step
            } else {
                if !self.capacity.steps.is_empty() {
                    let pause = self.request.cool_down;
                    if began.elapsed() + pause + candidate.length + overhead > self.request.max_duration {
                        return Ok(Ended::OutOfTime);
                    }
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = interruption.received() => return Ok(Ended::Interrupted),
                    }
                }
                let before = Instant::now();
                let step = match run.execute(&mut interruption).await? {
                    StepResult::Judged(step) => *step,
                    StepResult::Interrupted => return Ok(Ended::Interrupted),
                };
                overhead = overhead.max(before.elapsed().saturating_sub(candidate.length));
                self.search.record(level, step.outcome);
                step
            };
            self.capacity.steps.push(step);
            self.keep(Ended::Unfinished)?;
            self.capacity
                .steps
                .last()
                .into_iter()
                .for_each(|step| self.request.progress.line(self.line(step)));
        }
    }

    /// What trying a level means.
    pub(super) fn candidate(&self, level: f64) -> Result<Candidate, CapacityError> {
        let overrides = [self.request.overrides.clone(), self.load.overrides(level)].concat();
        let Checked { plan, .. } = checked::check(self.source, &overrides).map_err(|mistakes| {
            CapacityError::Level { level: reports::capacity::level(self.request.vary, level), mistakes }
        })?;
        let beyond = match make_room_for(plan.players, self.request.workers) {
            Ok(_) => None,
            Err(limit @ (MachineError::Descriptors { .. } | MachineError::NoDescriptors { .. })) => {
                Some(limit)
            }
            Err(mistake @ MachineError::Workers { .. }) => return Err(mistake.into()),
        };
        Ok(Candidate { overrides, length: plan.end(), beyond })
    }

    fn step_run<'s>(&'s self, level: f64, overrides: &'s [Override]) -> StepRun<'s> {
        let before = self.capacity.steps.len() as u32;
        StepRun {
            scenario: &self.request.scenario,
            // Standard input can be read once, and this process has done so.
            input: (self.request.scenario == Path::new(STDIN)).then_some(self.source.text.as_str()),
            overrides,
            // Repeats of a level are other draws of the same plan.
            seed: self.load.plan.seed.wrapping_add(u64::from(before)),
            workers: self.request.workers,
            dir: self.dir,
            run: Path::new(STEPS).join(format!("{:03}", before + 1)),
            number: before + 1,
            level,
            operation: self
                .capacity
                .steps
                .iter()
                .map(|step| step.operation.as_str())
                .find(|name| !name.is_empty()),
        }
    }

    /// Writes what the search has found so far.
    pub(super) fn keep(&mut self, ended: Ended) -> Result<(), CapacityError> {
        let (held, failed) = (self.search.held(), self.search.failed());
        let capacity = &mut self.capacity;
        capacity.ended = ended;
        capacity.ended_at = Timestamp::now();
        capacity.levels = self.search.levels();
        capacity.held = held;
        let knee = |(low, high): (f64, f64)| Knee { estimate: low.midpoint(high), low, high };
        capacity.knee = held.zip(failed).map(knee);
        Ok(reports::capacity::write(self.dir, capacity)?)
    }

    /// A step in a line.
    fn line(&self, step: &Step) -> String {
        let outcome = match step.outcome {
            Outcome::Held => "held",
            Outcome::Failed => "failed",
            Outcome::Invalid => "invalid",
        };
        let show = |level: f64| reports::capacity::level(self.request.vary, level);
        let end = |level: Option<f64>| level.map_or_else(|| "?".into(), show);
        let figures = step.run.as_ref().map(|_| {
            let p99 = step.p99_us as f64 / 1_000.0;
            let p95 = step.p95_us as f64 / 1_000.0;
            format!("completed {:.0}/s, p95 {p95:.1} ms, p99 {p99:.1} ms  ", step.completed_per_s)
        });
        format!(
            "{:>3}  {:>12}  {outcome:<7}  {}[{} to {}]  {}",
            step.number,
            show(step.level),
            figures.unwrap_or_default(),
            end(self.search.held()),
            end(self.search.failed()),
            step.reason.as_deref().unwrap_or_default(),
        )
        .trim_end()
        .to_owned()
    }
}
