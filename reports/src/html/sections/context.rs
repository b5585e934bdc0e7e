//! What the sections of a report have in common: the run, its time axis, and what took place in it.

use std::collections::BTreeMap;

use maud::Markup;

use crate::digest::{Digest, MAX_BINS, RESOLUTION};
use crate::folder::RunFolder;
use crate::format::{SeriesLine, Status, Summary};
use crate::html::charts::{Fold, Ink, Spark, Timeline};
use crate::html::table::Cell;
use crate::human;

/// What every section draws from.
pub(in crate::html) struct Context<'a> {
    pub(super) folder: &'a RunFolder,
    pub(super) summary: &'a Summary,
    pub(super) digest: &'a Digest,
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
            digest: &folder.digest,
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

    /// Whether the figures may be used.
    pub(super) fn usable(&self) -> bool {
        !matches!(self.summary.status(), Status::Invalid | Status::Unfinished | Status::Failed)
    }

    /// In how many measured seconds an operation was called for.
    pub(super) fn seconds_called_for(&self, operation: &str) -> u64 {
        self.digest.seconds_called_for(operation)
    }

    /// The run's bins: begin and end in seconds, and their sum.
    pub(super) fn bins(&self) -> impl Iterator<Item = (f64, f64, &SeriesLine)> {
        let step = self.digest.grid().step_s as f64;
        let bins = self.digest.bins().iter().enumerate().filter(|(_, bin)| bin.seconds > 0);
        bins.map(move |(index, bin)| (index as f64 * step, (index + 1) as f64 * step, &bin.sum))
    }

    /// The stalls of the target in a sentence, where there are any.
    pub(super) fn stalls(&self) -> Option<String> {
        self.digest.stalls().sentence()
    }

    /// First and last second of an error class, warm-up included.
    pub(super) fn seen(&self, operation: &str, class: &str) -> Option<(u64, u64)> {
        let mut classes = self.digest.errors(operation);
        classes.find(|(name, _)| *name == class).map(|(_, seen)| (seen.first_s, seen.last_s))
    }

    /// A small drawing of what each second of the run had.
    pub(super) fn course(&self, ink: Ink, of: impl Fn(&SeriesLine) -> Option<f64>) -> Markup {
        let Timeline { grid, end_s, .. } = self.timeline;
        let values = self.timeline.values(Fold::Max, of);
        Spark { grid, values: &values, bound: None, from_s: 0.0, to_s: end_s, ink }.render()
    }

    /// The same of values that are there already, with the highest of them told below it.
    pub(super) fn drawn(&self, values: &[Option<f64>], ink: Ink, show: impl Fn(f64) -> String) -> Cell {
        let Timeline { grid, end_s, .. } = self.timeline;
        let spark = Spark { grid, values, bound: None, from_s: 0.0, to_s: end_s, ink };
        let highest = spark.highest();
        Cell::drawn(spark.render(), highest.map_or(human::NOTHING.to_owned(), show), highest)
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

/// Where a named thing is in what the script recomputes for a window: a JSON Pointer (RFC 6901).
pub(super) fn pointer(of: &str, name: &str) -> String {
    format!("/{of}/{}", name.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_pointers_are_escaped() {
        assert_eq!(pointer("operations", "a/b~c"), "/operations/a~1b~0c");
    }
}
