//! Entries side by side: a trend for each measure, and where it changed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use reports::history::{Better, Change, Group, History, Kind, Level, News, Point, SCHEMA_VERSION, Trend, Unit};
use statistics::changes::{self, Bar};

use crate::entry::{Entry, Validity};

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// Entries of this branch only.
    pub branch: Option<String>,
    /// Entries of these names only: scenarios, or groups of benches; empty: all.
    pub names: Vec<String>,
    /// Entries that are not valid as well.
    pub invalid: bool,
    /// How sure and how large a change must be.
    pub bar: Bar,
}

impl Default for Selection {
    /// Everything that is valid.
    fn default() -> Self {
        Self { branch: None, names: Vec::new(), invalid: false, bar: Bar::default() }
    }
}

/// What entries must share to be compared.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Comparable<'a> {
    kind: Kind,
    name: &'a str,
    digest: Option<&'a str>,
    host: &'a str,
    target: &'a str,
}

/// The series of a group, by measure.
type Series<'a> = BTreeMap<(&'a str, &'static str, Better2), Vec<Point>>;

/// [`Better`] in an order, for a key of a map.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Better2(bool);

/// The trends of `entries`, which are in the order of time; `now` is when they are made.
#[must_use]
pub fn trends(entries: &[Entry], selection: &Selection, now: Timestamp, version: &str) -> History {
    let wanted = |entry: &&Entry| {
        selection.branch.as_ref().is_none_or(|branch| entry.branch.as_ref() == Some(branch))
            && (selection.names.is_empty() || selection.names.contains(&entry.name))
    };
    let asked: Vec<&Entry> = entries.iter().filter(wanted).collect();
    let (used, left_out): (Vec<&Entry>, Vec<&Entry>) =
        asked.into_iter().partition(|entry| selection.invalid || entry.validity == Validity::Valid);
    let mut groups: BTreeMap<Comparable<'_>, Vec<&Entry>> = BTreeMap::new();
    let mut branches: Vec<String> = Vec::new();
    for entry in &used {
        groups.entry(Comparable::of(entry)).or_default().push(entry);
        if let Some(branch) = entry.branch.as_ref().filter(|branch| !branches.contains(branch)) {
            branches.push(branch.clone());
        }
    }
    branches.sort();
    let mut groups: Vec<Group> = groups.into_iter().map(|(what, entries)| what.group(&entries)).collect();
    judge(&mut groups, selection.bar);
    History {
        schema_version: SCHEMA_VERSION,
        version: version.to_owned(),
        made_at: now,
        entries: used.len() as u64,
        left_out: left_out.len() as u64,
        branches: if branches.len() > 1 { branches } else { Vec::new() },
        alpha: selection.bar.alpha,
        min_effect: selection.bar.min_effect,
        groups,
    }
}

impl<'a> Comparable<'a> {
    fn of(entry: &'a Entry) -> Self {
        Self {
            kind: entry.kind,
            name: &entry.name,
            digest: entry.digest.as_deref(),
            host: &entry.host,
            target: &entry.target,
        }
    }

    fn group(&self, entries: &[&Entry]) -> Group {
        let mut series: BTreeMap<(&str, Unit2, Better2), Vec<Point>> = BTreeMap::new();
        for entry in entries {
            for measure in entry.measures.iter().filter(|measure| measure.value.is_finite()) {
                let key = (measure.name.as_str(), Unit2(measure.unit), Better2(measure.better == Better::Higher));
                let point = Point { at: entry.at, commit: entry.commit.clone(), value: measure.value };
                series.entry(key).or_default().push(point);
            }
        }
        todo!()
    }
}
