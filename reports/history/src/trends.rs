//! Entries side by side: a trend for each measure, and where it changed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use reports::history::{Better, Change, Group, History, Kind, Level, News, Point, SCHEMA_VERSION, Trend};
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
        // The unit stands in the key for the sake of a version that measures the same in another one.
        let mut trends: BTreeMap<(&str, &str), Trend> = BTreeMap::new();
        for entry in entries {
            for measure in entry.measures.iter().filter(|measure| measure.value.is_finite()) {
                let trend = trends.entry((&measure.name, measure.unit.word())).or_insert_with(|| Trend {
                    measure: measure.name.clone(),
                    unit: measure.unit,
                    better: measure.better,
                    points: Vec::new(),
                    levels: Vec::new(),
                    changes: Vec::new(),
                    noise: None,
                });
                let point = Point { at: entry.at, commit: entry.commit.clone(), value: measure.value };
                trend.points.push(point);
            }
        }
        Group {
            kind: self.kind,
            name: self.name.to_owned(),
            digest: self.digest.map(str::to_owned),
            host: self.host.to_owned(),
            target: self.target.to_owned(),
            trends: trends.into_values().collect(),
        }
    }
}

/// Finds the changes of all trends: the probability of any false one among them all is the bar's, so each trend has its part of it
/// (Bonferroni; measures of one run depend on each other, and it does not ask how).
fn judge(groups: &mut [Group], bar: Bar) {
    let count: usize = groups.iter().map(|group| group.trends.len()).sum();
    let part = Bar { alpha: bar.alpha / count.max(1) as f64, ..bar };
    for trend in groups.iter_mut().flat_map(|group| &mut group.trends) {
        let values: Vec<f64> = trend.points.iter().map(|point| point.value).collect();
        let found = changes::changes(&values, part);
        let level = |level: changes::Level| Level { from: level.from, to: level.to, mean: level.mean };
        trend.levels = changes::levels(&values, &found).into_iter().map(level).collect();
        trend.noise = changes::noise(&values, &found);
        trend.changes = found.iter().map(|change| told(trend, change, count)).collect();
    }
}

/// A change as a reader needs it.
fn told(trend: &Trend, change: &changes::Change, trends: usize) -> Change {
    let (first, previous) = (&trend.points[change.at], &trend.points[change.at - 1]);
    let rose = change.after > change.before;
    let effect = change.effect();
    Change {
        at: change.at,
        began: first.at,
        commit: first.commit.clone(),
        previous_commit: previous.commit.clone(),
        before: change.before,
        after: change.after,
        effect: effect.is_finite().then_some(effect),
        confidence: 1.0 - (change.probability * trends as f64).min(1.0),
        news: if rose == (trend.better == Better::Higher) { News::Better } else { News::Worse },
    }
}

#[cfg(test)]
mod tests {
    use reports::history::Unit;

    use super::*;
    use crate::entry::Measure;

    fn entry(number: u32, value: f64) -> Entry {
        let at = Timestamp::from_second(1_800_000_000 + i64::from(number) * 86_400).expect("an instant");
        Entry {
            kind: Kind::Run,
            key: format!("run-{number}"),
            name: "evening".into(),
            digest: Some("abc".into()),
            target: "embedded".into(),
            host: "Linux x86_64, 2 CPUs, 8 GiB".into(),
            os: "Linux 6.1".into(),
            commit: Some(format!("{number:040x}")),
            branch: Some("main".into()),
            version: "0.1.0".into(),
            at,
            validity: Validity::Valid,
            measures: vec![
                Measure::new("send.response_time.p50", Unit::Us, value),
                Measure::new("send.completed", Unit::PerSecond, 1e6 / value),
            ],
        }
    }

    fn history(entries: &[Entry], selection: &Selection) -> History {
        trends(entries, selection, Timestamp::UNIX_EPOCH, "0.1.0")
    }

    /// 30 runs, 20 % slower from the 21st on.
    fn slower() -> Vec<Entry> {
        let value = |n: u32| if n < 20 { 1_000.0 } else { 1_200.0 } + f64::from(n * 7 % 11);
        (0..30).map(|n| entry(n, value(n))).collect()
    }

    #[test]
    fn a_slowdown_is_told_with_its_commit_in_both_directions() {
        let history = history(&slower(), &Selection::default());
        assert_eq!((history.entries, history.left_out, history.groups.len()), (30, 0, 1));
        let changes = history.changes();
        assert_eq!(changes.len(), 2, "{changes:?}");
        for (_, trend, change) in changes {
            assert_eq!((change.at, change.news), (20, News::Worse), "{}", trend.measure);
            assert_eq!(change.commit, Some(format!("{:040x}", 20)));
            assert_eq!(change.previous_commit, Some(format!("{:040x}", 19)));
            assert!(change.confidence > 0.999 && !change.is_of_one_commit());
            let slower = trend.unit == Unit::Us;
            assert!((change.effect.expect("a level") - if slower { 0.199 } else { -0.166 }).abs() < 0.01);
            assert_eq!(trend.levels.len(), 2);
            assert!(trend.noise.is_some());
        }
    }

    #[test]
    fn what_differs_is_not_compared() {
        let mut entries = slower();
        for (index, entry) in entries.iter_mut().enumerate() {
            match index % 4 {
                0 => entry.digest = Some("other".into()),
                1 => entry.host = "Linux aarch64, 2 CPUs, 8 GiB".into(),
                2 => entry.target = "wss://play.example".into(),
                _ => {}
            }
        }
        assert_eq!(history(&entries, &Selection::default()).groups.len(), 4);
    }

    #[test]
    fn invalid_runs_are_left_out_by_default() {
        let mut entries = slower();
        entries[3].validity = Validity::Invalid("stalled".into());
        let of = |selection: &Selection| {
            let history = history(&entries, selection);
            (history.entries, history.left_out, history.groups[0].trends[0].points.len())
        };
        assert_eq!(of(&Selection::default()), (29, 1, 29));
        assert_eq!(of(&Selection { invalid: true, ..Selection::default() }), (30, 0, 30));
    }

    #[test]
    fn a_branch_and_a_name_can_be_asked_for() {
        let mut entries = slower();
        entries[0].branch = Some("faster".into());
        entries[1].name = "morning".into();
        assert_eq!(history(&entries, &Selection::default()).branches, ["faster", "main"]);
        let only = |branch: Option<&str>, names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            let selection = Selection { branch: branch.map(str::to_owned), names, ..Selection::default() };
            history(&entries, &selection).entries
        };
        assert_eq!(only(Some("main"), &[]), 29);
        assert_eq!(only(None, &["morning"]), 1);
        assert_eq!(only(Some("none"), &[]), 0);
    }
}
