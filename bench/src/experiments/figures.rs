//! Figures of an arm: of all its runs together, with the lowest and the highest of a single one.

use hdrhistogram::Histogram;
use reports::folder::Tag;
use reports::format::experiment::{ExperimentRow, ExperimentUnit, Measured};
use reports::format::{CloudWatchSeries, Phase, SeriesLine};

use super::runs::{Group, Run, empty};

/// A stretch of a run, in seconds of its axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Window {
    from_s: f64,
    to_s: f64,
}

impl Window {
    /// The phase of this name.
    pub(super) fn of_phase(run: &Run, name: &str) -> Option<Self> {
        let phase = run.folder.manifest.phases.iter().find(|phase| phase.name == name)?;
        let Phase { start_s, end_s, .. } = phase;
        Some(Self { from_s: *start_s, to_s: *end_s })
    }

    /// Its seconds.
    pub(super) fn seconds(self, run: &Run) -> impl Iterator<Item = &SeriesLine> {
        run.folder.series.iter().filter(move |line| self.holds(line.t as f64))
    }

    fn holds(self, second: f64) -> bool {
        (self.from_s..self.to_s).contains(&second)
    }
}

/// The histogram of a tag in a phase.
pub(super) fn histogram(run: &Run, tag: Tag<'_>, phase: &str) -> Histogram<u64> {
    run.by_phase.get(&(tag.to_string(), phase.to_owned())).cloned().unwrap_or_else(empty)
}

/// One histogram of an arm's runs.
pub(super) fn merged(group: &Group, of: impl Fn(&Run) -> Histogram<u64>) -> Histogram<u64> {
    group.runs.iter().map(of).fold(empty(), |mut sum, histogram| {
        sum.add(&histogram).expect("a histogram that resizes itself takes any value");
        sum
    })
}

/// A quantile: of the merged histograms, and of single runs. `None` without samples.
pub(super) fn quantile(group: &Group, q: f64, of: impl Fn(&Run) -> Histogram<u64>) -> Option<Measured> {
    let all = merged(group, &of);
    let single = group.runs.iter().map(&of).filter(|h| !h.is_empty()).map(|h| h.value_at_quantile(q) as f64);
    (!all.is_empty()).then(|| measured(all.value_at_quantile(q) as f64, single))
}

/// A ratio: of sums over all runs, and of single runs. `None` where nothing is divided by.
pub(super) fn ratio(group: &Group, of: impl Fn(&Run) -> Option<(f64, f64)>) -> Option<Measured> {
    let parts: Vec<(f64, f64)> = group.runs.iter().map(of).collect::<Option<_>>()?;
    let (part, whole) = parts.iter().fold((0.0, 0.0), |(a, b), (part, whole)| (a + part, b + whole));
    let single = parts.iter().filter(|(_, whole)| *whole > 0.0).map(|(part, whole)| part / whole);
    (whole > 0.0).then(|| measured(part / whole, single))
}

/// The highest of single values: of all runs, and of single runs. `None` where no run has any.
pub(super) fn highest(group: &Group, of: impl Fn(&Run) -> Option<f64>) -> Option<Measured> {
    let single: Vec<f64> = group.runs.iter().filter_map(of).collect();
    let value = single.iter().copied().max_by(f64::total_cmp)?;
    Some(measured(value, single.into_iter()))
}

fn measured(value: f64, single: impl Iterator<Item = f64>) -> Measured {
    let (low, high) =
        single.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), one| (low.min(one), high.max(one)));
    Measured { value, low: low.min(value), high: high.max(value) }
}

/// A row of a table.
pub(super) fn row(
    measure: impl Into<String>,
    unit: ExperimentUnit,
    groups: &[Group],
    of: impl Fn(&Group) -> Option<Measured>,
) -> ExperimentRow {
    ExperimentRow { measure: measure.into(), unit, values: groups.iter().map(of).collect() }
}

/// Points of Lambda's series within a stretch: a metric's statistic of a function by its short name, of all functions without one.
pub(super) fn points(
    run: &Run,
    (metric, statistic): (&str, &str),
    function: Option<&str>,
    window: Option<Window>,
) -> Vec<f64> {
    let wanted = |series: &&CloudWatchSeries| {
        let of = series.dimensions.get("FunctionName");
        series.namespace == "AWS/Lambda"
            && (series.metric.as_str(), series.statistic.as_str()) == (metric, statistic)
            && of.is_some_and(|name| function.is_none_or(|short| name.rsplit('-').next() == Some(short)))
    };
    let within = |at: f64| window.is_none_or(|window| window.holds(at));
    let all = run.folder.cloudwatch.iter().flat_map(|fetched| &fetched.series).filter(wanted);
    all.flat_map(|series| &series.points).filter(|(at, _)| within(*at)).map(|(_, value)| *value).collect()
}
