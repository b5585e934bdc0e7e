//! Trends in words: what changed, and the level and noise of each measure.

use std::fmt::Write;

use super::columns::Columns;
use crate::format::history::{Change, Group, History, Kind, News, Trend, Unit};
use crate::human;

/// Characters of a commit that are shown.
const COMMIT: usize = 10;

/// The trends for a terminal: the changes first, the latest at the top, then every measure.
#[must_use]
pub fn text(history: &History) -> String {
    let mut out = format!("{}\n", headline(history));
    for note in notes(history) {
        let _ = writeln!(out, "{note}");
    }
    let changes = changes(history);
    if !changes.is_empty() {
        let _ = write!(out, "\n{changes}");
    }
    for group in &history.groups {
        let _ = write!(out, "\n{}\n{}", title(group), measures(group));
    }
    out
}

/// How many measures changed, in a sentence.
pub(crate) fn headline(history: &History) -> String {
    let changes = history.changes();
    let count = |news| changes.iter().filter(|(_, _, change)| change.news == news).count();
    let (worse, better) = (count(News::Worse), count(News::Better));
    let trends = history.trends();
    let of = format!("in {trends} {}", if trends == 1 { "measure" } else { "measures" });
    match (trends, worse + better) {
        (0, _) => "No measures yet".into(),
        (_, 0) => format!("No change {of}"),
        (_, 1) => format!("1 change {of}: for the {}", if worse == 1 { "worse" } else { "better" }),
        (_, all) => format!("{all} changes {of}: {worse} for the worse, {better} for the better"),
    }
}

/// What a reader must know of what the trends are made of.
pub(crate) fn notes(history: &History) -> Vec<String> {
    let mut notes = vec![format!(
        "{} entries. Told is what noise makes with a probability of at most {} % in all measures together, and what is at least \
         {} % of the level before.",
        human::count(history.entries),
        human::plain(history.alpha * 100.0, 3),
        human::plain(history.min_effect * 100.0, 3),
    )];
    if history.left_out > 0 {
        notes.push(format!(
            "Left out because not valid: {}; --all shows them as well.",
            human::count(history.left_out)
        ));
    }
    if history.branches.len() > 1 {
        notes.push(format!(
            "These branches are mixed: {}. --branch NAME shows one alone.",
            history.branches.join(", ")
        ));
    }
    notes
}

fn changes(history: &History) -> String {
    let mut columns = Columns::new(["changes", "measure", "began", "commit", "by", "confidence"]).left(4);
    for (group, trend, change) in history.changes() {
        columns.row([
            group.name.clone(),
            trend.measure.clone(),
            change.began.strftime("%Y-%m-%d %H:%M").to_string(),
            commits(change),
            by(change),
            confidence(change),
        ]);
    }
    columns.finish()
}

fn measures(group: &Group) -> String {
    let mut columns = Columns::new(["measure", "points", "last level", "noise", "last change"]);
    for trend in &group.trends {
        let last = trend.changes.last();
        columns.row([
            trend.measure.clone(),
            trend.points.len().to_string(),
            trend
                .levels
                .last()
                .map_or_else(|| human::NOTHING.to_owned(), |level| show(trend.unit, level.mean)),
            noise(trend),
            last.map_or_else(
                || human::NOTHING.to_owned(),
                |change| format!("{} at {}", by(change), commits(change)),
            ),
        ]);
    }
    columns.finish()
}

/// A group in a line: what, where, which.
pub(crate) fn title(group: &Group) -> String {
    let kind = match group.kind {
        Kind::Run => "run",
        Kind::Capacity => "capacity",
        Kind::Bench => "bench",
    };
    let target = if group.target.is_empty() { String::new() } else { format!(" on {}", group.target) };
    let digest = group.digest.as_ref().map_or_else(String::new, |digest| format!(", scenario {digest}"));
    format!("{kind} {}{target}, from {}{digest}", group.name, group.host)
}

/// A value with its unit.
pub(crate) fn show(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Us => human::nanoseconds(value * 1e3),
        Unit::Ns => human::nanoseconds(value),
        Unit::CpuSeconds => format!("{} s", human::significant(value)),
        Unit::PerSecond => format!("{}/s", human::significant(value)),
        Unit::Share => format!("{} %", human::significant(value * 100.0)),
        Unit::Bytes => human::bytes(value),
        Unit::Players => human::amount(value.round()),
    }
}

/// The noise as a share of the last level, or in the unit where that is 0.
pub(crate) fn noise(trend: &Trend) -> String {
    let level = trend.levels.last().map_or(0.0, |level| level.mean.abs());
    match trend.noise {
        None => human::NOTHING.to_owned(),
        Some(noise) if level > 0.0 => format!("±{} %", human::significant(noise / level * 100.0)),
        Some(noise) => format!("±{}", show(trend.unit, noise)),
    }
}

/// How large a change is, and whether it is good.
pub(crate) fn by(change: &Change) -> String {
    let word = match change.news {
        News::Worse => "worse",
        News::Better => "better",
    };
    let sign = if change.after < change.before { '−' } else { '+' };
    match change.effect {
        Some(effect) => format!("{sign}{} % ({word})", human::significant(effect.abs() * 100.0)),
        None => format!("from 0 ({word})"),
    }
}

/// How sure it is; never rounded up to certainty.
pub(crate) fn confidence(change: &Change) -> String {
    let percent = change.confidence * 100.0;
    if percent >= 99.99 { "> 99.99 %".into() } else { format!("{percent:.2} %") }
}

/// Between which commits a change lies.
pub(crate) fn commits(change: &Change) -> String {
    match (&change.previous_commit, &change.commit) {
        (_, None) => "commit not known".into(),
        (_, Some(commit)) if change.is_of_one_commit() => {
            format!("{}, as before: not the code", short(commit))
        }
        (None, Some(commit)) => short(commit),
        (Some(previous), Some(commit)) => format!("{}..{}", short(previous), short(commit)),
    }
}

/// A commit as people write it; what is none stays as it is.
pub(crate) fn short(commit: &str) -> String {
    let is_hash = commit.len() >= COMMIT && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash { commit[..COMMIT].to_owned() } else { commit.to_owned() }
}
