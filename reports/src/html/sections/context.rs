//! What the sections of a report have in common: the run, its time axis, and what took place in it.

use std::collections::BTreeMap;

use crate::digest::{Digest, MAX_BINS, RESOLUTION};
use crate::folder::RunFolder;
use crate::format::{SeriesLine, Summary};
use crate::html::charts::Timeline;
use crate::human;

/// What every section draws from.
pub(in crate::html) struct Context<'a> {
    pub(super) folder: &'a RunFolder,
    pub(super) summary: &'a Summary,
    pub(super) timeline: Timeline<'a>,
    /// Operations that took place, the busiest first.
    pub(super) operations: Vec<&'a str>,
    /// Delivery kinds that took place, the busiest first.
    pub(super) kinds: Vec<&'a str>,
}

impl<'a> Context<'a> {
    pub(in crate::html) fn new(folder: &'a RunFolder, summary: &'a Summary) -> Self {
        let operations = busiest(
            summary.operations.iter().map(|(name, operation)| (name.as_str(), operation.offered)),
            &folder.digest,
            |line| line.operations.iter().map(|(name, second)| (name.as_str(), second.offered)).collect(),
        );
        let kinds = busiest(
            summary.deliveries.iter().map(|(name, delivery)| (name.as_str(), delivery.expected)),
            &folder.digest,
            |line| line.deliveries.iter().map(|(name, second)| (name.as_str(), second.expected)).collect(),
        );
        let suspects = summary.correlation.as_ref().map_or(&[][..], |found| &found.suspects);
        Self {
            folder,
            summary,
            timeline: Timeline::of(&folder.digest, &folder.manifest.phases, suspects),
            operations,
            kinds,
        }
    }

    /// How the charts were made smaller than the run, in words.
    pub(in crate::html) fn rule(&self) -> String {
        let step = self.timeline.grid.step;
        if step > 1.0 {
            format!(
                "Charts have at most {MAX_BINS} points a line: each point stands for {} seconds, a rate by its mean, a state by its \
                 highest second, and percentiles by those of all of its samples together, at most {} % too high; beside them \
                 stands the highest p99 of a single second.",
                human::plain(step, 3),
                human::significant(RESOLUTION * 100.0)
            )
        } else {
            "Every point of a chart stands for one second of the run.".to_owned()
        }
    }

    /// Length of the run in seconds.
    pub(super) fn length_s(&self) -> f64 {
        let run = &self.summary.run;
        run.ended_at.duration_since(run.started_at).as_secs_f64().max(0.0)
    }

    /// Length of what counts for the summary, in seconds.
    pub(super) fn measured_s(&self) -> f64 {
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

/// Names with their counts from the summary and from all seconds (warm-up counts only there), without idle ones.
fn busiest<'a>(
    summed: impl Iterator<Item = (&'a str, u64)>,
    digest: &'a Digest,
    counts: impl Fn(&'a SeriesLine) -> Vec<(&'a str, u64)>,
) -> Vec<&'a str> {
    let mut totals: BTreeMap<&str, u64> = BTreeMap::new();
    for (name, count) in summed.chain(counts(&digest.whole().sum)) {
        *totals.entry(name).or_default() += count;
    }
    totals.retain(|_, count| *count > 0);
    let mut names: Vec<&str> = totals.keys().copied().collect();
    names.sort_by_key(|name| std::cmp::Reverse(totals[name]));
    names
}
