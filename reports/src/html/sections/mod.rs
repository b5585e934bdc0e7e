//! The sections of the report, in the order in which they are read.

mod configuration;
mod delivery;
mod disruptions;
mod errors;
mod generator;
mod latency;
mod rates;
mod server;
mod spectrum;
mod verdict;

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::RenderError;
use super::charts::{MAX_POINTS, Timeline};
use crate::folder::RunFolder;
use crate::format::{SeriesLine, Summary};
use crate::human;

/// What every section draws from.
pub(super) struct Context<'a> {
    folder: &'a RunFolder,
    summary: &'a Summary,
    timeline: Timeline<'a>,
    /// Operations that took place, the busiest first.
    operations: Vec<&'a str>,
    /// Delivery kinds that took place, the busiest first.
    kinds: Vec<&'a str>,
}

/// One section of the page.
pub(super) struct Section {
    pub(super) id: &'static str,
    /// Its name in the navigation.
    pub(super) short: &'static str,
    pub(super) body: Markup,
}

impl<'a> Context<'a> {
    pub(super) fn new(folder: &'a RunFolder, summary: &'a Summary) -> Self {
        let operations = busiest(
            summary.operations.iter().map(|(name, operation)| (name.as_str(), operation.offered)),
            &folder.series,
            |line| line.operations.iter().map(|(name, second)| (name.as_str(), second.offered)).collect(),
        );
        let kinds = busiest(
            summary.deliveries.iter().map(|(name, delivery)| (name.as_str(), delivery.expected)),
            &folder.series,
            |line| line.deliveries.iter().map(|(name, second)| (name.as_str(), second.expected)).collect(),
        );
        Self { folder, summary, timeline: Timeline::of(folder), operations, kinds }
    }

    /// How the charts were made smaller than the run, in words.
    pub(super) fn rule(&self) -> String {
        let step = self.timeline.grid.step;
        if step > 1.0 {
            format!(
                "Charts have at most {MAX_POINTS} points a line: each point stands for {} seconds, a rate by its mean and \
                 everything else by its highest second, so that no peak is lost.",
                human::plain(step, 3)
            )
        } else {
            "Every point of a chart stands for one second of the run.".to_owned()
        }
    }

    /// Length of the run in seconds.
    fn length_s(&self) -> f64 {
        let run = &self.summary.run;
        run.ended_at.duration_since(run.started_at).as_secs_f64().max(0.0)
    }

    /// Length of what counts for the summary, in seconds.
    fn measured_s(&self) -> f64 {
        // A run that ended early did not come to all of its phases.
        let length = self.length_s();
        let unmeasured: f64 = self
            .folder
            .manifest
            .phases
            .iter()
            .filter(|phase| !phase.measured)
            .map(|phase| phase.end_s.min(length) - phase.start_s.min(length))
            .sum();
        (length - unmeasured).max(0.0)
    }
}

/// Names with their counts from the summary and from every second (warm-up counts only there), without idle ones.
fn busiest<'a>(
    summed: impl Iterator<Item = (&'a str, u64)>,
    series: &'a [SeriesLine],
    counts: impl Fn(&'a SeriesLine) -> Vec<(&'a str, u64)>,
) -> Vec<&'a str> {
    let mut totals: BTreeMap<&str, u64> = BTreeMap::new();
    for (name, count) in summed.chain(series.iter().flat_map(counts)) {
        *totals.entry(name).or_default() += count;
    }
    totals.retain(|_, count| *count > 0);
    let mut names: Vec<&str> = totals.keys().copied().collect();
    names.sort_by_key(|name| std::cmp::Reverse(totals[name]));
    names
}

/// All sections.
///
/// # Errors
/// [`RenderError`] when a chart cannot be drawn.
pub(super) fn all(context: &Context<'_>) -> Result<Vec<Section>, RenderError> {
    let section = |id, short, body| Section { id, short, body };
    let mut sections = vec![
        section("verdict", "Verdict", verdict::body(context)),
        section("rates", "Rates", rates::body(context)?),
        section("latency", "Latency", latency::body(context)?),
        section("spectrum", "Spectrum", spectrum::body(context)?),
        section("delivery", "Delivery", delivery::body(context)?),
    ];
    sections.extend(disruptions::body(context)?.map(|body| section("disruptions", "Disruptions", body)));
    sections.extend([
        section("server", "Server", server::body(context)?),
        section("generator", "Generator", generator::body(context)?),
        section("errors", "Errors", errors::body(context)),
        section("configuration", "Configuration", configuration::body(context)),
    ]);
    Ok(sections)
}

/// A section's heading and how to read what follows.
pub(super) fn heading(id: &str, title: &str, how: &str) -> Markup {
    html! {
        h2 id=(format!("{id}-h")) { (title) }
        @if !how.is_empty() { p.how { (how) } }
    }
}
