//! Which measures two sides of folders have, and what each run observed of them.

use std::collections::BTreeSet;
use std::ops::Range;

use reports::folder::{FolderError, RunFolder, Tag};
use reports::format::comparison::{NotCompared, Scale, Subject};
use reports::format::{CloudWatch, CloudWatchSeries, DeliverySecond, OperationSecond, SeriesLine, Summary};
use reports::server;

use crate::axis::Axis;
use crate::counted::Counted;
use crate::judge::{Observed, Question};
use crate::timed::{self, Recorded, Timed, axis_of};

/// What is asked, and what cannot be.
pub(crate) struct Asked {
    pub(crate) questions: Vec<Question>,
    pub(crate) not_compared: Vec<NotCompared>,
}

/// All questions that two sides of folders answer.
pub(crate) fn of(base: &[RunFolder], candidate: &[RunFolder]) -> Result<Asked, FolderError> {
    let sides = Sides {
        base: base.iter().map(Run::of).collect::<Result<_, _>>()?,
        candidate: candidate.iter().map(Run::of).collect::<Result<_, _>>()?,
    };
    let mut asked = Asked { questions: Vec::new(), not_compared: Vec::new() };
    for name in sides.common(|run| run.operations(), &mut asked.not_compared) {
        asked.questions.extend(sides.of_operation(&name));
    }
    for name in sides.common(|run| run.deliveries(), &mut asked.not_compared) {
        asked.questions.extend(sides.of_delivery(&name));
    }
    for name in sides.common(|run| run.functions(), &mut asked.not_compared) {
        asked.questions.extend(sides.of_function(&name));
    }
    Ok(asked)
}

/// The runs of both sides.
struct Sides<'a> {
    base: Vec<Run<'a>>,
    candidate: Vec<Run<'a>>,
}

impl Sides<'_> {
    /// The names that every run has; those that only some have are told.
    fn common(
        &self,
        names: impl Fn(&Run<'_>) -> BTreeSet<String>,
        not: &mut Vec<NotCompared>,
    ) -> Vec<String> {
        let each: Vec<BTreeSet<String>> = self.base.iter().chain(&self.candidate).map(names).collect();
        let all: BTreeSet<&String> = each.iter().flatten().collect();
        let in_every = |name: &&&String| each.iter().all(|names| names.contains(**name));
        let missing = all.iter().filter(|name| !in_every(name));
        not.extend(
            missing.map(|name| NotCompared {
                name: (**name).clone(),
                reason: "not every run has it".to_owned(),
            }),
        );
        all.iter().filter(in_every).map(|name| (**name).clone()).collect()
    }

    fn times(&self, name: String, subject: Subject, of: &str, tag: Tag<'_>) -> Question {
        let observed =
            |runs: &[Run<'_>]| runs.iter().map(|run| run.recorded.timed(tag)).collect::<Vec<Timed>>();
        let observed = Observed::Times { base: observed(&self.base), candidate: observed(&self.candidate) };
        Question { name, subject, of: of.to_owned(), observed }
    }

    /// Both sides of a ratio, where every run has it.
    fn counted(&self, of: impl Fn(&Run<'_>) -> Option<Counted>) -> Option<(Vec<Counted>, Vec<Counted>)> {
        let side = |runs: &[Run<'_>]| runs.iter().map(&of).collect::<Option<Vec<Counted>>>();
        Some((side(&self.base)?, side(&self.candidate)?))
    }

    fn shares(
        &self,
        name: String,
        subject: Subject,
        of: &str,
        counted: impl Fn(&Run<'_>) -> Option<Counted>,
    ) -> Option<Question> {
        let (base, candidate) = self.counted(counted)?;
        Some(Question { name, subject, of: of.to_owned(), observed: Observed::Shares { base, candidate } })
    }

    fn of_operation(&self, name: &str) -> Vec<Question> {
        let subject = Subject::Operation;
        let mut questions =
            vec![self.times(format!("{name}.response_time"), subject, name, Tag::Response(name))];
        if let Some((base, candidate)) = self.counted(|run| Some(run.completed(name))) {
            questions.push(Question {
                name: format!("{name}.completed_per_s"),
                subject,
                of: name.to_owned(),
                observed: Observed::Ratios { base, candidate, scale: Scale::PerSecond, more_is_better: true },
            });
        }
        questions
            .extend(self.shares(format!("{name}.error_rate"), subject, name, |run| Some(run.errors(name))));
        questions
    }

    fn of_delivery(&self, name: &str) -> Vec<Question> {
        let subject = Subject::Delivery;
        let mut questions = vec![self.times(format!("{name}.each"), subject, name, Tag::Each(name))];
        questions.extend(self.shares(format!("{name}.lost_rate"), subject, name, |run| Some(run.lost(name))));
        questions
    }

    fn of_function(&self, name: &str) -> Vec<Question> {
        let ratio = |what: &str, scale, counted: Option<(Vec<Counted>, Vec<Counted>)>| {
            let (base, candidate) = counted?;
            Some(Question {
                name: format!("{name}.{what}"),
                subject: Subject::Function,
                of: name.to_owned(),
                observed: Observed::Ratios { base, candidate, scale, more_is_better: false },
            })
        };
        let duration = self.counted(|run| run.duration(name));
        let concurrency = self.counted(|run| run.concurrency(name));
        let questions = [
            ratio("duration", Scale::Microseconds, duration),
            ratio("concurrency", Scale::Number, concurrency),
        ];
        questions.into_iter().flatten().collect()
    }
}

/// One run.
struct Run<'a> {
    folder: &'a RunFolder,
    summary: Summary,
    recorded: Recorded,
    axis: Axis,
}

impl<'a> Run<'a> {
    fn of(folder: &'a RunFolder) -> Result<Self, FolderError> {
        let summary = folder.summary_or_rebuilt().into_owned();
        Ok(Self { folder, summary, recorded: Recorded::of(folder)?, axis: axis_of(folder) })
    }

    fn operations(&self) -> BTreeSet<String> {
        self.summary.operations.keys().cloned().collect()
    }

    fn deliveries(&self) -> BTreeSet<String> {
        self.summary.deliveries.keys().cloned().collect()
    }

    fn functions(&self) -> BTreeSet<String> {
        let fetched = self.folder.cloudwatch.iter();
        let names = fetched.flat_map(|fetched| server::metric(fetched, "Duration", "Average"));
        names.map(|(name, _)| name.to_owned()).collect()
    }

    /// A ratio of each measured second.
    fn counted(&self, of: impl Fn(&SeriesLine) -> Option<(f64, f64)>) -> Counted {
        Counted::of_stretches(self.points(of), self.axis.stretches(), self.axis.second_s())
    }

    /// The same, point by point.
    fn points(&self, of: impl Fn(&SeriesLine) -> Option<(f64, f64)>) -> Vec<(f64, f64)> {
        let mut points = vec![(0.0, 0.0); self.axis.points()];
        for line in &self.folder.series {
            if let (Some(point), Some((part, whole))) = (self.axis.measured(second(line.t)), of(line)) {
                points[point].0 += part;
                points[point].1 += whole;
            }
        }
        points
    }

    fn operation_seconds(&self, name: &str, of: impl Fn(&OperationSecond) -> (f64, f64)) -> Counted {
        self.counted(|line| line.operations.get(name).map(&of))
    }

    /// Failures, time-outs and what could not be sent, of what was called for.
    fn errors(&self, name: &str) -> Counted {
        let seconds = self.operation_seconds(name, |one| (one.errors() as f64, one.judged() as f64));
        match self.summary.operations.get(name) {
            Some(one) => seconds.with_totals(one.errors() as f64, one.judged() as f64),
            None => seconds,
        }
    }

    /// Completed in each second of the phases in which it is called for.
    fn completed(&self, name: &str) -> Counted {
        let manifest = &self.folder.manifest;
        let of = |line: &SeriesLine, count: fn(&OperationSecond) -> u64| {
            self.axis.of_a_phase(second(line.t), manifest)?;
            Some((line.operations.get(name).map_or(0, count) as f64, 1.0))
        };
        let offered = self.points(|line| of(line, |one| one.offered));
        let mut points = self.points(|line| of(line, |one| one.completed));
        for stretch in self.axis.stretches() {
            if offered[stretch.clone()].iter().all(|(offered, _)| *offered == 0.0) {
                points[stretch.clone()].fill((0.0, 0.0));
            }
        }
        Counted::of_stretches(points, self.axis.stretches(), self.axis.second_s())
    }

    fn lost(&self, name: &str) -> Counted {
        let of = |one: &DeliverySecond| (one.lost as f64, one.expected as f64);
        let seconds = self.counted(|line| line.deliveries.get(name).map(of));
        match self.summary.deliveries.get(name) {
            Some(one) => seconds.with_totals(one.lost as f64, one.expected as f64),
            None => seconds,
        }
    }

    /// Microseconds of each invocation, period by period: the periods' means weighted by their invocations.
    fn duration(&self, name: &str) -> Option<Counted> {
        let fetched = self.folder.cloudwatch.as_ref()?;
        let (means, invocations) =
            (series(fetched, name, "Duration", "Average")?, series(fetched, name, "Invocations", "Sum")?);
        let weight = |at: f64| invocations.points.iter().find(|(other, _)| *other == at).map(|(_, sum)| *sum);
        let of = |(at, mean): &(f64, f64)| Some((mean * 1e3 * weight(*at)?, weight(*at)?));
        Some(self.periods(fetched, means, |point| of(point)))
    }

    /// The highest concurrency of each period.
    fn concurrency(&self, name: &str) -> Option<Counted> {
        let fetched = self.folder.cloudwatch.as_ref()?;
        let highest = series(fetched, name, "ConcurrentExecutions", "Maximum")?;
        Some(self.periods(fetched, highest, |(_, value)| Some((*value, 1.0))))
    }

    /// The periods that lie in measured seconds, those of a phase for themselves.
    fn periods(
        &self,
        fetched: &CloudWatch,
        series: &CloudWatchSeries,
        of: impl Fn(&(f64, f64)) -> Option<(f64, f64)>,
    ) -> Counted {
        let manifest = &self.folder.manifest;
        let period_s = series.period_s.unwrap_or(fetched.period_s).max(1) as f64;
        let stretch_of = |at: f64| {
            let middle = Some(at + period_s / 2.0).filter(|middle| *middle >= 0.0)?;
            let point = self.axis.of_a_phase(timed::second(middle), manifest)?;
            self.axis.stretches().iter().position(|stretch| stretch.contains(&point))
        };
        let points: Vec<(usize, (f64, f64))> =
            series.points.iter().filter_map(|point| Some((stretch_of(point.0)?, of(point)?))).collect();
        let mut stretches: Vec<Range<usize>> = Vec::new();
        for alike in points.chunk_by(|a, b| a.0 == b.0) {
            let start = stretches.last().map_or(0, |before| before.end);
            stretches.push(start..start + alike.len());
        }
        Counted::of_stretches(points.into_iter().map(|(_, point)| point).collect(), &stretches, period_s)
    }
}

fn series<'a>(
    fetched: &'a CloudWatch,
    name: &str,
    metric: &'a str,
    statistic: &'a str,
) -> Option<&'a CloudWatchSeries> {
    server::metric(fetched, metric, statistic)
        .find(|(function, series)| *function == name && !series.points.is_empty())
        .map(|(_, series)| series)
}

#[expect(clippy::cast_possible_truncation, reason = "seconds of a run")]
fn second(t: u64) -> usize {
    t as usize
}
