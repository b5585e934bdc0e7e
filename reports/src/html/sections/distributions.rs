//! How long players waited: for each operation the distribution over time, and beside it the distribution as a whole.

use maud::{Markup, html};

use super::by_phase;
use super::context::{Context, pointer};
use super::section::heading;
use crate::digest::Digest;
use crate::folder::Tag;
use crate::format::{Latency, SeriesLine};
use crate::html::bound::Bounded;
use crate::html::charts::{Fold, Heat, Ink, Line, Spectrum, Sweep, TimeChart, Unit, extent, row};
use crate::html::error::RenderError;
use crate::human::{P50, P99};

const HOW: &str = "Left, each stretch of time with how often each wait was seen: the stronger the colour, the more, so that two ways of being answered are \
                   two bands, and a stall is a streak. Response time runs from the instant that the plan intended and includes every wait. \
                   Right, all waits of the measured phases, in grey those of the phase to compare with: rarer to the right, at 99 % one in a hundred is longer. A gap between \
                   response and service time is waiting that a generator which measures from the send hides. The shaded region is weak: \
                   fewer than ten samples lie beyond.";

/// A heat map has at most this many columns: finer ones would not be seen, and the page is to be small.
const MOST_COLUMNS: usize = 240;
/// Operations beyond this many are folded away, the slowest first in sight.
const IN_SIGHT: usize = 8;

pub(super) fn body(context: &Context<'_>) -> Result<Markup, RenderError> {
    let p99 = |name: &str| context.summary.operations.get(name).map_or(0, |all| all.response_time_us.p99);
    let mut names: Vec<(usize, &str)> = context.operations.iter().copied().enumerate().collect();
    names.sort_by_key(|(_, name)| (super::worst::is_opening(name), std::cmp::Reverse(p99(name))));
    let mut pairs = Vec::new();
    for (index, name) in names {
        let waits = Waits {
            id: index.to_string(),
            title: name,
            of: ("operations", name),
            lines: &[
                ("response time", "response_time", Ink::Series(1), Tag::Response(name)),
                ("service time", "service_time", Ink::Series(0), Tag::Service(name)),
            ],
            bins: &|line| line.operations.get(name).map(|second| second.response_time_us),
            beside: Some(("service p99", &|line| {
                line.operations.get(name).map(|second| second.service_time_us)
            })),
        };
        let charts = waits.render(context)?;
        if !charts.is_empty() {
            pairs.push(charts);
        }
    }
    let hidden = pairs.split_off(pairs.len().min(IN_SIGHT));
    Ok(html! {
        (heading("distributions", "How long players waited", HOW))
        @if pairs.is_empty() { p.nothing { "No operation was answered." } }
        div.pairs { @for chart in pairs.iter().flatten() { (chart) } }
        @if !hidden.is_empty() {
            details {
                summary { (hidden.len()) " operations more, which were answered faster" }
                div.pairs { @for chart in hidden.iter().flatten() { (chart) } }
            }
        }
    })
}

/// Picks a latency of a bin.
type OfBin<'a> = &'a dyn Fn(&SeriesLine) -> Option<Latency>;

/// A distribution of a spectrum: its name, what thresholds call its time, its ink and its histogram's tag.
type Named<'a> = (&'a str, &'a str, Ink, Tag<'a>);

/// The waits for one thing: a heat map with lines, and a spectrum.
pub(super) struct Waits<'a> {
    /// Unique among those of its section.
    pub(super) id: String,
    pub(super) title: &'a str,
    /// Where its figures are in `summary.json`.
    pub(super) of: (&'a str, &'a str),
    /// The distributions; the first one is that of the heat map.
    pub(super) lines: &'a [Named<'a>],
    /// The first one's latencies of a bin.
    pub(super) bins: OfBin<'a>,
    /// A further p99 over time, with its name.
    pub(super) beside: Option<(&'a str, OfBin<'a>)>,
}

impl Waits<'_> {
    /// Both charts; none where there is no sample.
    ///
    /// # Errors
    /// [`RenderError`] when plotters refuses.
    pub(super) fn render(&self, context: &Context<'_>) -> Result<Vec<Markup>, RenderError> {
        let mut charts = Vec::new();
        charts.extend(self.heat_map(context).map(|chart| chart.render(&context.timeline)).transpose()?);
        charts.extend(self.spectrum(context)?);
        // Each is half of a pair.
        if charts.len() == 1 {
            charts.push(html! { div.gap {} });
        }
        Ok(charts)
    }

    fn heat_map(&self, context: &Context<'_>) -> Option<TimeChart<'static>> {
        let (.., tag) = self.lines.first()?;
        let lines = over_time(context, *tag, self.bins, self.beside);
        let heat = heat(&context.folder.digest, *tag);
        let range =
            heat.extent().into_iter().chain(extent(&lines)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
        Some(TimeChart {
            id: format!("waits-{}-{}", self.of.0, self.id),
            title: format!("{}: over time", self.title),
            how: None,
            unit: Unit::Duration,
            log: Some(range),
            fold: Fold::Max,
            grid: context.timeline.grid,
            lines,
            heat: Some(heat),
            recomputed: Some(format!("{}/{}_us", pointer(self.of.0, self.of.1), self.lines[0].1)),
        })
    }

    fn spectrum(&self, context: &Context<'_>) -> Result<Option<Markup>, RenderError> {
        let mut sweeps: Vec<Sweep<'_>> = self
            .lines
            .iter()
            .filter_map(|(name, time, ink, tag)| {
                let histogram = context.folder.histogram(*tag)?;
                let pointer = format!("{}/{time}_us", pointer(self.of.0, self.of.1));
                Some(Sweep::of(name, *ink, histogram).recomputed(pointer))
            })
            .collect();
        if sweeps.is_empty() {
            return Ok(None);
        }
        sweeps.extend(self.held(context));
        let id = format!("spectrum-{}-{}", self.of.0, self.id);
        let title = format!("{}: percentiles", self.title);
        Spectrum { id, title, sweeps, bounds: self.bounds(context) }.render().map(Some)
    }

    /// The phase to compare with, where others are measured too.
    fn held<'c>(&self, context: &Context<'c>) -> Option<Sweep<'c>> {
        let phases = context.timeline.phases;
        let index = by_phase::reference(phases)?;
        let (.., tag) = self.lines.first()?;
        let held = context.digest.phase(*tag, index);
        let others = phases.iter().filter(|phase| phase.measured).count() > 1;
        (others && !held.is_empty()).then(|| Sweep::of_part(&phases[index].name, held))
    }

    /// Thresholds on percentiles of it, over all phases.
    fn bounds(&self, context: &Context<'_>) -> Vec<(f64, f64, String)> {
        let thresholds = context.summary.thresholds.iter().filter(|threshold| threshold.phase.is_none());
        let of_it = thresholds.filter_map(|threshold| {
            let bounded = Bounded::of(threshold)?;
            let own = bounded.of == self.of.1 && self.lines.iter().any(|(_, time, ..)| *time == bounded.time);
            let quantile = bounded.quantile().filter(|_| own)?;
            let name = bounded.short(&Unit::Duration.tick(bounded.bound));
            Some((quantile, bounded.bound, name))
        });
        of_it.collect()
    }
}

/// Median and p99 of each bin, and where a bin is of several seconds the highest p99 of one of them.
fn over_time(
    context: &Context<'_>,
    tag: Tag<'_>,
    of: OfBin<'_>,
    beside: Option<(&str, OfBin<'_>)>,
) -> Vec<Line> {
    let values = |of: OfBin<'_>, value: fn(&Latency) -> u64| {
        context.timeline.values(Fold::Max, |line| {
            of(line)
                .filter(|latency| latency.count > 0 && latency.p99 > 0)
                .map(|latency| value(&latency) as f64)
        })
    };
    let mut lines = vec![
        Line::new("p50", Ink::Series(6), values(of, P50.of)),
        Line::new("p99", Ink::Series(1), values(of, P99.of)),
    ];
    lines.extend(beside.map(|(name, of)| Line::new(name, Ink::Series(2), values(of, P99.of))));
    let seconds = if context.timeline.grid.step > 1.0 {
        Line::new("highest p99 of a second", Ink::Peak, context.timeline.peaks(tag))
    } else {
        Line::new("max", Ink::Peak, values(of, |latency| latency.max))
    };
    lines.push(Line { dots: true, ..seconds });
    lines
}

/// Counts by time and value.
fn heat(digest: &Digest, tag: Tag<'_>) -> Heat {
    let grid = digest.grid();
    let per = grid.bins.div_ceil(MOST_COLUMNS).max(1);
    let column = |at: usize| {
        let mut cells: Vec<(i32, u64)> = Vec::new();
        let together = digest.over(tag, at * per..((at + 1) * per).min(grid.bins));
        for (low, high, count) in together.buckets() {
            let row = row(f64::midpoint(low as f64, high as f64));
            match cells.last_mut() {
                Some((last, sum)) if *last == row => *sum += count,
                _ => cells.push((row, count)),
            }
        }
        cells
    };
    Heat {
        start: 0.0,
        step: (grid.step_s * per as u64) as f64,
        columns: (0..grid.bins.div_ceil(per)).map(column).collect(),
    }
}
